"""Stop: Omni is told until it confirms, and whoever pressed Stop is not made to wait for that."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from omnibot.clearstreet.models.resources import Created
from omnibot.clearstreet.omni import Omni
from omnibot.errors import ClearStreetError, NotFound, RateLimited, Unavailable
from omnibot.turns.active import Active
from omnibot.turns.rules import backoff

log = structlog.get_logger(__name__)

#: Seconds after Stop in which Omni may end its answer itself; then the reply ends with what was said.
STOP_PATIENCE = 0.7
#: Seconds for which Omni is told, beside everything else; it ends by itself some day.
CANCEL_PATIENCE = 60.0


class Cancellation:
    """Cancels responses at Omni, in its own time.

    Args:
        omni: where.
        in_background: runs something beside the steps of turns.
    """

    def __init__(self, omni: Omni, *, in_background: Callable[[Coroutine[Any, Any, None]], None]) -> None:
        self._omni = omni
        self._in_background = in_background

    def tell(self, active: Active, key: str, account_id: int | None) -> asyncio.Event:
        """Tell Omni, once begun until it has heard it. The event is set when it has."""
        if active.heard is None:
            active.heard = asyncio.Event()
            assert active.turn.response_id is not None
            self._in_background(self._tell(active.turn.id, key, account_id, active.turn.response_id, active.heard))
        return active.heard

    def undo(self, active: Active, key: str, account_id: int | None, creating: asyncio.Future[Created]) -> None:
        """Stop came while Omni was being asked: should the question arrive after all, its answer is canceled."""
        active.heard = asyncio.Event()
        self._in_background(self._undo(active.turn.id, key, account_id, creating, active.heard))

    async def _undo(
        self,
        turn_id: str,
        key: str,
        account_id: int | None,
        creating: asyncio.Future[Created],
        heard: asyncio.Event,
    ) -> None:
        try:
            created = await creating
        except ClearStreetError:
            return
        if created.response_id is not None:
            await self._tell(turn_id, key, account_id, created.response_id, heard)

    async def _tell(
        self, turn_id: str, key: str, account_id: int | None, response_id: str, heard: asyncio.Event
    ) -> None:
        """It names one response, so it does no harm to say it again, nor after the turn is somebody else's."""
        loop = asyncio.get_running_loop()
        tries, latest = 0, loop.time() + CANCEL_PATIENCE
        while True:
            try:
                await self._omni.cancel_response(key, account_id, response_id)
                break
            except NotFound:
                break
            except ClearStreetError as error:
                log.warning("cancel_failed", turn=turn_id, status=error.status, api=error.request_id)
                wait = error.retry_after if isinstance(error, RateLimited) else backoff(tries, first=0.25, most=5.0)
                if not isinstance(error, RateLimited | Unavailable) or loop.time() + wait > latest:
                    return
            tries += 1
            await asyncio.sleep(wait)
        heard.set()
