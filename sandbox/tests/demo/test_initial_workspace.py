"""What stands in the workspace before anybody does anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aiohttp
from omnibot_sandbox.demo.initial_workspace import furnish
from omnibot_sandbox.slack.server import SlackEmulator


async def test_everybody_has_direct_messages_of_which_no_app_learns():
    async with SlackEmulator() as slack, aiohttp.ClientSession() as session:
        furnish(slack.workspace)
        bot, talks = slack.bot_user_id, {}
        for name in ("ana", "ben", "cleo", "dan"):
            conversations = slack.visible_channels(name)
            talks[name] = {
                conversation.id
                for conversation in conversations
                if conversation.kind == "im" and bot not in conversation.members
            }
        assert {name: len(found) for name, found in talks.items()} == {"ana": 3, "ben": 1, "cleo": 1, "dan": 1}
        assert talks["ben"] & talks["ana"] == talks["ben"]
        talk = next(iter(talks["ben"]))
        await slack.say("ana", talk, f"<@{bot}> not for you")
        assert slack.history(talk)[-1].text == f"<@{bot}> not for you"
        headers: Mapping[str, Any] = {"Authorization": f"Bearer {slack.bot_token}"}
        for method in ("conversations.info", "conversations.history"):
            async with session.get(slack.api_url + method, params={"channel": talk}, headers=headers) as answer:
                assert (await answer.json())["error"] == "channel_not_found"
