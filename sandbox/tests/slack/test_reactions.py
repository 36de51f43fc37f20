"""Reactions of people and of the bot."""

from __future__ import annotations

import pytest
from slack_sdk.errors import SlackApiError

TRADING, ANA = "C0TRADING1", "U0ANA00001"


async def error_of(call) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


@pytest.fixture
async def ts(slack, web) -> str:
    return str((await web.chat_postMessage(channel=TRADING, text="answer"))["ts"])


async def test_the_app_hears_who_reacted_to_what(slack, hear, ts):
    heard = await hear("reaction_added", "reaction_removed")
    await slack.react("ana", "trading", ts, "+1")
    await slack.unreact("ana", "trading", ts, "+1")
    await slack.wait_for(lambda: len(heard) == 2)
    added, removed = sorted((body["event"] for body in heard), key=lambda event: event["type"])
    assert added.pop("event_ts") < removed.pop("event_ts")
    assert added == {
        "type": "reaction_added",
        "user": ANA,
        "reaction": "+1",
        "item": {"type": "message", "channel": TRADING, "ts": ts},
        "item_user": slack.bot_user_id,
    }
    assert removed == {**added, "type": "reaction_removed"}


async def test_people_and_the_bot_count_together(slack, web, ts):
    for user in ("ana", "ben", "ana"):
        await slack.react(user, "trading", ts, "eyes")
    await web.reactions_add(channel=TRADING, timestamp=ts, name=":eyes:")
    read = await web.reactions_get(channel=TRADING, timestamp=ts)
    (eyes,) = read["message"]["reactions"]
    ben = slack.workspace.user("ben").id
    assert eyes == {"name": "eyes", "users": [ANA, ben, slack.bot_user_id], "count": 3}
    await slack.unreact("ben", "trading", ts, "eyes")
    await slack.unreact("ben", "trading", ts, "eyes")  # who has taken it back already
    assert slack.history(TRADING)[0].reactions == {"eyes": [ANA, slack.bot_user_id]}


async def test_what_reactions_refuse(slack, web, ts):
    def add(name: str, timestamp: str = ts):
        return web.reactions_add(channel=TRADING, timestamp=timestamp, name=name)

    assert await error_of(add("not an emoji")) == "invalid_name"
    assert await error_of(add("eyes", "1700000000.000100")) == "message_not_found"
    await add("wave::skin-tone-3")
    with pytest.raises(LookupError, match="not in"):
        await slack.react("dan", "trading", ts, "eyes")


async def test_a_reaction_changes_the_version_the_page_draws(slack, ts):
    message = slack.history(TRADING)[0]
    before = message.version
    await slack.react("ana", "trading", ts, "eyes")
    await slack.react("ana", "trading", ts, "eyes")
    assert message.version == before + 1
