"""The screener: filters that filter, columns, order, pages, and the catalog that describes it all."""

import pytest
from omnibot_sandbox.clearstreet.catalog import FIELDS

from sandbox.tests.clearstreet.conftest import new, old, oldest

any_one = pytest.mark.parametrize("revision", ["2026-08"])


def where(field, operator=None, *values, args=(), **axis):
    right = {"right": [value if isinstance(value, dict) else {"value": value} for value in values]} if values else {}
    op = {"op": {"name": operator, **({"args": list(args)} if args else {})}} if operator else {}
    return {"left": {"name": field, **axis}, **op, **right}


async def search(call, *filters, columns=("symbol",), **body):
    columns = [{"name": one} if isinstance(one, str) else one for one in columns]
    status, answer = await call("POST", "/screener", json={"filters": list(filters), "columns": columns, **body})
    assert status == 200, answer
    return [tuple(cell["value"] for cell in row) for row in answer["data"]]


@any_one
class TestFilters:
    @pytest.mark.parametrize(
        ("conditions", "found"),
        [
            ([where("sector", "EQUAL", "UTILITIES")], ["NEE"]),
            ([where("sector", "EQUAL", "utilities")], []),
            ([where("sector", "EQUAL", "utilities", args=["CASE_INSENSITIVE"])], ["NEE"]),
            ([where("price", "GREATER_THAN", 900)], ["COST", "LLY", "SPX"]),
            ([where("price", "gt", 900), where("sector", "IS_NOT_NULL")], ["COST", "LLY"]),
            ([where("price", "BETWEEN", 3, 14)], ["F", "OLDC"]),
            ([where("beta", "BETWEEN", 0.38, 0.39)], ["JNJ", "KO"]),
            ([where("beta", "BETWEEN", 0.38, 0.39, args=["LEFT_EXCLUSIVE"])], ["JNJ"]),
            ([where("beta", "BETWEEN", 0.38, 0.39, args=["RIGHT_EXCLUSIVE"])], ["KO"]),
            ([where("price", "NOT_BETWEEN", 1, 1000)], ["LLY", "PENY", "SPX"]),
            ([where("symbol", "ONE_OF", "KO", "PG", "NOPE")], ["KO", "PG"]),
            ([where("symbol", "BEGINS_WITH", "GO")], ["GOOGL"]),
            ([where("name", "ENDS_WITH", "plc")], ["LIN"]),
            ([where("name", "CONTAINS", "oogl")], []),
            ([where("name", "CONTAINS", "STREET", args=["CASE_INSENSITIVE"])], []),
            ([where("name", "REGEX", r"^The \w+ Company$")], ["BA"]),
            ([where("name", "REGEX", r"^the \w+ company$", args=["CASE_INSENSITIVE"])], ["BA"]),
            ([where("consensus_rating", "LESS_THAN", "HOLD")], ["GME"]),
            ([where("sector", "IS_NULL")], ["QQQ", "SPX", "SPY"]),
            ([where("beta", "LESS_THAN", 0)], ["GME"]),
            ([where("sector")], None),
            ([where("market_cap", "LESS_OR_EQUAL", 200_000_000)], ["OLDC"]),
            ([where("dividend_yield", "GREATER_OR_EQUAL", 6.78)], ["PFE"]),
        ],
    )
    async def test_a_filter_lets_through_what_it_says(self, call, omni, conditions, found):
        omni.market.wandering = False
        rows = [symbol for (symbol,) in await search(call, *conditions)]

        assert sorted(rows) == found if found is not None else len(rows) == 51

    async def test_windows_and_periods_are_fields_of_their_own(self, call):
        rows = await search(
            call,
            where("earnings_per_share", "GREATER_THAN", 0, period="QUARTER"),
            columns=[
                "symbol",
                {"name": "earnings_per_share", "period": "QUARTER"},
                {"name": "earnings_per_share", "period": "ANNUAL"},
                {"name": "change_pct", "lookback": "ONE_WEEK"},
            ],
        )

        assert all(quarter < year for _, quarter, year, _ in rows)
        assert len({change for *_, change in rows}) > 40

    async def test_a_value_may_be_a_variable(self, call):
        def variable(name, op="ADD", *args):
            return {"variable": {"name": name, **({"modifier": {"name": op, "args": list(args)}} if args else {})}}

        soon = await search(
            call, where("next_earnings_date", "BETWEEN", variable("today"), variable("today", "ADD", 2, "WEEK"))
        )
        ever = await search(call, where("next_earnings_date", "GREATER_OR_EQUAL", variable("start_of_year")))
        past = await search(call, where("next_earnings_date", "LESS_THAN", variable("today", "SUBTRACT", 1, "MONTH")))
        dear = await search(call, where("price", "GREATER_THAN", variable("pe_ratio", "ADD", 800)))

        assert 0 < len(soon) < len(ever) == 48
        assert past == []
        assert sorted(dear) == [("COST",), ("LLY",)]

    @pytest.mark.parametrize(
        ("condition", "said"),
        [
            (where("vibe", "EQUAL", 1), "Unknown field `vibe`"),
            (where("price", "ROUGHLY", 1), "Unknown operator `ROUGHLY`"),
            (where("price", "CONTAINS", "1"), "Operator `CONTAINS` is not valid for field `price`"),
            (where("price", "BETWEEN", 1), "Operator `BETWEEN` does not take 1 values"),
            (where("price", "EQUAL", "cheap"), "Value `cheap` does not fit"),
            (where("next_earnings_date", "EQUAL", "soon"), "Value `soon` does not fit"),
            (where("consensus_rating", "EQUAL", "GREAT"), "Value `GREAT` does not fit"),
            (where("name", "REGEX", "("), "Value `(` does not fit"),
            (where("beta", "EQUAL", 1, lookback="ONE_DAY"), "Field `beta` is not available for `ONE_DAY`"),
            (where("price", "EQUAL", {"variable": {"name": "moon"}}), "Unknown variable `moon`"),
            (where("price", "EQUAL", 1, args=["LOUDLY"]), "Unknown operator argument `LOUDLY`"),
            ({**where("price"), "right": [{"value": 1}]}, "`op` and `right` must be given together"),
        ],
    )
    async def test_a_filter_that_means_nothing_is_400(self, call, condition, said):
        status, answer = await call("POST", "/screener", json={"filters": [condition]})

        assert status == 400
        assert answer["error"]["message"].startswith(said)

    @pytest.mark.parametrize(
        ("body", "said"),
        [
            ({"sort_by": "price"}, "unknown field `sort_by` at line"),
            ({"filters": [{"field": "price"}]}, "filters: missing field `left`"),
            ({"filters": [{"left": {"name": "price"}, "operator": "gt"}]}, "filters: unknown field `operator`"),
            ({"sorts": [{"field": {"name": "price"}, "direction": "UP"}]}, "sorts: unknown variant `UP`"),
            ({"columns": ["price"]}, "columns: invalid type"),
            ({"sort_case_sensitive": "no"}, "sort_case_sensitive: invalid type"),
            ({"filters": [where("price", "EQUAL", True)]}, "filters: invalid type: boolean `true`"),
        ],
    )
    async def test_a_body_of_the_wrong_shape_is_422(self, call, body, said):
        status, answer = await call("POST", "/screener", json=body)

        assert status == 422
        assert f": {said}" in answer["error"]["message"]


class TestResults:
    @any_one
    async def test_without_columns_the_default_ones_come(self, call):
        _, answer = await call("POST", "/screener", json={"page_size": 1})
        [row] = answer["data"]

        assert [cell["name"] for cell in row] == [
            "Symbol",
            "Name",
            "Price",
            "Change (1D)",
            "Volume",
            "Market Cap",
            "Sector",
        ]
        assert row[3]["field"] == {"name": "change_pct", "lookback": "ONE_DAY"}
        assert [cell.get("type") for cell in row] == [None, None, "CURR_USD", "PERCENT", None, "CURR_USD", None]

    @any_one
    async def test_rows_come_in_the_order_asked_for_with_gaps_last(self, call, omni):
        omni.market.wandering = False
        by_beta = await search(call, columns=["beta"], sorts=[{"field": {"name": "beta"}}])
        by_two = await search(
            call,
            columns=["sector", "price"],
            sorts=[
                {"field": {"name": "sector"}, "direction": "ASC"},
                {"field": {"name": "price"}, "direction": "DESC"},
            ],
        )

        assert by_beta[0] == (2.21,)
        assert by_beta[-4:] == [(-0.52,), *[(None,)] * 3]
        sectors = [sector for sector, _ in by_two if sector]
        assert sectors == sorted(sectors)
        technology = [price for sector, price in by_two if sector == "TECHNOLOGY"]
        assert technology == sorted(technology, reverse=True)

    @any_one
    async def test_results_come_in_pages(self, call):
        _, first = await call("POST", "/screener", json={"page_size": 30, "columns": [{"name": "symbol"}]})
        token = first["metadata"]["next_page_token"]
        _, second = await call("POST", "/screener", json={"page_token": token, "columns": [{"name": "symbol"}]})

        symbols = [row[0]["value"] for row in first["data"] + second["data"]]
        assert (len(first["data"]), len(set(symbols))) == (30, 51)
        assert second["metadata"].get("next_page_token") is None

    @any_one
    async def test_prices_are_the_markets(self, call, omni):
        omni.market.move("KO", "99.50")

        assert await search(call, where("symbol", "EQUAL", "KO"), columns=["price"]) == [(99.5,)]

    @oldest
    async def test_the_oldest_revision_has_no_screener(self, call):
        assert (await call("POST", "/screener", json={}))[0] == 404


@new
async def test_the_catalog_describes_every_field_and_only_what_works(call):
    _, answer = await call("GET", "/screener/catalog")
    catalog = answer["data"]
    fields, kinds = catalog["fields"], catalog["kinds"]

    assert fields["name"] == list(FIELDS)
    assert len({len(column) for column in fields.values()}) == 1
    assert len(kinds) == len({str(kind) for kind in kinds})
    for name, kind in zip(fields["name"], fields["kind"], strict=True):
        combinations = kinds[kind]["combinations"]
        assert kinds[kind]["default_combination"] in combinations
        rows = await search(call, columns=[{"name": name, **one} for one in combinations], page_size=1)
        assert len(rows[0]) == len(combinations)
        assert kinds[kind]["value_type"] in catalog["operators_by_value_type"]


@old
async def test_older_revisions_have_no_catalog(call):
    assert (await call("GET", "/screener/catalog"))[0] == 404
