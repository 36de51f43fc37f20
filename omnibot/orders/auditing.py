"""The audit for the command line: verified and printed, whatever else is at work on the database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from omnibot.db.engine import Database, open_database, unreachable_in_words
from omnibot.db.migrate import require_current
from omnibot.orders.audit import Signer, Verified, export, verify

#: Problems that are named.
MOST = 20


@asynccontextmanager
async def opened(database_url: str) -> AsyncIterator[Database]:
    """A database for reading, beside the bots that use it.

    Raises:
        SettingsError: it cannot be opened, or lacks tables.
    """
    with unreachable_in_words():
        database = await open_database(database_url, exclusive=False)
        try:
            await require_current(database)
            yield database
        finally:
            await database.close()


async def verify_database(
    database_url: str, keys: Sequence[str], secrets: Sequence[str], *, head: str | None
) -> Verified:
    """Look through the audit of a database; see `audit.verify`. Raises SettingsError as `opened` and `Signer` do."""
    signer = Signer(keys, secrets)
    async with opened(database_url) as database:
        return await verify(database, signer, head=head)


def describe(found: Verified) -> str:
    """What was found, in lines."""
    rows = f"{found.rows} {'row' if found.rows == 1 else 'rows'}"
    if found.sound:
        return f"The audit is sound: {rows}, each as it was written.\nHead: {found.head}"
    problems = list(found.problems[:MOST])
    if more := len(found.problems) - len(problems):
        problems.append(f"… and {more} more.")
    return "\n".join([f"The audit is not as it was written ({rows} looked at):", *(f"  {one}" for one in problems)])


async def print_database(database_url: str, form: str, say: Callable[[str], None]) -> None:
    """Print the whole audit of a database, "csv" or "json", row by row. Raises SettingsError as `opened`."""
    async with opened(database_url) as database:
        async for piece in export(database, form):
            say(piece)
