"""From an answer to its pages without blocking the event loop: large answers are rendered in a process of their own.

What that process does not do in time, or with the memory it is allowed, is shown as plain text, every word of it; and
so it stays, after a restart too, for the turn says so before the rendering begins.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import sys
from collections.abc import Sequence
from typing import Any, Final

import structlog
from sqlalchemy import select, update

from omnibot.blocks.answers.reply import plain_reply_pages, reply_pages
from omnibot.blocks.layout.types import Page
from omnibot.db.engine import Database
from omnibot.db.tables import turns
from omnibot.turns.model import OfferedButton, Turn, TurnAnswer

log = structlog.get_logger(__name__)

#: The work of an answer, in characters, that is rendered at once: at most some tenth of a second.
LARGE: Final = 16_000
#: What a value of JSON counts for, beside its characters.
_VALUE: Final = 10
#: What a line of text counts for, beside its characters: it may be a block of its own.
_LINE: Final = 40
#: Messages of one reply; what would take more is shown as plain text, which is packed closely.
MOST_MESSAGES: Final = 40
#: Seconds, and bytes, that the rendering of a large answer may take.
PATIENCE: Final = 30.0
MEMORY: Final = 2_000_000_000
#: Large answers rendered at a time.
AT_ONCE: Final = 2


class Rendering:
    """Makes the pages of replies.

    Args:
        database: remembers which answers are shown as plain text.
        patience: seconds the rendering of a large answer may take.
        memory: bytes it may take.
    """

    def __init__(self, database: Database, *, patience: float = PATIENCE, memory: int = MEMORY) -> None:
        self._database = database
        self._patience = patience
        self._memory = memory
        self._places = asyncio.Semaphore(AT_ONCE)

    async def pages(self, turn: Turn, answer: TurnAnswer, buttons: Sequence[OfferedButton], **more: Any) -> list[Page]:
        """The pages of a reply, as `reply_pages` makes them; as plain text if it cannot, or makes far too many."""
        if is_large([answer.parts, answer.market_cards]):
            pages = await self._large(turn, answer, buttons, more)
        else:
            pages = _small(turn, answer, buttons, more)
        if pages is not None and len(pages) <= MOST_MESSAGES:
            return pages
        plain = await asyncio.to_thread(plain_reply_pages, turn, answer, buttons, **more)
        return plain if pages is None or len(plain) < len(pages) else pages

    async def _large(
        self, turn: Turn, answer: TurnAnswer, buttons: Sequence[OfferedButton], more: dict[str, Any]
    ) -> list[Page] | None:
        if await self._is_plain(turn.id):
            return None
        async with self._places:
            # First, so that whoever dies of it finds it when they begin again.
            await self._mark(turn.id, plain=True)
            try:
                pages = await self._in_worker(pickle.dumps((turn, answer, list(buttons), more)))
            except asyncio.CancelledError:
                # Whoever goes on with it may try: nothing is known against this answer.
                await self._mark(turn.id, plain=False)
                raise
        if pages is None:
            log.warning("rendering_gave_up", turn=turn.id)
            return None
        await self._mark(turn.id, plain=False)
        return pages

    async def _in_worker(self, work: bytes) -> list[Page] | None:
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "omnibot.blocks.answers.process",
                str(self._memory),
                str(int(self._patience) + 1),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env=_environment(),
            )
        except OSError as error:
            log.warning("rendering_not_started", error=type(error).__name__)
            return None
        try:
            async with asyncio.timeout(self._patience):
                made, _ = await process.communicate(work)
        except TimeoutError:
            return None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode != 0:
            return None
        pages: list[Page] = await asyncio.to_thread(pickle.loads, made)
        return pages

    async def _is_plain(self, turn_id: str) -> bool:
        async with self._database.transaction() as connection:
            return bool((await connection.execute(select(turns.c.plain).where(turns.c.id == turn_id))).scalar())

    async def _mark(self, turn_id: str, *, plain: bool) -> None:
        async with self._database.transaction() as connection:
            await connection.execute(update(turns).where(turns.c.id == turn_id).values(plain=plain))


def _small(turn: Turn, answer: TurnAnswer, buttons: Sequence[OfferedButton], more: dict[str, Any]) -> list[Page] | None:
    try:
        return reply_pages(turn, answer, buttons, **more)
    except Exception as error:
        # An answer that no rule of ours foresaw must not be lost with it.
        log.error("rendering_failed", turn=turn.id, error=type(error).__name__)
        return None


def is_large(value: Any) -> bool:
    """Whether a JSON value is more than is rendered at once."""
    weight, waiting = 0, [value]
    while waiting and weight <= LARGE:
        item = waiting.pop()
        weight += _VALUE
        if isinstance(item, str):
            weight += len(item) + _LINE * item.count("\n")
        elif isinstance(item, dict):
            waiting += item.values()
        elif isinstance(item, list | tuple):
            waiting += item
    return weight > LARGE


def _environment() -> dict[str, str]:
    """What the process needs to find its modules; none of our secrets."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "LANG", "LC_ALL") if name in os.environ}
    return {**kept, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "PYTHONHASHSEED": "0"}
