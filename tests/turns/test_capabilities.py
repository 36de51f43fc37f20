"""What Omni may ask of whom, and what an answer that asks for consent comes to."""

from datetime import datetime

import pytest

from omnibot.clearstreet.models import Message, read_parts
from omnibot.clearstreet.models.enums import MessageRole
from omnibot.policy.identities import YES, AccessResult
from omnibot.turns.capabilities import CAPABILITIES, CONSENT, ORDERS, capabilities, consent_asked, orders_in
from omnibot.turns.model import Conversation, Kind, NotNow, Outcome, Person, Surface, Turn, TurnAnswer, TurnState
from omnibot.turns.rules import offers

ACTION_ID = "019e5c1a-7d20-7090-9a41-5b8c0d2e4f64"
PARTS = read_parts(
    [
        {"type": "text", "text": "I need to see it."},
        {
            "type": "structured_action",
            "action_id": ACTION_ID,
            "action": {
                "open_entitlement_consent": {
                    "agreement_key": "omni_account_data_access",
                    "reason": "To see.",
                    "requested_entitlement_codes": ["omni.account_data", "omni.account_data"],
                    "trading_account_ids": [1, 2, 1],
                }
            },
        },
        {
            "type": "suggested_actions",
            "payload": {
                "actionButtons": [
                    {"buttonId": "b0", "label": "Share it", "structuredAction": {"actionId": ACTION_ID}},
                ]
            },
        },
    ]
)
CONVERSATION = Conversation("c1", "T1", "C1", "1.1", "shared", 19816, None, 0)
TURN = Turn(
    id="t1",
    source_key="message:C1:1.1",
    surface=Surface.MENTION,
    kind=Kind.INSTANT,
    state=TurnState.RUNNING,
    team="T1",
    person=Person("T1", "U0ANA"),
    channel="C1",
    thread_ts="1.1",
    message_ts="1.1",
    event={},
    created_at=datetime(2026, 11, 21),  # noqa: DTZ001
)


class Rules:
    """A consent policy with an answer to everything; None: Slack is silent."""

    def __init__(self, verdict: AccessResult | None, *, privately: bool = True) -> None:
        self.verdict = verdict
        self.privately = privately

    async def may_sign(self, turn: Turn, principal: str) -> AccessResult:
        if self.verdict is None:
            raise NotNow(1.0)
        return self.verdict

    async def may_be_asked(self, turn: Turn, principal: str) -> bool:
        return bool(await self.may_sign(turn, principal)) and self.privately

    async def may_read_accounts(self, turn: Turn) -> bool:
        return self.privately


NO = AccessResult(False, "Ask the desk head.", ("U0HEAD",))


@pytest.mark.parametrize(
    ("rules", "account", "named"),
    [
        (Rules(YES), 19816, True),
        (Rules(YES, privately=False), 19816, False),
        (Rules(NO), 19816, False),
        (Rules(None), 19816, False),
        (None, 19816, False),
        (Rules(YES), None, False),
    ],
)
async def test_consent_is_named_only_where_this_person_may_sign_in_private_for_an_account(
    rules: Rules | None, account: int | None, named: bool
):
    conversation = Conversation("c1", "T1", "C1", "1.1", "shared", account, None, 0)
    found = await capabilities(rules, None, TURN, conversation)
    assert found == ((*CAPABILITIES, CONSENT) if named else CAPABILITIES)


async def test_who_may_sign_is_asked_for_each_account_and_code_once():
    stored, new = await consent_asked(Rules(YES), TURN, CONVERSATION, PARTS)
    assert new is not None
    assert stored == {"id": new.id}
    assert (new.codes, new.accounts, new.reason) == (("omni.account_data",), (1, 2), "To see.")
    assert new.principal == "shared"


@pytest.mark.parametrize("rules", [Rules(NO), Rules(None), None])
async def test_who_may_not_is_told_why_and_nothing_is_asked(rules: Rules | None):
    stored, new = await consent_asked(rules, TURN, CONVERSATION, PARTS)
    assert new is None
    assert stored is not None
    assert stored["why"]
    assert stored["ask"] == (["U0HEAD"] if rules is not None and rules.verdict is not None else [])


async def test_an_answer_that_asks_for_nothing_comes_to_nothing():
    assert await consent_asked(Rules(YES), TURN, CONVERSATION, PARTS[:1]) == (None, None)


@pytest.mark.parametrize(("consent", "kind"), [(True, "consent"), (False, "words")])
def test_omnis_button_for_it_opens_the_agreement_only_for_who_may_sign(consent: bool, kind: str):
    found = offers(PARTS, [], outcome=Outcome.SUCCEEDED, kind=Kind.INSTANT, mint=lambda: "t", consent=consent)
    assert [button.kind for button in found if button.label == "Share it"] == [kind]


class Market:
    """Who may trade, as the broker says."""

    def __init__(self, may: bool | None) -> None:
        self.may = may

    async def may_be_asked(self, turn: Turn, conversation: Conversation) -> bool:
        if self.may is None:
            raise NotNow(1.0)
        return self.may

    async def propose(self, turn: Turn, answer: TurnAnswer) -> None:
        raise AssertionError("nothing is proposed here")


@pytest.mark.parametrize(
    ("market", "account", "named"),
    [
        (Market(True), 19816, True),
        (Market(False), 19816, False),
        (Market(None), 19816, False),
        (None, 19816, False),
        (Market(True), None, False),
    ],
)
async def test_orders_are_named_only_where_this_person_may_trade_on_an_account(
    market: Market | None, account: int | None, named: bool
):
    conversation = Conversation("c1", "T1", "C1", "1.1", "shared", account, None, 0)
    found = await capabilities(None, market, TURN, conversation)
    assert found == ((*CAPABILITIES, ORDERS) if named else CAPABILITIES)


@pytest.mark.parametrize(
    ("outcome", "proposed"),
    [("completed", True), ("errored", False), ("canceled", False), ("half-baked", False), (None, False)],
)
def test_orders_come_from_completed_messages_alone(outcome: str | None, proposed: bool):
    action = {"prefill_order": {"action_type": "CANCEL", "orders": [{"account_id": 19816, "order_id": "o1"}]}}
    parts = read_parts([{"type": "structured_action", "action_id": "a1", "action": action}])
    message = None if outcome is None else Message(id="m1", role=MessageRole.ASSISTANT, seq=2, outcome=outcome)  # type: ignore[arg-type]
    expected = {"principal": CONVERSATION.principal, "account_id": CONVERSATION.account_id}
    assert orders_in(Market(True), CONVERSATION, message, parts) == (expected if proposed else None)
    assert orders_in(None, CONVERSATION, message, parts) is None
