"""Orders: what is accepted, what is refused and why, and how orders are found."""

import asyncio
from datetime import UTC, datetime

import aiohttp
import pytest

from sandbox.tests.clearstreet.conftest import MAIN, OTHER, new, old
from sandbox.tests.clearstreet.ordering import LIMIT, ORDERS, listed, look, place, until

any_one = pytest.mark.parametrize("revision", ["2026-08"])


@pytest.fixture
def omni(omni):
    """Prices stand still: what fills and what does not shall not be a matter of luck."""
    omni.market.wandering = False
    return omni


class TestAcceptance:
    async def test_an_order_is_accepted_and_echoes_its_client_id(self, call, revision):
        order = await place(call, id="ours-1")

        assert (order["client_order_id"], order["status"], order["filled_quantity"]) == ("ours-1", "PENDING_NEW", "0")
        assert (order["quantity"], order["leaves_quantity"], order["limit_price"]) == ("10", "10", "250.00")
        assert order["created_at"].endswith("000Z")
        assert ("strategy" in order) == (revision == "2026-10")

    async def test_an_order_without_a_client_id_gets_one(self, call):
        order = await place(call)

        assert order["client_order_id"] == order["id"]

    @any_one
    async def test_a_client_id_is_good_for_one_order_for_ever(self, call, omni):
        omni.order_plans["*"] = "fill"
        first = await place(call, id="once")
        await until(call, first["id"], "FILLED")

        status, answer = await call("POST", ORDERS, json=[{**LIMIT, "id": "once"}])

        assert (status, answer["error"]["message"]) == (409, f"Order once already exists for account {MAIN}")
        assert [order["id"] for order in await listed(call)] == [first["id"]]
        other = await place(call, OTHER, id="once")
        assert other["account_id"] == OTHER

    @any_one
    async def test_of_several_orders_all_are_accepted_or_none(self, call):
        good = [{**LIMIT, "id": "a"}, {**LIMIT, "id": "b"}]
        status, answer = await call("POST", ORDERS, json=[*good, {**LIMIT, "limit_price": "1.001"}])
        assert (status, await listed(call)) == (400, [])
        assert (await call("POST", ORDERS, json=[good[0], good[0]]))[0] == 409
        assert (await listed(call)) == []

        status, answer = await call("POST", ORDERS, json=good)

        assert (status, [order["client_order_id"] for order in answer["data"]]) == (200, ["a", "b"])

    async def test_orders_speak_their_revisions_words(self, call, revision):
        words = {"2026-10": {"time_in_force": "AT_OPEN", "side": "SELL", "position_intent": "OPEN"}}.get(
            revision, {"time_in_force": "AT_THE_OPENING", "side": "SELL_SHORT"}
        )

        order = await place(call, symbol="TSLA", limit_price="500.00", **words)

        assert {name: order[name] for name in ("time_in_force", "side")} == {
            name: words[name] for name in ("time_in_force", "side")
        }

    async def test_words_of_another_revision_are_refused(self, call, revision):
        other = {"time_in_force": "AT_THE_OPENING"} if revision == "2026-10" else {"time_in_force": "AT_OPEN"}

        status, answer = await call("POST", ORDERS, json=[{**LIMIT, **other}])

        assert status == 422
        assert "[0]: time_in_force: unknown variant" in answer["error"]["message"]

    async def test_an_option_is_an_order_of_contracts(self, call, revision):
        effect = {"position_effect": "OPEN"} if revision == "2026-04" else {}
        option = {"symbol": "AAPL  280121C00300000", "limit_price": "1.00", "quantity": "2", **effect}

        order = await place(call, **option)

        assert (order["symbol"], order["instrument_type"]) == ("AAPL 280121C00300000", "OPTION")
        assert order["underlying_instrument_id"]
        if revision == "2026-04":
            assert (await call("POST", ORDERS, json=[{**LIMIT, **option, "position_effect": None}]))[0] == 400

    @new
    async def test_a_strategy_is_kept_and_held_to_its_rules(self, call):
        order = await place(call, strategy={"type": "VWAP"})
        assert order["strategy"] == {"type": "VWAP"}

        for wrong in ({"type": "DMA"}, {"type": "HOPE"}, {}):
            assert (await call("POST", ORDERS, json=[{**LIMIT, "strategy": wrong}]))[0] in (400, 422)
        late = {**LIMIT, "strategy": {"type": "TWAP"}, "time_in_force": "GOOD_TILL_CANCEL"}
        assert (await call("POST", ORDERS, json=[late]))[0] == 400


@any_one
class TestRefusals:
    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"quantity": "0"}, "Order quantity must be greater than zero"),
            ({"limit_price": None}, "limit_price is required for LIMIT orders"),
            ({"order_type": "STOP"}, "stop_price is required for STOP orders"),
            ({"order_type": "TRAILING_STOP"}, "trailing_offset is required for TRAILING_STOP orders"),
            ({"symbol": None}, "Either symbol or instrument_id must be provided"),
            ({"symbol": "ZZZZ"}, "Instrument not found for symbol `ZZZZ`"),
            ({"symbol": "SPX"}, "Instrument SPX is not tradable"),
            ({"id": "x" * 65}, "id must be between 1 and 64 characters"),
            ({"time_in_force": "GOOD_TILL_DATE"}, "expires_at is required when time_in_force is GOOD_TILL_DATE"),
            ({"order_type": "MARKET", "limit_price": None, "extended_hours": True}, "MARKET orders are not allowed"),
            ({"symbol": "AAPL 280121C00300000", "quantity": "1.5"}, "Order quantity must be a whole number"),
            ({"side": "OTHER"}, "side OTHER cannot be ordered"),
        ],
    )
    async def test_an_order_that_makes_no_sense_is_400(self, call, changes, said):
        body = {name: value for name, value in {**LIMIT, **changes}.items() if value is not None}

        status, answer = await call("POST", ORDERS, json=[body])

        assert status == 400
        assert answer["error"]["message"].startswith(said)
        assert await listed(call) == []

    @pytest.mark.parametrize(
        ("sent", "status", "said"),
        [
            ({"json": [{"symbol": "AAPL"}]}, 422, "[0]: missing field `order_type`"),
            ({"json": [LIMIT, {**LIMIT, "quantity": 10}]}, 422, "[1]: quantity: invalid type: integer `10`"),
            ({"json": [{**LIMIT, "quantity": "ten"}]}, 422, "[0]: quantity: invalid value"),
            ({"json": [{**LIMIT, "quantitty": "1"}]}, 422, "[0]: unknown field `quantitty`"),
            ({"json": [{**LIMIT, "expires_at": "soon"}]}, 422, "[0]: expires_at: premature end of input"),
            ({"json": LIMIT}, 422, "invalid type: map, expected a sequence"),
            ({"json": ["AAPL"]}, 422, "[0]: invalid type"),
            ({"json": []}, 400, "At least one order is required"),
            ({"data": "["}, 400, "Failed to parse the request body as JSON"),
        ],
    )
    async def test_a_body_of_the_wrong_shape_is_refused(self, call, sent, status, said):
        answered, answer = await call("POST", ORDERS, **sent)

        assert answered == status
        assert said in answer["error"]["message"]

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"quantity": "100000"}, "BUYING_POWER"),
            ({"limit_price": "250.005"}, "INVALID_TICK_SIZE"),
            ({"symbol": "OLDC", "limit_price": "4.00"}, "LIQUIDATION_ONLY"),
            ({"symbol": "GME", "side": "SELL_SHORT", "limit_price": "30.00"}, "INSUFFICIENT_LOCATE_INVENTORY"),
            ({"symbol": "PENY", "side": "SELL", "limit_price": "0.5000"}, "UNSUPPORTED_SECURITY"),
        ],
    )
    async def test_a_risk_refusal_says_its_code_twice(self, call, changes, code):
        status, answer = await call("POST", ORDERS, json=[{**LIMIT, **changes}])
        violation, info = answer["error"]["details"]

        assert (status, answer["error"]["message"]) == (400, "Risk check failed")
        assert (violation["type"], info["reason"]) == (code, code)
        assert info["domain"] == "com.clearstreet.oems.risk"
        assert violation["subject"] == f"order:{info['metadata']['order_id']}"

    async def test_an_account_without_options_may_not_trade_them(self, call, omni):
        omni.keys["demo-key"][0] = {**omni.keys["demo-key"][0], "options_level": 0}
        body = {**LIMIT, "symbol": "AAPL 280121C00300000", "limit_price": "1.00"}

        _, answer = await call("POST", ORDERS, json=[body])

        assert answer["error"]["details"][0]["type"] == "OPTIONS_LEVEL_EXCEEDED"

    async def test_own_orders_must_not_meet(self, call, omni):
        omni.order_plans["*"] = "never"
        await place(call, limit_price="260.00")

        status, answer = await call("POST", ORDERS, json=[{**LIMIT, "side": "SELL", "limit_price": "255.00"}])

        assert (status, answer["error"]["details"][0]["type"]) == (400, "SELF_MATCH")
        await place(call, side="SELL", limit_price="265.00")

    async def test_a_plan_can_refuse(self, call, omni):
        omni.order_plans["TSLA"] = "refuse:BUYING_POWER"
        omni.order_plans["busy"] = {"refuse": {"code": "OVERLOADED", "status": 503, "message": "Try again later"}}

        status, answer = await call("POST", ORDERS, json=[{**LIMIT, "symbol": "TSLA"}])
        assert (status, answer["error"]["details"][1]["reason"]) == (400, "BUYING_POWER")
        status, answer = await call("POST", ORDERS, json=[{**LIMIT, "id": "busy"}])
        assert (status, answer["error"]["message"]) == (503, "Try again later")
        assert await listed(call) == []

    async def test_other_peoples_and_closed_accounts_are_forbidden(self, call, stranger):
        order = await place(call)

        assert (await stranger("GET", ORDERS))[0] == 403
        assert (await stranger("DELETE", f"{ORDERS}/{order['id']}"))[0] == 403
        assert (await call("POST", "/accounts/19817/orders", json=[LIMIT]))[0] == 403
        assert (await call("GET", "/accounts/x/orders"))[0] == 400


class TestFinding:
    async def test_an_order_is_found_by_client_id_only_while_it_is_open_but_always_in_the_list(
        self, call, omni, revision
    ):
        other = await place(call, symbol="KO", limit_price="1.00")
        placed = await place(call, id="ours")
        assert (await look(call, "ours"))["id"] == placed["id"]
        omni.market.move("AAPL", "249.00")
        filled = await until(call, placed["id"], "FILLED")

        status, answer = await call("GET", f"{ORDERS}/ours")

        assert (status, answer["error"]["message"]) == (404, f"Order ours not found for account {MAIN}")
        # 2026-04 does not know that parameter.
        among = [other["id"]] if revision == "2026-04" else []
        for ids in ("nothing,ours", placed["id"]):
            found = await listed(call, order_ids=ids)
            assert [order["id"] for order in found] == [*among, placed["id"]]
            assert found[-1] == filled

    @any_one
    async def test_an_accepted_order_may_show_up_late(self, call, omni):
        omni.exchange.list_lag = 3600
        placed = await place(call, id="late")
        assert await listed(call, order_ids="late") == []
        assert (await call("GET", f"{ORDERS}/{placed['id']}"))[0] == 404
        assert (await call("POST", ORDERS, json=[{**LIMIT, "id": "late"}]))[0] == 409

        omni.exchange.list_lag = 0

        assert [order["id"] for order in await listed(call, order_ids="late")] == [placed["id"]]

    @any_one
    async def test_an_order_whose_answer_was_lost_is_there_and_one_that_never_arrived_is_not(self, call, omni):
        for point, id in (("after", "placed"), ("before", "lost")):
            omni.gate.drop("POST /v1/accounts/{account_id}/orders", point)
            with pytest.raises(aiohttp.ServerDisconnectedError):
                await call("POST", ORDERS, json=[{**LIMIT, "id": id}])

        assert [order["client_order_id"] for order in await listed(call)] == ["placed"]

    async def test_the_list_is_filtered(self, call, omni, revision):
        omni.order_plans["MSFT"] = "fill"
        omni.pace = 0
        begin = datetime.now(UTC)
        apple = await place(call, symbol="AAPL")
        microsoft = await place(call, symbol="MSFT", quantity="1")
        effect = {"position_effect": "OPEN"} if revision == "2026-04" else {}
        option = await place(call, symbol="AAPL 280121C00300000", limit_price="1.00", quantity="1", **effect)

        async def found(**query):
            return [order["id"] for order in await listed(call, **query)]

        assert await found() == [apple["id"], microsoft["id"], option["id"]]
        assert await found(status="NEW,PARTIALLY_FILLED") == [apple["id"], option["id"]]
        assert (
            await found(symbol="MSFT")
            == await found(instrument_ids=f"{microsoft['instrument_id']}")
            == [microsoft["id"]]
        )
        assert await found(underlying_instrument_ids="AAPL") == await found(instrument_type="OPTION") == [option["id"]]
        assert await found(**{"from": begin.isoformat()}) == await found()
        assert await found(to=begin.isoformat()) == []
        for wrong in (
            {"status": "LOST"},
            {"from": "then"},
            {"to": "2026-11-20T09:30:00"},
            {"updated_at[gte]": "2026-01-01"},
        ):
            assert (await call("GET", ORDERS, **wrong))[0] == 400
        assert (await call("GET", ORDERS, status="QUEUED"))[0] == (200 if revision == "2026-10" else 400)

    @any_one
    async def test_the_list_comes_in_pages(self, call, omni):
        placed = [(await place(call))["id"] for _ in range(3)]

        _, first = await call("GET", ORDERS, page_size=2)
        _, second = await call("GET", ORDERS, page_token=first["metadata"]["next_page_token"])

        assert [order["id"] for order in first["data"] + second["data"]] == placed
        assert first["metadata"]["total_items"] == 3


@old
async def test_the_revision_may_change_while_an_order_works(call, omni):
    order = await place(call, side="SELL_SHORT", symbol="TSLA", limit_price="500.00", time_in_force="AT_THE_CLOSE")
    omni.revision = "2026-10"

    now = await look(call, order["id"])

    assert (now["side"], now["time_in_force"]) == ("SELL", "AT_CLOSE")


@any_one
async def test_two_at_once_with_one_client_id_are_one_order(call):
    sent = [call("POST", ORDERS, json=[{**LIMIT, "id": "twin"}]) for _ in range(5)]

    statuses = sorted(status for status, _ in await asyncio.gather(*sent))

    assert statuses == [200, 409, 409, 409, 409]
    assert len(await listed(call)) == 1
