"""Market data: a snapshot of what the market says about some instruments."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from decimal import Decimal

from omnibot_sandbox.clearstreet.errors import ApiError
from omnibot_sandbox.clearstreet.instruments import Instrument
from omnibot_sandbox.clearstreet.market import Market
from omnibot_sandbox.clearstreet.options import volatility, years_left
from omnibot_sandbox.clearstreet.quotes import numbers
from omnibot_sandbox.clearstreet.revision import JSON, Revision
from omnibot_sandbox.clearstreet.visits import Answer, Handler, Visit

_MOST = 100


class Snapshots:
    """What one can ask about the market."""

    def __init__(self, market: Market) -> None:
        self.market = market

    @property
    def routes(self) -> dict[str, Handler]:
        """The endpoints by method and path."""
        return {"GET /v1/market-data/snapshot": self.list_snapshots}

    def list_snapshots(self, visit: Visit) -> Answer:
        """Quote, last trade and day of each instrument; one that is asked for twice comes once."""
        names = [name for name in visit.query.get("instrument_ids", "").split(",") if name.strip()]
        if not names:
            raise ApiError(400, "At least one instrument_id is required")
        if len(names) > _MOST:
            raise ApiError(400, f"At most {_MOST} instrument_ids are allowed")
        found = {one.symbol: one for one in (find_instrument(self.market, name) for name in names)}
        return Answer([self.write(one, visit.revision) for one in found.values()], {}, explicit=True)

    def write(self, instrument: Instrument, revision: Revision) -> JSON:
        """One snapshot as a revision writes it."""
        known = self.market.condition(instrument) != "null"
        out: JSON = {
            "instrument_id": instrument.id,
            "symbol": instrument.symbol,
            "name": instrument.name,
            "cumulative_volume": self.market.volume(instrument) if known and instrument.type != "INDEX" else None,
            "last_quote": self._quote(instrument, revision),
            "last_trade": self._trade(instrument, revision) if known else None,
            "session": self._session(instrument, revision, known=known),
            "greeks": self._greeks(instrument) if known else None,
        }
        if revision.rich_quotes:
            open_interest = 1_000 + len(instrument.name) * 37 if instrument.underlying is not None else None
            out |= {"open_interest": open_interest, "short_sale_restricted": instrument.short_restricted}
        return out if revision.explicit_nulls else _given(out)

    def _quote(self, instrument: Instrument, revision: Revision) -> JSON | None:
        quote = self.market.quote(instrument)
        whole = quote.bid is not None and quote.ask is not None
        if instrument.type == "INDEX" or (quote.bid is None and quote.ask is None):
            return None
        if not whole and not revision.one_sided_quotes:
            return None
        out: JSON = {
            "bid": _text(quote.bid),
            "bid_size": 300 if quote.bid is not None else None,
            "ask": _text(quote.ask),
            "ask_size": 200 if quote.ask is not None else None,
            "midpoint": _text((quote.bid + quote.ask) / 2) if quote.bid and quote.ask else None,
        }
        if revision.rich_quotes:
            for side, price in (("bid", quote.bid), ("ask", quote.ask)):
                out[f"{side}_timestamp"] = _moment(quote.at) if price is not None else None
                out[f"{side}_venue"] = "ARCX" if price is not None else None
        return out if revision.explicit_nulls else _given(out)

    def _trade(self, instrument: Instrument, revision: Revision) -> JSON:
        size = 0 if instrument.type == "INDEX" else 100
        out: JSON = {"price": _text(self.market.last(instrument)), "size": size}
        if revision.rich_quotes:
            at = self.market.quoted_at(instrument) - timedelta(seconds=1)
            venue = None if instrument.type == "INDEX" else instrument.venue
            out |= {"timestamp": _moment(at), "venue": venue}
        return out

    def _session(self, instrument: Instrument, revision: Revision, *, known: bool) -> JSON | None:
        last, before = self.market.last(instrument), self.market.previous_close(instrument)
        out: JSON = {
            "change": _text(last - before),
            "change_percent": f"{(last - before) / before * 100:.4f}",
            "previous_close": _text(before),
        }
        if not revision.rich_quotes:
            return out if known else None
        if not known:
            return {"ohlv_applicable": True, **dict.fromkeys((*out, *_DAY))}
        index, its = instrument.type == "INDEX", numbers(instrument.symbol)
        day: JSON = dict.fromkeys(_DAY)
        if not index and instrument.underlying is None:
            day |= {
                "open": _dollars(its.open),
                "high": _text(max(last, Decimal(_dollars(its.high)))),
                "low": _text(min(last, Decimal(_dollars(its.low)))),
                "ohlv_date": self.market.quoted_at(instrument).date().isoformat(),
                "cumulative_volume": self.market.volume(instrument),
            }
        return {"ohlv_applicable": not index, "previous_close_unadjusted": None, **out, **day}

    def _greeks(self, option: Instrument) -> JSON | None:
        if option.underlying is None:
            return None
        spot, strike = float(self.market.last(option.underlying)), float(option.strike)
        deviation = volatility(option) * math.sqrt(years_left(option))
        likely = 0.5 * (1 + math.erf(math.log(spot / strike) / deviation / math.sqrt(2))) if strike > 0 else 1.0
        hump = math.exp(-((math.log(spot / strike) / deviation) ** 2) / 2) if strike > 0 else 0.0
        return {
            "theo_price": _text(self.market.last(option)),
            "iv": f"{volatility(option):.4f}",
            "delta": f"{likely if option.right == 'C' else likely - 1:.4f}",
            "gamma": f"{hump / (spot * deviation * 2.5066):.4f}",
            "vega": f"{spot * hump * math.sqrt(years_left(option)) * 0.4 / 100:.4f}",
            "theta": f"{-spot * hump * volatility(option) / math.sqrt(years_left(option)) / 2000:.4f}",
            "rho": f"{strike * years_left(option) * likely / 100:.4f}",
            "timestamp": _moment(self.market.quoted_at(option)),
        }


_DAY = ("open", "high", "low", "ohlv_date", "cumulative_volume")


def find_instrument(market: Market, name: str) -> Instrument:
    """The instrument a caller names.

    Raises:
        ApiError: 404, there is none.
    """
    instrument = market.instruments.find(name)
    if instrument is None:
        raise ApiError(404, f"Instrument not found for id `{name}`")
    return instrument


def _given(fields: JSON) -> JSON:
    return {name: value for name, value in fields.items() if value is not None}


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:f}"


def _dollars(cents: float) -> str:
    return f"{cents / 100:.2f}"


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")
