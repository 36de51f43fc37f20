"""Scripted answers that hold charts and actions, and those that depend on what the account has and allows."""

from sandbox.tests.clearstreet.conftest import MAIN, old
from sandbox.tests.clearstreet.test_scripts import POSITIONS, buttons_of, text_of, watch

CAN_ASK = {"capabilities": ["OPEN_ENTITLEMENT_CONSENT"]}


async def test_positions_need_consent_and_are_shown_once_it_is_there(call, revision):
    _, message, script = await watch(call, POSITIONS, **CAN_ASK)
    if revision == "2026-10":  # enabled where nobody chose
        assert script == "positions_shared"
        await call(
            "POST",
            "/omni-ai/entitlements/opt-out",
            json={"account_ids": [MAIN], "entitlement_codes": ["omni.account_data"]},
        )
        _, message, script = await watch(call, POSITIONS, **CAN_ASK)
    [consent] = [part for part in message["content"]["parts"] if part["type"] == "structured_action"]
    wanted = consent["action"]["open_entitlement_consent"]
    accounts, codes = (
        ("trading_account_ids", "requested_entitlement_codes")
        if revision == "2026-04"
        else ("account_ids", "entitlement_codes")
    )
    _, agreements = await call("GET", "/omni-ai/entitlement-agreements")
    grant = {name: wanted[name] for name in (accounts, codes)}
    await call("POST", "/omni-ai/entitlements", json={**grant, "agreement_id": agreements["data"][0]["agreement_id"]})
    _, shared, _ = await watch(call, POSITIONS)

    assert "account data is not shared with me" in text_of(message["content"])
    assert wanted[accounts] == [MAIN]
    assert buttons_of(message["content"])[-1]["structuredAction"] == {"actionId": consent["action_id"]}
    assert "| AAPL | 120 |" in text_of(shared["content"])


def proposed(message):
    """The proposals of a message: what is to be done, and the orders."""
    actions = [part["action"] for part in message["content"]["parts"] if part["type"] == "structured_action"]
    return [(one["prefill_order"]["action_type"], one["prefill_order"]["orders"]) for one in actions]


async def test_a_proposed_order_is_written_in_the_words_of_its_revision(call, revision):
    _, option, _ = await watch(call, "Buy 2 AAPL calls")
    _, short, _ = await watch(call, "Short 20 TSLA at $420")
    _, every, _ = await watch(call, "every order type")
    [(_, [contract])] = proposed(option)
    [(_, [sale])] = proposed(short)
    words = {
        "2026-04": ("OPTION", "OPEN", None, "SELL_SHORT", None, "AT_THE_OPENING"),
        "2026-08": (None, None, None, "SELL_SHORT", None, "AT_THE_OPENING"),
        "2026-10": (None, None, "OPEN", "SELL", "OPEN", "AT_OPEN"),
    }[revision]

    assert contract["symbol"].startswith("AAPL 280121C")
    assert (sale["quantity"], sale["limit_price"], sale["symbol"]) == ("20", "420", "TSLA")
    assert words == (
        contract.get("instrument_type"),
        contract.get("position_effect"),
        contract.get("position_intent"),
        sale["side"],
        sale.get("position_intent"),
        proposed(every)[0][1][2]["time_in_force"],
    )


async def test_open_orders_can_be_canceled_and_where_the_api_can_say_it_changed(call, omni, revision):
    omni.order_plans["*"] = "never"
    body = [{"id": "mine", "symbol": "AAPL", "side": "BUY", "order_type": "LIMIT", "limit_price": "250.00"}]
    body[0] |= {"quantity": "10", "time_in_force": "DAY"}
    _, placed = await call("POST", f"/accounts/{MAIN}/orders", json=body)
    target = {"account_id": MAIN, "order_id": placed["data"][0]["id"]}
    _, cancel, _ = await watch(call, "cancel my AAPL order")
    _, elsewhere, _ = await watch(call, "cancel my MSFT order")
    _, change, _ = await watch(call, "change my last order")

    assert proposed(cancel) == [("CANCEL", [target])]
    assert proposed(elsewhere) == []
    modify = [("MODIFY", [{**target, "limit_price": "251.25"}])]
    assert proposed(change) == (proposed(cancel) if revision == "2026-04" else modify)


@old
async def test_a_chart_of_thousands_of_points_has_them(call):
    _, message, _ = await watch(call, "thousands of points")
    [chart] = [part["payload"] for part in message["content"]["parts"] if part["type"] == "chart"]
    points = chart["dataChart"]["series"][0]["points"]

    assert len(points) == 2000
    assert [point["x"] for point in points] == sorted(point["x"] for point in points)
