"""Omni's wish for a screener, in the words of the endpoint; what has none is set aside."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from omnibot_sandbox.clearstreet.catalog import describe_catalog

from omnibot.clearstreet.models import Catalog, FieldRef, OpenScreener, ScreenerFilter
from omnibot.clearstreet.models.scalars import decode
from omnibot.clearstreet.models.screener import catalog as read_catalog
from omnibot.clearstreet.screener_requests import Filter, find_field, screener_body, screening

CATALOG: Catalog = read_catalog.validate_python(describe_catalog())


def wish(*filters: tuple[str, str, Any], **more: Any) -> OpenScreener:
    return OpenScreener(tuple(ScreenerFilter(*one) for one in filters), **more)


@pytest.mark.parametrize(
    ("said", "filter"),
    [
        (("market_cap", "gte", 10**10), Filter(FieldRef("market_cap"), "GREATER_OR_EQUAL", (Decimal(10**10),))),
        (("Market Cap", ">=", "100.5"), Filter(FieldRef("market_cap"), "GREATER_OR_EQUAL", (Decimal("100.5"),))),
        (("sector", "eq", "Technology"), Filter(FieldRef("sector"), "EQUAL", ("Technology",), any_case=True)),
        (("sector", "in", ["A", "B"]), Filter(FieldRef("sector"), "ONE_OF", ("A", "B"), any_case=True)),
        (("price", "between", [5, 10]), Filter(FieldRef("price"), "BETWEEN", (Decimal(5), Decimal(10)))),
        (("beta", "is_null", None), Filter(FieldRef("beta"), "IS_NULL")),
        (("beta", "LESS_THAN", 1), Filter(FieldRef("beta"), "LESS_THAN", (Decimal(1),))),
        (("change_pct_1w", "<", -5), Filter(FieldRef("change_pct", "ONE_WEEK"), "LESS_THAN", (Decimal(-5),))),
        (("change pct one week", "lt", 0), Filter(FieldRef("change_pct", "ONE_WEEK"), "LESS_THAN", (Decimal(0),))),
        (
            ("earnings_per_share_ttm", "gt", 2),
            Filter(FieldRef("earnings_per_share", None, "TRAILING_TWELVE_MONTHS"), "GREATER_THAN", (Decimal(2),)),
        ),
        (("consensus_rating", "eq", "BUY"), Filter(FieldRef("consensus_rating"), "EQUAL", ("BUY",))),
    ],
)
def test_a_filter_with_a_counterpart_is_translated(said, filter):
    found = screening(wish(said), CATALOG)

    assert (found.filters, found.left_out) == ((filter,), ())


@pytest.mark.parametrize(
    "said",
    [
        ("vibe", "gte", 7),
        ("price", "ne", 7),
        ("price", "feels_like", 7),
        ("price", "between", [5]),
        ("price", "between", 5),
        ("price", "eq", "cheap"),
        ("price", "eq", True),
        ("price", "eq", None),
        ("price", "in", []),
        ("price", "in", [1, {}]),
        ("price", "contains", "1"),
        ("sector", "gt", "A"),
        ("", "eq", 1),
    ],
)
def test_a_filter_without_a_counterpart_is_left_out_and_kept_to_be_shown(said):
    found = screening(wish(said), CATALOG)

    assert (found.filters, found.left_out) == ((), (ScreenerFilter(*said),))


def test_columns_and_order_are_translated_and_the_unknown_ones_named():
    found = screening(
        wish(columns=("symbol", "Change", "vibe"), sort_by="mood", sort_direction="asc", page_size=5), CATALOG
    )

    assert found.columns == (FieldRef("symbol"), FieldRef("change_pct"))
    assert (found.sort, found.descending, found.unknown_fields) == (None, False, ("vibe", "mood"))


def test_without_a_catalog_omnis_names_are_taken():
    found = screening(wish(("Market Cap", "gte", "5"), ("sector", "eq", "Energy"), sort_by="volume"), None)

    assert [one.field.name for one in found.filters] == ["market_cap", "sector"]
    # Nobody says that it is a number, so it stays what Omni said.
    assert found.filters[0].values == ("5",)
    assert found.sort == FieldRef("volume")
    assert find_field("!?", None) is None


def test_the_body_says_no_more_than_it_must():
    assert screener_body(screening(wish(), CATALOG)) == {}
    wanted = screening(
        wish(
            ("change_pct_1w", "between", [decode(b"-2.5"), 2.50]),
            ("sector", "contains", "tech"),
            ("beta", "is_not_null", None),
            columns=("symbol",),
            sort_by="market_cap",
            page_size=0,
        ),
        CATALOG,
    )

    assert screener_body(wanted, page_size=25) == {
        "filters": [
            {
                "left": {"name": "change_pct", "lookback": "ONE_WEEK"},
                "op": {"name": "BETWEEN"},
                "right": [{"value": -2.5}, {"value": 2.5}],
            },
            {
                "left": {"name": "sector"},
                "op": {"name": "CONTAINS", "args": ["CASE_INSENSITIVE"]},
                "right": [{"value": "tech"}],
            },
            {"left": {"name": "beta"}, "op": {"name": "IS_NOT_NULL"}},
        ],
        "columns": [{"name": "symbol"}],
        "sorts": [{"field": {"name": "market_cap"}, "direction": "DESC"}],
        "page_size": 25,
    }
    assert "page_size" not in screener_body(wanted)
