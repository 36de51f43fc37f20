"""Market data, the screener and market hours: one method an endpoint.

In every method `key` is the API key whose authority is used. Every method raises leaves of `ClearStreetError` and
nothing else; everything here only reads, and is retried by the transport.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from omnibot.clearstreet.models import market, screener
from omnibot.clearstreet.models.enums import MarketType
from omnibot.clearstreet.models.market import Clock, MarketHours, Snapshot
from omnibot.clearstreet.models.screener import Catalog, ScreenerPage
from omnibot.clearstreet.transport import Transport

MAX_SNAPSHOTS = 100
"""Instruments in one call."""


class MarketData:
    """The market-data API over one transport."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def snapshots(self, key: str, instruments: Sequence[str]) -> list[Snapshot]:
        """Quote, last trade and day of each instrument (GET market-data/snapshot, all revisions).

        Not necessarily in the order asked for, and an instrument asked for twice comes once.

        Args:
            instruments: tickers, OSI symbols or instrument ids, at most `MAX_SNAPSHOTS`; none is no call.

        Raises:
            NotFound: one of them does not exist; then there are snapshots of none.
            ValueError: they are too many, or one of them has a comma in it.
        """
        if not instruments:
            return []
        if len(instruments) > MAX_SNAPSHOTS or any("," in one for one in instruments):
            raise ValueError(f"at most {MAX_SNAPSHOTS} instruments, none with a comma")
        query = {"instrument_ids": ",".join(instruments)}
        answer = await self._transport.call("GET", "/v1/market-data/snapshot", key=key, query=query)
        return answer.read_whole(market.snapshots)

    async def run_screener(self, key: str, body: Mapping[str, Any], *, page_token: str | None = None) -> ScreenerPage:
        """A page of the instruments that pass the filters (POST screener, 2026-08 and later).

        A POST by its form only: it is a search whose filters do not fit into a query string, and changes nothing. So it
        is retried and queued like a GET, unlike every other POST.

        Args:
            body: from `screening.screener_body`, the same for every page.
            page_token: from the page before; the page size is then that page's.

        Raises:
            NotFound: the revision has no screener (2026-04).
            Invalid: it does not know a field, or an operator does not fit its field.
        """
        sent = dict(body)
        if page_token is not None:
            sent = {name: value for name, value in sent.items() if name != "page_size"} | {"page_token": page_token}
        answer = await self._transport.call("POST", "/v1/screener", key=key, body=sent, only_asks=True)
        rows = answer.read(screener.rows)
        return ScreenerPage(tuple(rows), answer.next_page_token)

    async def screener_catalog(self, key: str) -> Catalog:
        """The fields and operators of the screener (GET screener/catalog, 2026-10). Raises NotFound before."""
        answer = await self._transport.call("GET", "/v1/screener/catalog", key=key)
        return answer.read(screener.catalog)

    async def clock(self, key: str) -> Clock:
        """The server's time (GET clock, all revisions)."""
        answer = await self._transport.call("GET", "/v1/clock", key=key)
        return answer.read(market.clock)

    async def market_hours(
        self, key: str, *, day: date | None = None, market_type: MarketType | None = None
    ) -> list[MarketHours]:
        """Sessions of a day, today by default, and whether the market is open now (GET calendars/market-hours).

        All revisions. Without a market: those for equities and for options.
        """
        query = {
            "date": None if day is None else day.isoformat(),
            "market": None if market_type is None else market_type.value,
        }
        answer = await self._transport.call("GET", "/v1/calendars/market-hours", key=key, query=query)
        return answer.read_whole(market.market_hours)
