"""Was this helpful? The two thumbs below an answer, and the form that asks what was wrong."""

from __future__ import annotations

from typing import Any, Final

from omnibot.blocks.layout.types import Block

FEEDBACK_ACTION: Final = "omni_feedback"
FEEDBACK_VIEW: Final = "omni_feedback"
COMMENT_BLOCK: Final = "comment"
COMMENT_ACTION: Final = "words"
#: The API names no limit; Slack's inputs take 3,000.
COMMENT: Final = 2_000
_UP, _DOWN = "up:", "down:"


def feedback_block(token: str) -> Block:
    """Thumbs for the answer that `token` stands for."""
    return {
        "type": "context_actions",
        "elements": [
            {
                "type": "feedback_buttons",
                "action_id": FEEDBACK_ACTION,
                "positive_button": _button("Good answer", _UP + token, "This answer was helpful"),
                "negative_button": _button("Bad answer", _DOWN + token, "This answer was not helpful"),
            }
        ],
    }


def read_value(value: str) -> tuple[int, str] | None:
    """Score and token of a pressed thumb; None for anything else."""
    for prefix, score in ((_UP, 1), (_DOWN, -1)):
        if value.startswith(prefix):
            return score, value.removeprefix(prefix)
    return None


def comment_view(token: str) -> dict[str, Any]:
    """The form behind a thumb down. The score is given already; the words are welcome, not needed."""
    return {
        "type": "modal",
        "callback_id": FEEDBACK_VIEW,
        "private_metadata": token,
        "title": _plain("What was wrong?"),
        "submit": _plain("Send"),
        "close": _plain("Not now"),
        "blocks": [
            {
                "type": "input",
                "block_id": COMMENT_BLOCK,
                "label": _plain("What should Omni have said?"),
                "hint": _plain("Goes to Clear Street with this answer. Your thumb down is noted already."),
                "element": {
                    "type": "plain_text_input",
                    "action_id": COMMENT_ACTION,
                    "multiline": True,
                    "max_length": COMMENT,
                    "placeholder": _plain("The price was from yesterday, …"),
                    "focus_on_load": True,
                },
            }
        ],
    }


def _button(text: str, value: str, label: str) -> dict[str, Any]:
    return {"text": _plain(text), "value": value, "accessibility_label": label}


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}
