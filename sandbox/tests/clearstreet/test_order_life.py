"""What becomes of orders: they meet the market or follow a plan, and are changed and canceled on the way."""

from datetime import UTC, datetime, timedelta

import pytest
from omnibot_sandbox.clearstreet.order_plans import NAMED, OrderPlans, read_plan

from sandbox.tests.clearstreet.conftest import MAIN
from sandbox.tests.clearstreet.ordering import ORDERS, listed, look, place, until

any_one = pytest.mark.parametrize("revision", ["2026-08"])


@pytest.fixture
def omni(omni):
    """Prices stand still: what fills and what does not shall not be a matter of luck."""
    omni.market.wandering = False
    return omni


class TestMeetingTheMarket:
    async def test_a_marketable_order_fills_at_the_market(self, call):
        order = await until(call, (await place(call, limit_price="300.00"))["id"], "FILLED")

        assert (order["filled_quantity"], order["leaves_quantity"], order["average_fill_price"]) == (
            "10",
            "0",
            "271.07",
        )

    @any_one
    async def test_an_order_rests_until_the_market_comes_to_it(self, call, omni):
        order = await until(call, (await place(call))["id"], "NEW")
        omni.market.move("AAPL", "249.50")

        assert (await until(call, order["id"], "FILLED"))["average_fill_price"] == "249.51"

    @any_one
    async def test_a_large_order_fills_in_parts(self, call, omni):
        omni.pace = 1000
        placed = await place(call, symbol="F", limit_price="14.00", quantity="1000")
        omni.exchange.orders[placed["id"]].accepted -= 2000

        part = await look(call, placed["id"])
        assert (part["status"], part["filled_quantity"], part["leaves_quantity"]) == ("PARTIALLY_FILLED", "400", "600")
        omni.exchange.orders[placed["id"]].accepted -= 2000
        assert (await look(call, placed["id"]))["filled_quantity"] == "1000"

    @any_one
    @pytest.mark.parametrize("time_in_force", ["IMMEDIATE_OR_CANCEL", "FILL_OR_KILL"])
    async def test_what_cannot_fill_at_once_is_canceled(self, call, time_in_force):
        order = await until(call, (await place(call, time_in_force=time_in_force))["id"], "CANCELED")

        assert order["details"] == ["Nothing to trade with at this price"]

    async def test_a_stop_waits_for_its_price(self, call, omni, revision):
        stop = {"order_type": "STOP", "limit_price": None, "stop_price": "280.00"}
        waiting = "PENDING_TRIGGER" if revision == "2026-10" else "NEW"
        order = await until(call, (await place(call, **stop))["id"], waiting)
        omni.market.move("AAPL", "281.00")

        assert (await until(call, order["id"], "FILLED"))["average_fill_price"] == "281.01"

    @any_one
    async def test_a_trailing_stop_follows_the_price_and_triggers_when_it_turns(self, call, omni):
        trailing = {"order_type": "TRAILING_STOP", "side": "SELL", "limit_price": None}
        trailing |= {"trailing_offset": "2.00", "trailing_offset_type": "PRICE"}
        placed = await place(call, **trailing)
        await until(call, placed["id"], lambda order: order.get("trailing_stop_px") == "269.06")
        omni.market.move("AAPL", "280.00")
        await until(call, placed["id"], lambda order: order["trailing_stop_px"] == "278.00")
        omni.market.move("AAPL", "277.50")

        assert (await until(call, placed["id"], "FILLED"))["average_fill_price"] == "277.49"

    async def test_outside_the_session_an_order_is_queued_and_then_works(self, call, omni, revision):
        omni.market.phase = "closed"
        placed = await place(call, limit_price="300.00")
        order = await until(call, placed["id"], lambda order: order.get("queue_state") == "AWAITING_RELEASE")
        assert order["status"] == ("QUEUED" if revision == "2026-10" else "PENDING_NEW")
        omni.market.phase = "open"

        await until(call, placed["id"], "FILLED")

    @any_one
    async def test_in_extended_hours_only_orders_for_them_work_and_a_day_order_ends_with_the_day(self, call, omni):
        resting = await until(call, (await place(call, limit_price="200.00"))["id"], "NEW")
        omni.market.phase = "after_hours"
        late = await place(call, limit_price="300.00", extended_hours=True)
        lasting = await place(call, limit_price="299.00", time_in_force="GOOD_TILL_CANCEL")

        await until(call, late["id"], "FILLED")
        assert (await until(call, resting["id"], "EXPIRED"))["details"] == ["Order expired"]
        assert (await look(call, lasting["id"]))["filled_quantity"] == "0"

    @any_one
    async def test_a_dated_order_expires(self, call):
        soon = (datetime.now(UTC) + timedelta(milliseconds=100)).isoformat()

        placed = await place(call, time_in_force="GOOD_TILL_DATE", expires_at=soon)

        await until(call, placed["id"], "EXPIRED")

    @any_one
    async def test_a_halted_symbol_fills_nothing(self, call, omni):
        omni.market.set("halted", "AAPL")
        order = await until(call, (await place(call, limit_price="300.00"))["id"], "NEW")
        await until(call, (await place(call, symbol="MSFT", limit_price="600.00", quantity="1"))["id"], "FILLED")
        assert (await look(call, order["id"]))["filled_quantity"] == "0"
        omni.market.set("live", "AAPL")

        await until(call, order["id"], "FILLED")


@any_one
class TestPlans:
    @pytest.mark.parametrize(
        ("plan", "status", "filled"),
        [
            ("fill", "FILLED", "10"),
            ("partial", "PARTIALLY_FILLED", "4"),
            ("partial_then_fill", "FILLED", "10"),
            ("slowly", "FILLED", "10"),
            ("never", "NEW", "0"),
            ("pending", "PENDING_NEW", "0"),
            ("reject", "REJECTED", "0"),
            ("expire", "EXPIRED", "0"),
            ("cancel", "CANCELED", "2"),
        ],
    )
    async def test_an_order_follows_its_plan(self, call, omni, plan, status, filled):
        omni.pace = 0
        omni.order_plans["AAPL"] = plan

        order = await until(call, (await place(call))["id"], status)

        assert order["filled_quantity"] == filled
        assert order["leaves_quantity"] == (
            "0" if order["status"] in ("REJECTED", "EXPIRED", "CANCELED") else str(10 - int(filled))
        )

    async def test_the_most_particular_plan_counts(self, call, omni):
        omni.pace = 0
        omni.order_plans.update({"*": "reject", "AAPL": "never", "mine": "fill"})

        await until(call, (await place(call, id="mine"))["id"], "FILLED")
        await until(call, (await place(call, id="yours"))["id"], "NEW")
        await until(call, (await place(call, symbol="MSFT"))["id"], "REJECTED")

    async def test_a_plan_may_be_spelled_out(self, call, omni):
        omni.pace = 0
        steps = [{"at": 1, "fill": "3", "price": "249.90"}, {"at": 2, "fill": "50%", "price": "249.80"}]
        omni.order_plans["AAPL"] = {"steps": [*steps, {"at": 3, "status": "SUSPENDED", "details": ["Halted"]}]}

        order = await until(call, (await place(call))["id"], "SUSPENDED")

        assert (order["filled_quantity"], order["average_fill_price"]) == ("8", "249.8375")
        assert order["details"] == ["Halted"]


@pytest.mark.parametrize("name", NAMED)
def test_every_named_plan_can_be_read(name):
    assert read_plan(name).refusal is None


@pytest.mark.parametrize(
    "wrong",
    [
        "no such plan",
        "refuse:",
        {"stops": []},
        {"steps": [{"at": 2, "status": "NEW"}, {"at": 1, "fill": "rest"}]},
        {"steps": [{"at": 1, "status": "BROKEN"}]},
        {"on_cancel": "perhaps"},
    ],
)
def test_a_plan_that_cannot_be_followed_is_refused_at_once(wrong):
    with pytest.raises(ValueError, match=r"is none of|order plan"):
        OrderPlans()["AAPL"] = wrong


@any_one
class TestCanceling:
    async def test_a_cancel_is_pending_and_then_done(self, call, omni):
        omni.pace = 0.1
        order = await until(call, (await place(call))["id"], "NEW")

        status, answer = await call("DELETE", f"{ORDERS}/{order['id']}")
        assert (status, answer["data"]["status"]) == (200, "PENDING_CANCEL")
        done = await until(call, order["id"], "CANCELED")

        assert (done["details"], done["leaves_quantity"]) == (["Canceled by user"], "0")

    @pytest.mark.parametrize(("plan", "status"), [("too_late_to_cancel", "FILLED"), ("cancel_refused", "NEW")])
    async def test_a_cancel_may_come_to_nothing(self, call, omni, plan, status):
        omni.order_plans["AAPL"] = plan
        placed = await place(call, id="ours")
        await call("DELETE", f"{ORDERS}/ours")

        assert (await until(call, placed["id"], lambda order: order["status"] != "PENDING_CANCEL"))["status"] == status

    async def test_what_is_over_or_was_never_there_cannot_be_canceled(self, call):
        placed = await place(call, limit_price="300.00")
        await until(call, placed["id"], "FILLED")

        for id in (placed["id"], "nobody"):
            status, answer = await call("DELETE", f"{ORDERS}/{id}")
            assert (status, answer["error"]["message"]) == (404, f"Order {id} not found for account {MAIN}")


@any_one
class TestReplacing:
    async def test_a_replaced_order_ends_and_another_has_its_client_id(self, call, omni):
        placed = await until(call, (await place(call, id="ours"))["id"], "NEW")

        status, answer = await call("PATCH", f"{ORDERS}/ours", json={"limit_price": "251.00", "quantity": "12"})
        shown = answer["data"]
        assert (status, shown["id"], shown["status"]) == (200, placed["id"], "PENDING_REPLACE")
        assert (shown["limit_price"], shown["quantity"], shown["leaves_quantity"]) == ("251.00", "12", "12")
        ended = await until(call, placed["id"], "REPLACED")
        now = await look(call, "ours")

        assert (ended["limit_price"], ended["leaves_quantity"]) == ("250.00", "0")
        assert (now["limit_price"], now["quantity"], now["status"]) == ("251.00", "12", "NEW")
        assert now["id"] != placed["id"]
        assert [order["id"] for order in await listed(call, order_ids="ours")] == [placed["id"], now["id"]]

    async def test_or_it_keeps_its_id(self, call, omni):
        omni.exchange.replace_keeps_id = True
        placed = await place(call, id="ours")
        await call("PATCH", f"{ORDERS}/{placed['id']}", json={"limit_price": "251.00"})

        order = await until(call, placed["id"], lambda order: order["status"] != "PENDING_REPLACE")

        assert order["limit_price"] == "251.00"
        assert len(await listed(call)) == 1

    async def test_what_was_filled_stays_filled(self, call, omni):
        omni.order_plans["AAPL"] = "partial"
        placed = await until(call, (await place(call, id="ours"))["id"], "PARTIALLY_FILLED")
        await call("PATCH", f"{ORDERS}/ours", json={"quantity": "20"})
        await until(call, placed["id"], "REPLACED")

        now = await look(call, "ours")

        assert (now["quantity"], now["filled_quantity"], now["leaves_quantity"]) == ("20", "4", "16")
        assert now["status"] == "PARTIALLY_FILLED"
        assert (await call("PATCH", f"{ORDERS}/ours", json={"quantity": "3"}))[0] == 400

    async def test_a_replace_may_be_refused_by_the_venue(self, call, omni):
        omni.order_plans["AAPL"] = "replace_refused"
        placed = await until(call, (await place(call))["id"], "NEW")
        await call("PATCH", f"{ORDERS}/{placed['id']}", json={"limit_price": "251.00"})

        order = await until(call, placed["id"], "NEW")

        assert (order["limit_price"], order["details"]) == ("250.00", ["Replace rejected by the venue"])

    async def test_a_replace_that_makes_no_sense_is_refused(self, call):
        order = await until(call, (await place(call))["id"], "NEW")
        path = f"{ORDERS}/{order['id']}"

        for status, body in ((400, {}), (400, {"quantity": "0"}), (422, {"side": "SELL"}), (422, {"quantity": 5})):
            assert (await call("PATCH", path, json=body))[0] == status
        status, answer = await call("PATCH", path, json={"limit_price": "250.001"})
        assert (status, answer["error"]["details"][0]["type"]) == (400, "INVALID_TICK_SIZE")
        assert (await call("PATCH", f"{ORDERS}/nobody", json={"quantity": "5"}))[0] == 404
        await call("DELETE", path)
        await until(call, order["id"], "CANCELED")
        status, answer = await call("PATCH", path, json={"quantity": "5"})
        assert (status, answer["error"]["message"]) == (400, f"Order {order['id']} is CANCELED and cannot be replaced")
