"""The screener: instruments that pass filters, in the columns and the order asked for."""

from __future__ import annotations

from omnibot_sandbox.clearstreet.catalog import DEFAULT_COLUMNS, FIELDS, LOOKBACKS, Value, describe_catalog
from omnibot_sandbox.clearstreet.errors import ApiError
from omnibot_sandbox.clearstreet.instruments import Instrument
from omnibot_sandbox.clearstreet.market import Market
from omnibot_sandbox.clearstreet.paging import cut
from omnibot_sandbox.clearstreet.revision import JSON, Revision
from omnibot_sandbox.clearstreet.screener_bodies import read_search
from omnibot_sandbox.clearstreet.screener_filters import Column, Condition, rank, read_column, read_condition
from omnibot_sandbox.clearstreet.visits import Answer, Handler, Visit, answer

_PAGE_SIZE = 100
_LARGEST = 1000
_TYPES = {"CURRENCY": "CURR_USD", "PERCENT": "PERCENT"}


class Screener:
    """What one can ask the screener."""

    def __init__(self, market: Market) -> None:
        self.market = market

    @property
    def routes(self) -> dict[str, Handler]:
        """The endpoints by method and path."""
        return {"GET /v1/screener/catalog": self.get_catalog, "POST /v1/screener": self.search}

    def get_catalog(self, visit: Visit) -> Answer:
        """All fields and operators."""
        if not visit.revision.catalog:
            raise ApiError(404)
        return answer(describe_catalog())

    def search(self, visit: Visit) -> Answer:
        """The instruments that pass all filters."""
        if not visit.revision.screener:
            raise ApiError(404)
        body = read_search(visit.raw)
        conditions = [read_condition(one) for one in body.get("filters", [])]
        columns = [read_column(one) for one in body.get("columns") or []] or _default_columns()
        found = [one for one in self.market.instruments.listed if self._passes(one, conditions)]
        for sort in reversed(body.get("sorts", [])):
            found = self._sorted(found, sort, minding_case=body.get("sort_case_sensitive") is True)
        query: dict[str, str] = {name: str(body[name]) for name in ("page_size", "page_token") if name in body}
        page, metadata = cut(found, query, _PAGE_SIZE, newest_first=False, nulls=True, largest=_LARGEST)
        if not visit.revision.explicit_nulls:
            metadata = {name: value for name, value in metadata.items() if value is not None}
        return answer([[self._cell(one, column, visit.revision) for column in columns] for one in page], metadata)

    def _passes(self, instrument: Instrument, conditions: list[Condition]) -> bool:
        def value(column: Column) -> Value:
            return self._value(instrument, column)

        return all(condition.holds(value) for condition in conditions)

    def _value(self, instrument: Instrument, column: Column) -> Value:
        field, axis = column
        return field.read(self.market, instrument, axis)

    def _sorted(self, found: list[Instrument], sort: JSON, *, minding_case: bool) -> list[Instrument]:
        column = read_column(sort["field"])
        known = [(self._value(one, column), one) for one in found]
        gaps = [one for value, one in known if value is None]
        ranked = [(rank(column[0], value, minding_case=minding_case), one) for value, one in known if value is not None]
        ranked.sort(key=lambda pair: pair[0], reverse=sort.get("direction", "DESC") == "DESC")
        return [*(one for _, one in ranked), *gaps]

    def _cell(self, instrument: Instrument, column: Column, revision: Revision) -> JSON:
        field, axis = column
        reference: JSON = {"name": field.name}
        if axis is not None:
            reference["lookback" if axis in LOOKBACKS else "period"] = axis
        cell: JSON = {"field": reference, "name": field.heading(axis), "value": self._value(instrument, column)}
        shown_as = _TYPES.get(field.format)
        return {**cell, "type": shown_as} if shown_as or revision.explicit_nulls else cell


def _default_columns() -> list[Column]:
    return [(FIELDS[name], axis) for name, axis in DEFAULT_COLUMNS]
