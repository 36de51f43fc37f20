"""Which Slack messages become turns, as tables."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnibot.slack.inbound.messages import Accept, Edit, Ignore, Intake, Withdraw, intake
from omnibot.turns.model import Person, Surface

BOT = "U0OMNI"


def decide(**event: Any) -> Intake:
    payload = {"type": "message", "channel": "C1", "channel_type": "channel", "user": "U1", "ts": "1.1", **event}
    return intake(payload, bot_user_id=BOT, team="T1", enterprise=None, actor_org=None)


@pytest.mark.parametrize(
    ("event", "surface", "only_if_participant"),
    [
        ({"type": "app_mention", "text": f"<@{BOT}> hi"}, Surface.MENTION, False),
        ({"text": f"hi <@{BOT}>"}, Surface.MENTION, False),
        ({"text": f"<@{BOT}> hi", "thread_ts": "0.9"}, Surface.MENTION, False),
        ({"channel": "D1", "channel_type": "im", "text": "hi"}, Surface.DM, False),
        ({"channel": "D1", "channel_type": "im", "text": "hi", "thread_ts": "0.9"}, Surface.DM, False),
        (
            {"channel": "D1", "channel_type": "im", "text": "", "subtype": "file_share", "files": [{}]},
            Surface.DM,
            False,
        ),
        ({"text": "and AMD?", "thread_ts": "0.9"}, Surface.FOLLOW_UP, True),
        ({"text": "and AMD?", "thread_ts": "0.9", "subtype": "thread_broadcast"}, Surface.FOLLOW_UP, True),
    ],
)
def test_questions_are_accepted(event: dict[str, Any], surface: Surface, only_if_participant: bool):
    decided = decide(**event)
    assert isinstance(decided, Accept)
    assert decided.turn.surface is surface
    assert decided.only_if_participant is only_if_participant
    assert decided.turn.thread_ts == event.get("thread_ts", "1.1")
    assert decided.turn.source_key == f"message:{event.get('channel', 'C1')}:1.1"


@pytest.mark.parametrize(
    "event",
    [
        {"text": "good morning"},
        {"text": "a root that starts its own thread", "thread_ts": "1.1"},
        {"text": "<@U2> what do you think?", "thread_ts": "0.9"},
        {"text": "", "thread_ts": "0.9", "subtype": "file_share", "files": [{}]},
        {"text": f"<@{BOT}> hi", "bot_id": "B9"},
        {"text": f"<@{BOT}> hi", "user": BOT},
        {"text": f"<@{BOT}> hi", "user": None},
        {"text": f"<@{BOT}> has joined", "subtype": "channel_join"},
        {"text": f"set the topic: <@{BOT}>", "subtype": "channel_topic"},
        {"text": f"<@{BOT}> hi", "ts": None},
        {"text": f"<@{BOT}> hi", "channel": 5},
    ],
)
def test_what_is_not_a_question_to_us_is_ignored(event: dict[str, Any]):
    assert decide(**event) == Ignore()


def test_both_events_of_one_mention_have_one_key():
    first = decide(type="app_mention", text=f"<@{BOT}> hi")
    second = decide(type="message", text=f"<@{BOT}> hi")
    assert isinstance(first, Accept)
    assert isinstance(second, Accept)
    assert first.turn.source_key == second.turn.source_key


def changed(now: dict[str, Any], before: dict[str, Any]) -> Intake:
    said = {"type": "message", "user": "U1", "ts": "1.0"}
    return decide(subtype="message_changed", user=None, message={**said, **now}, previous_message={**said, **before})


def test_an_edit_changes_the_words_and_a_link_preview_does_not():
    edit = changed({"text": "new", "edited": {"ts": "1.05"}}, {"text": "old"})
    assert edit == Edit("message:C1:1.0", {"text": "new", "blocks": [], "files": 0}, "1.05")
    assert changed({"text": "same", "attachments": [1]}, {"text": "same"}) == Ignore()


def test_an_edit_that_overtakes_its_message_is_the_question():
    edit = changed({"text": f"<@{BOT}> new", "edited": {"ts": "1.05"}}, {"text": f"<@{BOT}> old"})
    assert isinstance(edit, Edit)
    assert edit.instead is not None
    assert edit.instead.turn.source_key == "message:C1:1.0"
    assert edit.instead.turn.event["text"] == f"<@{BOT}> new"


@pytest.mark.parametrize("subtype", ["me_message", "channel_topic", "channel_join"])
def test_what_is_no_question_is_none_when_it_is_edited_or_deleted(subtype: str):
    said = {"type": "message", "subtype": subtype, "user": "U1", "ts": "1.0", "text": f"<@{BOT}> hi"}
    for channel in ({}, {"channel": "D1", "channel_type": "im"}):
        assert decide(**said, **channel) == Ignore()
        edited = {**said, "text": f"<@{BOT}> and now?", "edited": {"ts": "1.05"}}
        now = decide(subtype="message_changed", user=None, message=edited, previous_message=said, **channel)
        assert now == Ignore()
        gone = decide(subtype="message_deleted", user=None, deleted_ts="1.0", previous_message=said, **channel)
        assert gone == Withdraw(f"message:{channel.get('channel', 'C1')}:1.0")


def test_an_old_message_that_is_edited_is_not_asked_anew():
    said = {"type": "message", "user": "U1", "ts": "1.0"}
    edit = decide(
        subtype="message_changed",
        user=None,
        ts="5000.0",
        message={**said, "text": f"<@{BOT}> new"},
        previous_message={**said, "text": "old"},
    )
    assert isinstance(edit, Edit)
    assert edit.instead is None


def test_a_deletion_that_overtakes_its_question_withdraws_it_beforehand():
    before = {"type": "message", "user": "U1", "ts": "1.0", "text": f"<@{BOT}> old"}
    gone = decide(subtype="message_deleted", deleted_ts="1.0", user=None, previous_message=before)
    assert isinstance(gone, Withdraw)
    assert gone.instead is not None
    assert gone.instead.turn.withdrawn
    assert "old" not in str(gone.instead.turn)


def test_our_own_edits_are_not_read():
    assert changed({"text": "new", "bot_id": "B1"}, {"text": "old", "bot_id": "B1"}) == Ignore()


def test_a_deletion_withdraws_also_when_replies_leave_a_tombstone():
    assert decide(subtype="message_deleted", deleted_ts="1.0", user=None) == Withdraw("message:C1:1.0")
    tombstone = {"subtype": "tombstone", "user": "USLACKBOT", "text": "This message was deleted."}
    assert changed(tombstone, {"text": "old"}) == Withdraw("message:C1:1.0")


@pytest.mark.parametrize(
    ("actor_org", "enterprise", "event", "org"),
    [
        ("E1", "E1", {}, "E1"),
        ("T9", "E1", {"user_team": "T9"}, "T9"),
        (None, "E1", {}, "E1"),
        (None, None, {"user_team": "T9", "team": "T1"}, "T9"),
        (None, None, {"team": "T1"}, "T1"),
        (None, None, {}, "T1"),
    ],
)
def test_a_person_is_named_by_the_acting_users_enterprise_or_team(actor_org, enterprise, event, org):
    payload = {"type": "app_mention", "channel": "C1", "user": "U1", "ts": "1.1", "text": f"<@{BOT}> hi", **event}
    decided = intake(payload, bot_user_id=BOT, team="T1", enterprise=enterprise, actor_org=actor_org)
    assert isinstance(decided, Accept)
    assert decided.turn.person == Person(org, "U1")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
_FIELDS = ["type", "subtype", "user", "bot_id", "text", "blocks", "files", "thread_ts", "ts", "channel", "message"]


@given(st.dictionaries(st.sampled_from(_FIELDS), _JSON))
def test_no_payload_raises(payload: dict[str, Any]):
    intake(payload, bot_user_id=BOT, team="T1", enterprise=None, actor_org=None)


KEY = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbmEiLCJrIjoiOTkifQ.dBjftJeZ4CVPmB92K27uhbUJU1p1rwW1gFWFOEjXk"
REFUSED = {"text": "", "blocks": [], "files": 0, "refused": "key"}


@pytest.mark.parametrize(
    "event",
    [
        {"text": f"<@{BOT}> use {KEY}"},
        {"text": f"<@{BOT}> link hunter2hunter"},
        {"text": f"<@{BOT}> hi", "blocks": [{"type": "rich_text", "elements": [{"elements": [{"text": KEY}]}]}]},
        {"channel": "D1", "channel_type": "im", "text": f"Bearer {KEY}"},
        {"text": KEY, "thread_ts": "0.9"},
    ],
)
def test_of_a_question_that_holds_a_key_nothing_is_stored_but_that_it_did(event: dict[str, Any]):
    decided = decide(**event)

    assert isinstance(decided, Accept)
    assert decided.turn.event == REFUSED


def test_a_key_edited_into_an_old_question_is_heard_of_once_and_is_never_stored():
    now = {"user": "U1", "ts": "1.1", "text": f"<@{BOT}> {KEY}"}
    decided = decide(subtype="message_changed", ts="9999.9", message=now, previous_message={**now, "text": "hi"})

    assert isinstance(decided, Edit)
    assert decided.event == REFUSED
    assert decided.instead is not None
    assert decided.instead.turn.source_key == "message:C1:1.1:key"
    assert decided.instead.turn.event == REFUSED


def test_a_key_in_a_message_that_is_not_for_us_is_not_our_business():
    assert decide(text=f"use {KEY}") == Ignore()
