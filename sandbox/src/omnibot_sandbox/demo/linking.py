"""How somebody in a story links a key of their own, and has it forgotten."""

from __future__ import annotations

from typing import Any

from omnibot_sandbox.slack.reading import elements
from omnibot_sandbox.slack.server import SlackEmulator
from omnibot_sandbox.slack.workspace import JSON

#: Seconds in which each answer must be there.
_PATIENCE = 15.0


async def link(slack: SlackEmulator, user: str, channel: str, key: str) -> str:
    """Type `/omni link` and enter a key that sees one account. What went wrong, or ""."""
    await slack.command(user, channel, "/omni", "link")
    try:
        view = (await slack.wait_for(lambda: _forms(slack, user), _PATIENCE))[0]
    except AssertionError:
        return "there is no form for a key"
    block, field = next((b, e) for b, e in elements(view["blocks"]) if e["type"] == "plain_text_input")
    entered: dict[str, dict[str, Any]] = {
        block["block_id"]: {field["action_id"]: {"type": field["type"], "value": key}}
    }
    result = await slack.submit(user, view["id"], entered)
    if result.errors:
        return f"the key was not taken: {result.errors}"
    try:
        done = (await slack.wait_for(lambda: _saying(slack, user, "Your key is linked"), _PATIENCE))[0]
    except AssertionError:
        said = " ".join(str(view["blocks"]) for view in slack.modals(user)[-1:])
        return f"the key was not linked: {said[:200]}"
    await slack.close_view(user, done["id"], clear=True)
    return ""


async def unlink(slack: SlackEmulator, user: str, channel: str) -> str:
    """Type `/omni unlink` and confirm it. What went wrong, or ""."""
    earlier = len(slack.ephemerals(user))
    await slack.command(user, channel, "/omni", "unlink")
    for said in slack.ephemerals(user)[earlier:]:
        for button in slack.buttons(said):
            await slack.click(user, channel, said["ts"], action_id=button["action_id"])
            try:
                await slack.wait_for(lambda: "Forgotten" in str(slack.ephemerals(user)[earlier:]), _PATIENCE)
            except AssertionError:
                return "the key was not forgotten"
            return ""
    return "there was no key to forget"


def _forms(slack: SlackEmulator, user: str) -> list[JSON]:
    top = slack.modals(user)[-1:]
    return [view for view in top if any(e["type"] == "plain_text_input" for _, e in elements(view["blocks"]))]


def _saying(slack: SlackEmulator, user: str, words: str) -> list[JSON]:
    return [view for view in slack.modals(user)[-1:] if words in str(view["blocks"])]
