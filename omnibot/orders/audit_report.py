"""The audit for the command line: verification and export, while bots run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import func, select

from omnibot.db.engine import Database, open_database, unreachable_in_words
from omnibot.db.migrate import require_current
from omnibot.db.tables import audit
from omnibot.orders.audit import Signer, Verified, export, verify
from omnibot.orders.audit_heads import read_heads

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
    database_url: str, keys: Sequence[str], secrets: Sequence[str], *, head: str | None, head_file: Path | None
) -> Verified:
    """Look through the audit of a database; see `audit.verify`.

    Raises:
        SettingsError: as `opened`, `Signer` and `read_heads` do.
    """
    signer = Signer(keys, secrets)
    heads = [one.hash for one in read_heads(head_file)] if head_file is not None else []
    heads += [head] if head is not None else []
    async with opened(database_url) as database:
        return await verify(database, signer, heads=heads)


def describe(found: Verified) -> str:
    """What was found, in lines."""
    rows = f"{found.rows} {'row' if found.rows == 1 else 'rows'}"
    if found.sound:
        return f"The audit is sound: {rows}, each as it was written.\nHead: {found.head}"
    problems = list(found.problems[:MOST])
    if more := len(found.problems) - len(problems):
        problems.append(f"… and {more} more.")
    return "\n".join([f"The audit is not sound ({rows} looked at):", *(f"  {one}" for one in problems)])


async def print_database(database_url: str, form: str, say: Callable[[str], None]) -> None:
    """Print the whole audit of a database, "csv" or "json", row by row. Raises SettingsError as `opened`."""
    async with opened(database_url) as database:
        async for piece in export(database, form):
            say(piece)


_NEEDED = (
    "Keep the older keys: {rows} of the audit of orders {were} signed with a key derived from one of them, and without "
    "it cannot be verified any more. To take them out of OMNIBOT_ENCRYPTION_KEYS, put them into OMNIBOT_AUDIT_KEY, "
    "behind a secret of its own (`openssl rand -hex 32` prints one), with commas between, and restart every omnibot."
)


async def older_keys_needed(database_url: str, keys: Sequence[str], audit_keys: Sequence[str]) -> str | None:
    """Why encryption keys behind the first cannot go, although they encrypt nothing any more; None: they can.

    Args:
        audit_keys: OMNIBOT_AUDIT_KEY, split: with those there, rows verify all the same.
    """
    kept = Signer(list(audit_keys), keys[:1]).key_ids
    older = set(Signer([], keys).key_ids) - set(kept)
    async with opened(database_url) as database, database.transaction() as connection:
        query = select(func.count()).select_from(audit).where(audit.c.key_id.in_(older))
        count = int((await connection.execute(query)).scalar_one())
    rows = f"{count} {'row' if count == 1 else 'rows'}"
    return _NEEDED.format(rows=rows, were="was" if count == 1 else "were") if count else None
