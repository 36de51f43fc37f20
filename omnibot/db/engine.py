"""The database engine, transactions, and the dialects' differences.

SQLite: one process (a lock beside the file says so), one connection, `synchronous=FULL`: what was committed survives
a power cut. PostgreSQL: as many processes as you like.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import json
import os
import sqlite3
import stat
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import IO, Any

from sqlalchemy import ColumnElement, DateTime, func, literal_column, select, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.event import listens_for
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from omnibot.errors import OmnibotError, SettingsError

#: Seconds a PostgreSQL connection may take to open.
CONNECT_TIMEOUT = 5
_WHEN_COMMITTED = "when_committed"
#: The permissions of what is made: it holds questions, answers and account data.
OWNER_ONLY = 0o600
#: Bytes that are written to find out whether the disk is full.
PROBE = 64 * 1024
#: PostgreSQL's SQLSTATE when a disk is full or broken, or everything is read-only. What it says is in any language.
UNWRITABLE_STATES = frozenset({"53100", "58030", "25006"})
#: SQLite's code for the same.
UNWRITABLE_CODES = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY})


def parse_url(database_url: str) -> URL:
    """Turn DATABASE_URL, in any spelling an operator may use, into one for our async drivers.

    Raises:
        SettingsError: not a URL, one whose password is not told from its host, or a database omnibot does not speak to.
    """
    try:
        url = make_url(database_url)
    except (ArgumentError, ValueError):  # the latter for a port that is no number
        raise SettingsError("DATABASE_URL is not a database URL, such as sqlite:///omnibot.sqlite3") from None
    backend = url.drivername.split("+")[0]
    if backend == "sqlite":
        return url.set(drivername="sqlite+aiosqlite")
    if backend in ("postgres", "postgresql"):
        # What follows a bare @ in a password is read as the host, and from there it goes into every error.
        if "@" in f"{url.host or ''}{url.database or ''}":
            raise SettingsError("DATABASE_URL: the password holds an @, which is written %40 there")
        return url.set(drivername="postgresql+psycopg")
    raise SettingsError(f"DATABASE_URL names {backend!r}: omnibot keeps its data in SQLite or PostgreSQL")


def when_committed(connection: AsyncConnection, call: Callable[[], None]) -> None:
    """Have `call` made once the transaction of `connection` is known to be committed, and not at all otherwise."""
    connection.info[_WHEN_COMMITTED].append(call)


def _dump_json(value: Any) -> str:
    # Amounts are Decimals; a float in between would change them, so they are stored as strings.
    return json.dumps(value, default=str, separators=(",", ":"))


class DatabaseUnusable(OmnibotError, SQLAlchemyError):
    """Nothing that is written now would last; the message says why.

    Whatever waits and tries again when the database fails does so here too.
    """


class SqliteFile:
    """The file of a SQLite database: readable by its owner only, and still the one that was opened.

    Args:
        path: where it is, or will be.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened: tuple[int, int] | None = None

    def open(self) -> None:
        """Make the file where there is none, for its owner only; remember which one it is.

        SQLite gives its journals the permissions of the file, and follows an open file wherever it is moved.

        Raises:
            DatabaseUnusable: another file, or none, is where one was opened before.
        """
        if self._opened is not None:
            self.require_same()
            return
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, OWNER_ONLY))
        self._opened = self._status()

    def require_same(self) -> None:
        """Check that what is written goes where the next start will look for it.

        Raises:
            DatabaseUnusable: the file was moved, deleted or replaced.
        """
        if self._opened is not None and self._status() != self._opened:
            raise DatabaseUnusable(
                f"{self._path} was moved, deleted or replaced: put it back, or stop omnibot and start it again"
            )

    def require_space(self) -> None:
        """Check that its file system takes a little more. Nothing of it stays there.

        Raises:
            DatabaseUnusable: it does not.
        """
        try:
            with tempfile.TemporaryFile(dir=self._path.parent, buffering=0) as probe:
                if probe.write(bytes(PROBE)) < PROBE:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            raise DatabaseUnusable(f"nothing can be written beside {self._path}: {error.strerror}") from None

    def _status(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino


def unwritable(error: DBAPIError) -> bool:
    """Whether a database refused because nothing can be written to it, rather than this."""
    state, code = getattr(error.orig, "sqlstate", None), getattr(error.orig, "sqlite_errorcode", None)
    # SQLite's extended codes hold the plain one in their lowest byte.
    return state in UNWRITABLE_STATES or (isinstance(code, int) and code & 0xFF in UNWRITABLE_CODES)


class Database:
    """One engine, opened by `open_database` and shared by every store."""

    def __init__(self, engine: AsyncEngine, lock: IO[str] | None, file: SqliteFile | None = None) -> None:
        self.engine = engine
        self._lock = lock
        self._file = file
        #: What the last write said, if it failed because the disk is full or broken.
        self._refused_write: str | None = None

    @property
    def single_process(self) -> bool:
        """True on SQLite: every row is this process's own."""
        return self.engine.dialect.name == "sqlite"

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """One transaction; commits when the block ends well, and then makes the calls of `when_committed`."""
        calls: list[Callable[[], None]] = []
        try:
            async with self.engine.begin() as connection:
                connection.info[_WHEN_COMMITTED] = calls
                yield connection
                if self._file is not None:
                    # Whoever is told that this is stored must find it after a restart.
                    self._file.require_same()
        except DBAPIError as error:
            self._note(error)
            raise
        for call in calls:
            call()

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncConnection]:
        """A transaction for reading, in which everything stays as it is at the first look."""
        begin = "BEGIN" if self.single_process else "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
        async with self.transaction() as connection:
            await connection.exec_driver_sql(begin)
            yield connection

    async def require_writable(self) -> None:
        """Check that what is written now would last.

        It costs one small file that is never named; only after a write has failed is the database written to.

        Raises:
            DatabaseUnusable: says why not.
        """
        if self._file is not None:
            self._file.require_same()
            await asyncio.to_thread(self._file.require_space)
        if self._refused_write is None:
            return
        try:
            async with self.engine.begin() as connection:
                await connection.execute(text("CREATE TABLE omnibot_probe (filler TEXT)"))
                await connection.execute(text("INSERT INTO omnibot_probe VALUES (:filler)"), {"filler": "0" * PROBE})
                await connection.execute(text("DROP TABLE omnibot_probe"))
        except DBAPIError as error:
            raise DatabaseUnusable(f"the database cannot be written to: {error.orig}") from None
        self._refused_write = None

    def _note(self, error: DBAPIError) -> None:
        if unwritable(error):
            self._refused_write = str(error.orig)

    def now(self) -> ColumnElement[datetime]:
        """The database's clock as a UTC timestamp, for leases that several instances compare."""
        if self.single_process:
            return literal_column("strftime('%Y-%m-%d %H:%M:%f000', 'now')", DateTime())
        return func.timezone("UTC", func.clock_timestamp(), type_=DateTime())

    def after(self, seconds: float) -> ColumnElement[datetime]:
        """The database's clock, `seconds` from now."""
        if self.single_process:
            return literal_column(f"strftime('%Y-%m-%d %H:%M:%f000', 'now', '{seconds:+.3f} seconds')", DateTime())
        return func.timezone(
            "UTC", func.clock_timestamp() + text(f"interval '{seconds:.3f} seconds'"), type_=DateTime()
        )

    async def time(self, connection: AsyncConnection) -> datetime:
        """The database's clock: UTC without zone. The same for all instances, however their machines' clocks stand."""
        moment: datetime = (await connection.execute(select(self.now()))).scalar_one()
        return moment

    async def close(self) -> None:
        """Close every connection and give the SQLite lock back."""
        await self.engine.dispose()
        if self._lock is not None:
            self._lock.close()


async def open_database(database_url: str, *, exclusive: bool = True) -> Database:
    """Open the database (nothing is created or migrated here).

    Args:
        database_url: as in DATABASE_URL.
        exclusive: on SQLite, refuse to share the file with another omnibot.

    Raises:
        SettingsError: the URL is unusable, or another process holds the SQLite file.
    """
    url = parse_url(database_url)
    if url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
        raise SettingsError("DATABASE_URL names no file: what is kept in memory only would be lost")
    if url.get_backend_name() != "sqlite":
        engine = create_async_engine(
            url,
            pool_size=10,
            max_overflow=10,
            pool_pre_ping=True,
            connect_args={"connect_timeout": CONNECT_TIMEOUT},
            json_serializer=_dump_json,
            # Errors carry the statement into logs; what people asked must not ride along.
            hide_parameters=True,
        )
        return Database(engine, None)
    path = Path(url.database or "")
    _make_space(path)
    lock = _lock_beside(path) if exclusive else None
    file = SqliteFile(path)
    # One connection: SQLite has one writer anyway, and queueing here never ends in "database is locked".
    engine = create_async_engine(
        url,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=1,
        max_overflow=0,
        pool_timeout=30,
        connect_args={"timeout": 10},
        json_serializer=_dump_json,
        hide_parameters=True,
    )

    @listens_for(engine.sync_engine, "do_connect")
    def _the_same_file(*_: object) -> None:
        file.open()

    @listens_for(engine.sync_engine, "connect")
    def _pragmas(connection: DBAPIConnection, _record: object) -> None:
        cursor = connection.cursor()
        # What is deleted is overwritten.
        pragmas = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000", "secure_delete=ON")
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return Database(engine, lock, file)


def readable_by_others(path: Path) -> list[Path]:
    """Those of a SQLite database's files that people other than their owner can read."""
    files = [path, *(path.with_name(path.name + end) for end in ("-wal", "-shm", "-journal"))]
    return [each for each in files if each.exists() and each.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH)]


@contextmanager
def unreachable_in_words() -> Iterator[None]:
    """A database that cannot be opened is the operator's business: one sentence, no traceback.

    Raises:
        SettingsError: the driver's first line; drivers leave passwords out of it.
    """
    try:
        yield
    except (DBAPIError, OSError) as error:
        cause = str(error.orig if isinstance(error, DBAPIError) else error).strip().split("\n")[0]
        raise SettingsError(f"DATABASE_URL: the database cannot be opened ({cause})") from None


def _make_space(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"DATABASE_URL: {path.parent} cannot be made ({error.strerror})") from None
    if not os.access(path.parent, os.W_OK):
        raise SettingsError(f"DATABASE_URL: {path.parent} cannot be written to")


def _lock_beside(path: Path) -> IO[str]:
    """Hold an exclusive lock for as long as this process lives (the system drops it even after kill -9)."""
    try:
        lock = open(path.with_name(path.name + ".lock"), "a+", opener=partial(os.open, mode=OWNER_ONLY))  # noqa: SIM115
    except OSError as error:
        raise SettingsError(f"DATABASE_URL: {path} cannot be written to ({error.strerror})") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.seek(0)
        holder = lock.read().strip() or "unknown"
        lock.close()
        msg = (
            f"another omnibot (process {holder}) already works on {path}. A SQLite file is for one process: "
            "stop the other one, or set DATABASE_URL to a PostgreSQL server for several."
        )
        raise SettingsError(msg) from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock
