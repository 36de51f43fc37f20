"""Fetches market cards from Clear Street: one symbol, or a screen. Nothing here raises; failures are cards too."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Final

import structlog

from omnibot.clearstreet.market import MarketData
from omnibot.clearstreet.models import OpenScreener
from omnibot.clearstreet.models.market import MarketHours
from omnibot.clearstreet.models.screener import Catalog, Row
from omnibot.clearstreet.screener_requests import screener_body, screening
from omnibot.errors import ClearStreetError, Invalid, NotEntitled, NotFound, RateLimited, Unauthorised
from omnibot.market_data.model import MAX_ROWS, MarketCard, failed_card, screen_card, symbol_card

log = structlog.get_logger(__name__)

#: Seconds for which the catalog and the market's hours are believed.
CATALOG_AGE: Final = 3600.0
HOURS_AGE: Final = 30.0
_PAGE: Final = 100
#: Pages asked for; with a token left after the last of them it is said that there is more.
_MOST_PAGES: Final = 10


class Markets:
    """Symbols and screens, with the authority of whoever asks."""

    def __init__(self, data: MarketData) -> None:
        self._data = data
        self._catalog: tuple[Catalog | None, float] | None = None
        self._hours: tuple[list[MarketHours], float] | None = None

    async def symbol(self, key: str, symbol: str, timeframe: str | None, *, patience: float) -> MarketCard:
        """What the market says about a symbol now; `patience` is in seconds."""
        what = f"the market for {symbol}"
        try:
            async with asyncio.timeout(patience):
                found, hours = await asyncio.gather(self._data.snapshots(key, [symbol]), self._market_hours(key))
        except NotFound as error:
            return failed_card(what, f"Clear Street does not know {symbol}.", error.request_id)
        except (ClearStreetError, TimeoutError, ValueError) as error:
            return _failed(what, error)
        if not found:
            return failed_card(what, f"Clear Street does not know {symbol}.", None)
        return symbol_card(found[0], timeframe=timeframe, hours=hours, now=datetime.now(UTC))

    async def screen(self, key: str, action: OpenScreener, *, patience: float) -> MarketCard:
        """Run a screener of Omni's; `patience` is in seconds."""
        what = "the screen"
        try:
            async with asyncio.timeout(patience):
                return await self._screen(key, action)
        except NotFound as error:
            reason = "This revision of Clear Street's API has no screener."
            return failed_card(what, reason, error.request_id)
        except (ClearStreetError, TimeoutError) as error:
            return _failed(what, error)

    async def _screen(self, key: str, action: OpenScreener) -> MarketCard:
        catalog = await self._catalog_of(key)
        wanted = screening(action, catalog)
        body = screener_body(wanted, page_size=_PAGE)
        rows: list[Row] = []
        token: str | None = None
        followed: set[str] = set()
        for _ in range(_MOST_PAGES):
            page = await self._data.run_screener(key, body, page_token=token)
            rows.extend(page.rows)
            token = page.next_page_token
            if token is None or token in followed or len(rows) >= MAX_ROWS:
                break
            followed.add(token)
        more = token is not None or len(rows) > MAX_ROWS
        now = datetime.now(UTC)
        return screen_card(action, wanted, rows[:MAX_ROWS], more=more, catalog=catalog, now=now)

    async def _catalog_of(self, key: str) -> Catalog | None:
        """The fields there are; None where the API's revision does not tell."""
        if self._catalog is None or time.monotonic() - self._catalog[1] > CATALOG_AGE:
            try:
                found: Catalog | None = await self._data.screener_catalog(key)
            except NotFound:
                found = None
            self._catalog = (found, time.monotonic())
        return self._catalog[0]

    async def _market_hours(self, key: str) -> list[MarketHours]:
        """Today's hours: pleasant to have, so that a failure is only their absence."""
        if self._hours is None or time.monotonic() - self._hours[1] > HOURS_AGE:
            try:
                found = await self._data.market_hours(key)
            except ClearStreetError as error:
                log.info("market_hours_missing", status=error.status, api=error.request_id)
                return []
            self._hours = (found, time.monotonic())
        return self._hours[0]


def _failed(what: str, error: Exception) -> MarketCard:
    request_id = error.request_id if isinstance(error, ClearStreetError) else None
    log.info("market_card_failed", error=type(error).__name__, api=request_id)
    match error:
        case RateLimited():
            reason = "Clear Street is handling too many requests right now. Try again in a minute."
        case Unauthorised() | NotEntitled():
            reason = "Clear Street does not let this API key see market data. Ask whoever runs omnibot."
        case Invalid():
            reason = f"Clear Street did not accept it: “{error.api_message}”" if error.api_message else "Not accepted."
        case _:
            reason = "Clear Street is not answering right now. Try again in a minute."
    return failed_card(what, reason, request_id)
