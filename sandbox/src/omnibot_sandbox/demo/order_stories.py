"""Stories of orders: Ana and Ben trade, and above $25,000 Ben approves what Ana wants, or Ana what Ben does not."""

from __future__ import annotations

from omnibot_sandbox.demo.steps import NEW, Arrange, Decide, Hear, Say, Story

_ORDERS = "/v1/accounts/{account_id}/orders"
SUBMIT = f"POST {_ORDERS}"
REPLACE = f"PATCH {_ORDERS}/{{order_id}}"
CANCEL = f"DELETE {_ORDERS}/{{order_id}}"

_REVIEW = "Review the order"
_WAITING = "Waiting for approval"
#: Cards that were asked for on cards are no orders of one answer.
_NO_SET = r"\A(?!.*Order \d of \d)"
#: The call takes effect and its answer is lost.
_LOST = {"side": "clear-street", "pattern": "POST *orders", "kind": "drop", "point": "after", "when": "next"}

ORDER_STORIES = (
    Story(
        "order",
        "Omni proposes an order; Ana edits it and approves, and the card follows it until it is filled",
        (
            Say("ana", "trading", "@Omni buy 600 F at $13.50"),
            Decide("ana", _REVIEW, (r"Buy 600 F at a limit of \$13\.50", _WAITING, "Notional", "Quote")),
            Decide("ana", "Edit", ("Buy 500 F", "quantity 600 → 500", _WAITING), entered={"quantity": "500"}),
            Decide("ana", "Approve", ("Filled: 500 of 500", "Approved by @Ana", "@Ana Filled")),
            Hear("ana", "trading", "orders", "Filled: 500 of 500"),
        ),
        (*NEW, SUBMIT),
    ),
    Story(
        "two-people",
        "above $25,000 Ana's approval is one of two: Ben gives the other, and she hears of the end directly too",
        (
            Say("ana", "trading", "@Omni buy 200 AAPL at $275"),
            Decide("ana", _REVIEW, (_WAITING,)),
            Decide(
                "ana", "Approve", ("Approved so far by @Ana", "@Ben A second person has to"), told="approval counts"
            ),
            Decide("ben", "Approve", ("Filled: 200 of 200", "@Ana Filled"), direct=("ana", "Filled: 200 of 200")),
        ),
        (*NEW, SUBMIT),
    ),
    Story(
        "declined",
        "Ben declines Ana's order and says why: nothing is sent",
        (
            Say("ana", "trading", "@Omni buy 20 GOOGL at $320"),
            Decide("ana", _REVIEW, (_WAITING,)),
            Decide(
                "ben",
                "Decline",
                ("Declined by @Ben", "Earnings are tomorrow"),
                entered={"order_reason": "Earnings are tomorrow."},
                direct=("ana", "Earnings are tomorrow"),
            ),
        ),
    ),
    Story(
        "approve-all",
        "two orders at once: one is filled, the venue rejects the other; each says so by itself",
        (
            Arrange({"symbol": "PG", "plan": "reject"}),
            Say("ana", "trading", "@Omni buy 10 KO and sell 5 PG"),
            Decide("ana", "Review both orders", ("Order 1 of 2", "Order 2 of 2", "2 of 2 orders wait")),
            Decide("ana", "Approve all 2", ("Filled: 10 of 10", "Rejected by the venue", "Both orders are decided")),
        ),
        (*NEW, SUBMIT, SUBMIT),
    ),
    Story(
        "refused-order",
        "Clear Street refuses an order with a machine code: the card says it in plain words, and nothing was placed",
        (
            Arrange({"symbol": "ORCL", "plan": "refuse:BUYING_POWER"}),
            Say("ana", "trading", "@Omni buy 20 ORCL at $222"),
            Decide("ana", _REVIEW, (_WAITING,)),
            Decide("ana", "Approve", (r"Rejected\. The account's buying power", "No order was placed")),
        ),
        (*NEW, SUBMIT),
    ),
    Story(
        "working-order",
        "an order that is filled in part is changed from its card, then canceled: each with an approval of its own",
        (
            Arrange({"symbol": "DIS", "plan": "partial"}),
            Say("ana", "trading", "@Omni buy 50 DIS at $113"),
            Decide("ana", _REVIEW, (_WAITING,)),
            Decide("ana", "Approve", ("Partly filled: 20 of 50",)),
            Decide(
                "ana", "Change order…", (r"limit price \$113\.50 \(was", _WAITING), entered={"limit_price": "113.50"}
            ),
            Decide("ana", "Approve", (r"Changed\.", "Asked for: Change the order")),
            Decide("ana", "Cancel order…", (r"Cancel the order to buy 50 DIS at a limit of \$113\.50", _WAITING)),
            Decide("ana", "Approve", (r"Canceled\. .*Filled: 20 of 50", _NO_SET)),
        ),
        (*NEW, SUBMIT, REPLACE, CANCEL),
    ),
    Story(
        "lost-answer",
        "Clear Street takes an order, its answer is lost, and it is listed late: found again, and never sent twice",
        (
            Arrange({"list_lag": 3}, _LOST),
            Say("ana", "trading", "@Omni buy 15 JPM at $312"),
            Decide("ana", _REVIEW, (_WAITING,)),
            Decide("ana", "Approve", ("Filled: 15 of 15",)),
        ),
        (*NEW, SUBMIT),
    ),
    Story(
        "no-quote",
        "without a quote nothing is approved; once there is one, and the price has moved, it goes on",
        (
            Arrange({"symbol": "CRM", "condition": "null"}),
            Say("ana", "trading", "@Omni buy 10 CRM at $275"),
            Decide("ana", _REVIEW, (_WAITING, "Quote: none")),
            Decide("ana", "Approve", told="quote"),
            Arrange({"symbol": "CRM", "condition": "live", "move": 2}),
            Decide("ana", "Approve", ("Filled: 10 of 10",)),
        ),
        (*NEW, SUBMIT),
    ),
    Story(
        "halt",
        "Ben halts all trading: Ana's approval is refused, and counts again once he lets it go on",
        (
            Say("ana", "trading", "@Omni buy 10 NKE at $70"),
            Decide("ana", _REVIEW, (_WAITING,)),
            Hear("ben", "trading", "halt", "halted"),
            Decide("ana", "Approve", told="halted"),
            Hear("ben", "trading", "resume", "go"),
            Decide("ana", "Approve", ("Filled: 10 of 10",)),
        ),
        (*NEW, SUBMIT),
    ),
)
