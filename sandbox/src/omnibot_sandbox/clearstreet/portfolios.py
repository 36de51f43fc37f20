"""What accounts hold: cash and positions, which fills change; and balances computed from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from omnibot_sandbox.clearstreet.bodies import read_integer
from omnibot_sandbox.clearstreet.errors import ApiError
from omnibot_sandbox.clearstreet.instruments import Instrument
from omnibot_sandbox.clearstreet.market import Market
from omnibot_sandbox.clearstreet.paging import cut
from omnibot_sandbox.clearstreet.revision import JSON, Revision
from omnibot_sandbox.clearstreet.visits import Answer, Handler, Visit

_PAGE_SIZE = 1000
_CENT = Decimal("0.01")
#: What one begins with: symbol, quantity, average price.
_MAIN = (
    ("AAPL", "120", "212.40"),
    ("MSFT", "40", "431.15"),
    ("NVDA", "85.5", "121.06"),
    ("AMD", "-60", "263.90"),
    ("AAPL 280121C00300000", "3", "28.50"),
)
_SORTS = {
    "SYMBOL": "symbol",
    "INSTRUMENT_TYPE": "instrument_type",
    "POSITION_TYPE": "position_type",
    "QUANTITY": "quantity",
    "MARKET_VALUE": "market_value",
    "UNREALIZED_PNL": "unrealized_pnl",
    "DAILY_UNREALIZED_PNL": "daily_unrealized_pnl",
    "DAILY_REALIZED_PNL": "daily_realized_pnl",
}


@dataclass(slots=True)
class Holding:
    """One position; the quantity is negative when it is short."""

    instrument: Instrument
    quantity: Decimal
    average: Decimal
    realized: Decimal = Decimal(0)


@dataclass(slots=True)
class Portfolio:
    """One account's cash and positions."""

    cash: Decimal
    holdings: dict[str, Holding] = field(default_factory=dict)

    def quantity(self, instrument: Instrument) -> Decimal:
        """How much of it the account holds."""
        holding = self.holdings.get(instrument.symbol)
        return holding.quantity if holding else Decimal(0)

    def fill(self, instrument: Instrument, quantity: Decimal, price: Decimal) -> None:
        """Book a trade; a sale has a negative quantity."""
        self.cash -= quantity * price * instrument.multiplier
        holding = self.holdings.setdefault(instrument.symbol, Holding(instrument, Decimal(0), price))
        before, after = holding.quantity, holding.quantity + quantity
        if before * quantity < 0:
            closed = min(abs(before), abs(quantity)) * (1 if before > 0 else -1)
            holding.realized += closed * (price - holding.average) * instrument.multiplier
            if before * after < 0:
                holding.average = price
        elif after:
            holding.average = (holding.average * before + price * quantity) / after
        holding.quantity = after

    @property
    def open(self) -> list[Holding]:
        """The positions that are not nought."""
        return [holding for holding in self.holdings.values() if holding.quantity]


class Portfolios:
    """What one can ask about what accounts hold."""

    def __init__(
        self, market: Market, exists: Callable[[int], bool], tied_up: Callable[[int], Decimal] = lambda _: Decimal(0)
    ) -> None:
        self.market = market
        self._exists = exists
        #: Buying power that an account's open orders use.
        self.tied_up = tied_up
        self._by_account: dict[int, Portfolio] = {}

    @property
    def routes(self) -> dict[str, Handler]:
        """The endpoints by method and path."""
        return {
            "GET /v1/accounts/{account_id}/balances": self.get_balances,
            "GET /v1/accounts/{account_id}/positions": self.list_positions,
        }

    def of(self, account_id: int) -> Portfolio:
        """An account's portfolio: the main demo account has positions, all others a hundred thousand dollars."""
        if account_id not in self._by_account:
            main = account_id == 19816
            self._by_account[account_id] = Portfolio(Decimal("84210.55") if main else Decimal(100_000))
            for symbol, quantity, average in _MAIN if main else ():
                self.hold(account_id, symbol, quantity, average)
        return self._by_account[account_id]

    def hold(self, account_id: int, symbol: str, quantity: str | Decimal, average: str | Decimal) -> None:
        """Let an account hold this much of it, without having bought it."""
        instrument = self.market.instruments.find(symbol)
        if instrument is None:
            raise LookupError(f"no instrument {symbol}")
        self.of(account_id).holdings[instrument.symbol] = Holding(instrument, Decimal(quantity), Decimal(average))

    def buying_power(self, account_id: int, *, margin: bool) -> Decimal:
        """What the account can still spend."""
        portfolio = self.of(account_id)
        if not margin:
            return portfolio.cash - self.tied_up(account_id)
        long, short = self._values(portfolio)
        excess = portfolio.cash + long + short - _requirement(long, short)
        return excess * 2 - self.tied_up(account_id)

    def get_balances(self, visit: Visit) -> Answer:
        """What an account is worth and can spend."""
        account = self._account(visit)
        top = read_integer(visit.query, "top_margin_contributors_limit")
        return Answer(self._balances(account, visit.revision, top), {}, explicit=True)

    def list_positions(self, visit: Visit) -> Answer:
        """Everything an account holds."""
        account_id = self._account(visit)["id"]
        rows = [self._position(account_id, holding, visit.revision) for holding in self.of(account_id).open]
        wanted = {name for name in visit.query.get("instrument_ids", "").split(",") if name}
        found = [row for row in rows if not wanted or wanted & {row["instrument_id"], row["symbol"]}]
        page, metadata = cut(
            _sorted(found, visit.query), visit.query, _PAGE_SIZE, newest_first=False, nulls=True, largest=_PAGE_SIZE
        )
        nulls = visit.revision.explicit_nulls
        return Answer(page, metadata if nulls else _given(metadata), explicit=True)

    def table(self, account_id: int) -> list[str]:
        """The positions as the rows of a markdown table, for texts."""
        rows = []
        for holding in self.of(account_id).open:
            value = self._value(holding)
            gain = value - holding.quantity * holding.average * holding.instrument.multiplier
            sign = "+" if gain >= 0 else "−"
            rows.append(
                f"| {holding.instrument.symbol} | {holding.quantity:f} | ${holding.average:,.2f} | {_usd(value)} "
                f"| {sign}${abs(gain):,.2f} |"
            )
        return rows

    def _account(self, visit: Visit) -> JSON:
        account_id = visit.account_in_path()
        if not self._exists(account_id):
            raise ApiError(404, "Some requested entity was not found")
        visit.allow(account_id)
        return next(account for account in visit.accounts if account["id"] == account_id)

    def _value(self, holding: Holding) -> Decimal:
        return holding.quantity * self.market.last(holding.instrument) * holding.instrument.multiplier

    def _values(self, portfolio: Portfolio) -> tuple[Decimal, Decimal]:
        values = [self._value(holding) for holding in portfolio.open]
        return sum((v for v in values if v > 0), Decimal(0)), sum((v for v in values if v < 0), Decimal(0))

    def _balances(self, account: JSON, revision: Revision, top: int | None) -> JSON:
        account_id, margin = account["id"], account.get("subtype") != "CASH"
        portfolio = self.of(account_id)
        long, short = self._values(portfolio)
        equity, cash = portfolio.cash + long + short, portfolio.cash
        realized = sum((holding.realized for holding in portfolio.holdings.values()), Decimal(0))
        unrealized = sum((self._gain(holding) for holding in portfolio.open), Decimal(0))
        today = sum((self._gain_today(holding) for holding in portfolio.open), Decimal(0))
        power = self.buying_power(account_id, margin=margin)
        sod: JSON = {
            "asof": datetime.now(UTC).date().isoformat(),
            "buying_power": _money(power + self.tied_up(account_id)),
            "equity": _money(equity - today - realized),
            "long_market_value": _money(long),
            "short_market_value": _money(short),
            "trade_cash": _money(cash),
        }
        out: JSON = {
            "account_id": account_id,
            "buying_power": _money(power),
            "currency": "USD",
            "daily_realized_pnl": _money(realized),
            "daily_unrealized_pnl": _money(today),
            "equity": _money(equity),
            "long_market_value": _money(long),
            "short_market_value": _money(short),
            "margin_type": "REG_T" if margin else "NONE",
            "open_order_adjustment": _money(-self.tied_up(account_id)),
            "settled_cash": _money(cash),
            "sod": sod,
            "trade_cash": _money(cash),
            "unsettled_credits": "0.00",
            "unsettled_debits": "0.00",
            "withdrawable_cash": _money(max(cash - self.tied_up(account_id), Decimal(0))),
        }
        if margin:
            out |= {"multiplier": "2", "margin_details": self._margin(account_id, revision, top)}
        elif revision.explicit_nulls:
            out |= {"multiplier": None, "margin_details": None}
        if revision.one_sided_quotes:
            change = {"daily_change": _money(today + realized), "daily_pnl": _money(today + realized)}
            return {**out, **change, "unrealized_pnl": _money(unrealized)}
        return {**out, "daily_total_pnl": _money(today + realized)}

    def _margin(self, account_id: int, revision: Revision, top: int | None) -> JSON:
        portfolio = self.of(account_id)
        long, short = self._values(portfolio)
        equity, maintenance = portfolio.cash + long + short, _requirement(long, short)
        initial = (long - short) / 2
        out: JSON = {
            "initial_margin_excess": _money(equity - initial),
            "initial_margin_requirement": _money(initial),
            "maintenance_margin_excess": _money(equity - maintenance),
            "maintenance_margin_requirement": _money(maintenance),
            "usage": {"total": _money(equity), "used": _money(maintenance)},
        }
        if not revision.one_sided_quotes:
            return {**out, "day_trade_count": 0, "pattern_day_trader": False}
        session = {"buying_power": _money(self.buying_power(account_id, margin=True)), "multiplier": "2"}
        out |= {"intraday_details": session, "overnight_details": dict(session)}
        if revision.extended:
            out |= {
                "overnight_margin_excess": _money(equity - initial),
                "overnight_margin_requirement": _money(initial),
                "top_contributors": None,
            }
        if top:
            largest = sorted(portfolio.open, key=lambda one: abs(self._value(one)), reverse=True)[:top]
            out["top_contributors"] = [self._contributor(holding, revision) for holding in largest]
        return out

    def _contributor(self, holding: Holding, revision: Revision) -> JSON:
        value = self._value(holding)
        out = {
            "initial_margin_requirement": _money(abs(value) / 2),
            "maintenance_margin_requirement": _money(abs(value) / 4),
            "market_value": _money(value),
            "underlying_instrument_id": (holding.instrument.underlying or holding.instrument).id,
        }
        return {**out, "overnight_margin_requirement": _money(abs(value) / 2)} if revision.extended else out

    def _gain(self, holding: Holding) -> Decimal:
        return self._value(holding) - holding.quantity * holding.average * holding.instrument.multiplier

    def _gain_today(self, holding: Holding) -> Decimal:
        before = self.market.previous_close(holding.instrument)
        return self._value(holding) - holding.quantity * before * holding.instrument.multiplier

    def _position(self, account_id: int, holding: Holding, revision: Revision) -> JSON:
        instrument, value = holding.instrument, self._value(holding)
        cost, gain, today = value - self._gain(holding), self._gain(holding), self._gain_today(holding)
        out: JSON = {
            "account_id": account_id,
            "available_quantity": f"{abs(holding.quantity):f}",
            "avg_price": _money(holding.average),
            "closing_price": f"{self.market.previous_close(instrument):f}",
            "closing_price_date": (datetime.now(UTC) - timedelta(days=1)).date().isoformat(),
            "cost_basis": _money(cost),
            "daily_unrealized_pnl": _money(today),
            "daily_unrealized_pnl_pct": _percent(today, value - today),
            "instrument_id": instrument.id,
            "instrument_price": f"{self.market.last(instrument):f}",
            "instrument_type": instrument.type,
            "market_value": _money(value),
            "position_type": "LONG" if holding.quantity > 0 else "SHORT",
            "quantity": f"{holding.quantity:f}",
            "symbol": instrument.symbol.replace(" ", ""),
            "unrealized_pnl": _money(gain),
            "unrealized_pnl_pct": _percent(gain, cost),
        }
        if revision.one_sided_quotes:
            out["daily_realized_pnl"] = _money(holding.realized)
        if instrument.underlying is not None:
            out["underlying_instrument_id"] = instrument.underlying.id
        if revision.explicit_nulls:
            underlying = instrument.underlying
            out["underlying_instrument_type"] = None if underlying is None else underlying.type
            out.setdefault("underlying_instrument_id", None)
        return out


def _sorted(rows: list[JSON], query: dict[str, str]) -> list[JSON]:
    by = query.get("sort_by")
    if by is None:
        return rows
    if by not in _SORTS:
        raise ApiError(400, f"Failed to deserialize query string: unknown variant `{by}`")
    name = _SORTS[by]
    words = name in ("symbol", "instrument_type", "position_type")
    descending = query.get("sort_direction", "ASC") == "DESC"
    return sorted(rows, key=lambda row: row[name] if words else Decimal(row.get(name, "0")), reverse=descending)


def _requirement(long: Decimal, short: Decimal) -> Decimal:
    return long * Decimal("0.25") - short * Decimal("0.30")


def _percent(part: Decimal, whole: Decimal) -> str:
    return f"{part / abs(whole) * 100:.2f}" if whole else "0.00"


def _money(amount: Decimal) -> str:
    return f"{amount.quantize(_CENT):f}"


def _usd(amount: Decimal) -> str:
    return f"{'−' if amount < 0 else ''}${abs(amount):,.2f}"


def _given(fields: JSON) -> JSON:
    return {name: value for name, value in fields.items() if value is not None}
