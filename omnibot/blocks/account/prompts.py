"""Private notices to somebody whose question waits for them, with the button that helps."""

from __future__ import annotations

from typing import Final

from omnibot.blocks.layout.builders import escaped_parts, fallback, section
from omnibot.blocks.layout.types import Page
from omnibot.blocks.limits import FALLBACK_TEXT

#: Pressed by somebody who wants to link a key, or to choose an account.
LINK_ACTION: Final = "omni_link_key"
ACCOUNT_ACTION: Final = "omni_choose_account"
CHANGE_ACCOUNT: Final = "Change account"
LABELS: Final = {LINK_ACTION: "Link my API key", ACCOUNT_ACTION: "Choose an account"}


def prompt_page(sentence: str, action: str, turn_id: str = "held") -> Page:
    """A sentence, and the button of `action`.

    Args:
        sentence: why the question waits; `code` stays code.
        action: LINK_ACTION or ACCOUNT_ACTION.
        turn_id: the turn that waits; tells the conversation it is in.
    """
    button = {
        "type": "button",
        "action_id": action,
        "style": "primary",
        "text": {"type": "plain_text", "text": LABELS[action], "emoji": False},
        "value": turn_id,
    }
    blocks = [*(section(part) for part in escaped_parts(sentence)), {"type": "actions", "elements": [button]}]
    return Page(blocks, fallback(sentence, FALLBACK_TEXT))
