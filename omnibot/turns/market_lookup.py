"""The market cards of an answer, looked up within a time limit."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import structlog

from omnibot.clearstreet.models import Action, OpenChart, OpenScreener, Part
from omnibot.market_data.model import failed_card
from omnibot.market_data.service import Markets
from omnibot.turns.rules import to_look_up

log = structlog.get_logger(__name__)

#: Seconds that an answer waits for what stands beside it, and that a pressed action may take.
MARKET_CARD_PATIENCE, ACTION_PATIENCE = 3.0, 10.0


async def look_up_all(markets: Markets, key: str, parts: Sequence[Part]) -> list[dict[str, Any]]:
    """What stands beside an answer by itself, each with the number of its part."""
    wanted = to_look_up(parts)
    found = await asyncio.gather(*(look_up(markets, key, action, MARKET_CARD_PATIENCE) for _, action in wanted))
    return [{**market_card, "part": part} for (part, _), market_card in zip(wanted, found, strict=True)]


async def look_up(markets: Markets, key: str, action: Action, patience: float) -> dict[str, Any]:
    """The market card of one action; where nothing was found, it says why."""
    try:
        return await _market_card(markets, key, action, patience)
    except Exception:
        # What stands beside an answer must not cost the answer.
        log.exception("market_card_broke")
        return failed_card("this", "omnibot could not read what Clear Street sent.", None)


async def _market_card(markets: Markets, key: str, action: Action, patience: float) -> dict[str, Any]:
    match action:
        case OpenChart():
            return await markets.symbol(key, action.symbol, action.timeframe, patience=patience)
        case OpenScreener():
            return await markets.screen(key, action, patience=patience)
        case _:
            return failed_card("this", "omnibot cannot carry this action out.", None)
