"""Slack says with every answer what the token was granted."""

import aiohttp
from omnibot_sandbox.slack import SlackEmulator


async def granted(slack: SlackEmulator, method: str, token: str) -> str | None:
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(headers=headers) as session, session.post(slack.api_url + method) as answer:
        return answer.headers.get("x-oauth-scopes")


async def test_an_answer_says_the_scopes_of_its_token():
    async with SlackEmulator() as slack:
        assert "chat:write" in str(await granted(slack, "auth.test", slack.bot_token)).split(",")
        assert await granted(slack, "apps.connections.open", slack.app_token) == "connections:write"

        slack.granted[slack.bot_token] = ["commands", "im:write"]
        assert await granted(slack, "auth.test", slack.bot_token) == "commands,im:write"


async def test_a_token_that_slack_does_not_know_has_no_scopes():
    async with SlackEmulator() as slack:
        assert await granted(slack, "auth.test", "xoxb-not-this-one") is None
