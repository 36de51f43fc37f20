"""App Home, section by section."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from omnibot.accounts.model import account_name
from omnibot.blocks.account.prompts import ACCOUNT_ACTION, LINK_ACTION
from omnibot.blocks.history import history_blocks, slack_date
from omnibot.blocks.layout.builders import actions, button, context, escaped_parts, one_line, section
from omnibot.blocks.layout.types import Block
from omnibot.blocks.limits import VIEW_BLOCKS
from omnibot.blocks.markdown.escaping import escape
from omnibot.clearstreet.models import Account
from omnibot.policy.model import FollowUps, Policy
from omnibot.turns.history import PastConversation

#: How the action ids of the example questions begin; the value is the example's number.
EXAMPLE_ACTION: Final = "omni_example"
EXAMPLES: Final = (
    "How are the markets doing today?",
    "What is the current price of AAPL?",
    "Compare AAPL to AMD.",
)
#: Accounts that are named; of more the count is said.
ACCOUNTS: Final = 10
#: Blocks of one section of another package.
_SPACE: Final = 30
#: Value of the buttons that open what other packages show.
_HERE: Final = "home"
_CUT: Final = "There is more than can be shown here."


class SettingStatus(StrEnum):
    """Whose key somebody asks with."""

    OWN = "own"
    #: Their own does not work (any more).
    BROKEN = "broken"
    SHARED = "shared"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class KeyStatus:
    """Whose key somebody asks with, and what they can do about it."""

    status: SettingStatus
    #: When they linked their own; UTC, without zone.
    since: datetime | None = None
    #: What is wrong, and what to do: a sentence.
    trouble: str = ""
    can_link: bool = False


def home_view(sections: Sequence[Sequence[Block]]) -> dict[str, Any]:
    """The view, its sections apart from each other; `private_metadata` is the fingerprint of all it shows."""
    blocks: list[Block] = [{"type": "header", "text": {"type": "plain_text", "text": "Omni AI", "emoji": False}}]
    for number, part in enumerate(filter(None, sections)):
        blocks += [{"type": "divider"}] if number else []
        blocks += part
    if len(blocks) > VIEW_BLOCKS:
        blocks = [*blocks[: VIEW_BLOCKS - 1], context(_CUT)]
    mark = hashlib.sha256(json.dumps(blocks, sort_keys=True).encode()).hexdigest()[:32]
    return {"type": "home", "blocks": blocks, "private_metadata": mark}


def closed_section(reason: str) -> list[Block]:
    """All there is for somebody who may not use omnibot."""
    return [section(part) for part in escaped_parts(reason)]


def failed_section(title: str, sentence: str) -> list[Block]:
    """A section that cannot be shown now."""
    return [section(f"*{escape(title)}*"), *(context(part) for part in escaped_parts(f"⚠ {sentence}"))]


def key_section(key: KeyStatus) -> list[Block]:
    """Whose key questions go with."""
    match key.status:
        case SettingStatus.OWN:
            since = f" since {slack_date(key.since)}" if key.since else ""
            words = f"You ask with your own Clear Street API key, linked{since}. `/omni unlink` forgets it."
        case SettingStatus.SHARED:
            words = "You ask with the Clear Street API key that this workspace shares."
        case _:
            words = "\n".join(escaped_parts(key.trouble)[:1])
    sign = "⚠ " if key.status is SettingStatus.BROKEN else ""
    blocks = [section(f"*Your key*\n{sign}{words}")]
    if key.can_link:
        label = "Link another key" if key.status in (SettingStatus.OWN, SettingStatus.BROKEN) else "Link my API key"
        made = button(LINK_ACTION, _HERE, label)
        blocks.append(actions([made if key.status in (SettingStatus.OWN, SettingStatus.SHARED) else made | _PRIMARY]))
    return blocks


def accounts_section(accounts: Sequence[Account], *, default: int | None, fixed: bool) -> list[Block]:
    """The accounts questions may be about, by name, and which one they are about.

    Args:
        accounts: in order.
        default: the account chosen; None: none is.
        fixed: whether whoever runs omnibot has set it.
    """
    shown = [account for account in accounts if not fixed or account.id == default]
    if not shown:
        return [section("*Your accounts*\nYour key sees no open account.")]
    lines = [_account_line(account, default) for account in shown[:ACCOUNTS]]
    lines += [f"… and {len(shown) - ACCOUNTS} more"] if len(shown) > ACCOUNTS else []
    blocks = [section("*Your accounts*\n" + "\n".join(lines))]
    if fixed:
        blocks.append(context("Whoever runs omnibot has chosen this account for everybody who shares the key."))
    elif len(shown) > 1:
        make = button(ACCOUNT_ACTION, _HERE, "Choose another account" if default else "Choose an account")
        blocks.append(actions([make if default else make | _PRIMARY]))
    return blocks


def _account_line(account: Account, default: int | None) -> str:
    name = escape(one_line(account_name(account))[:50])
    return f"• *{name}*, asked about by default" if account.id == default else f"• {name}"


def other_section(blocks: Sequence[Block]) -> list[Block]:
    """A section made elsewhere, as far as it fits."""
    return list(blocks) if len(blocks) <= _SPACE else [*blocks[: _SPACE - 1], context(_CUT)]


def recent_section(conversations: Sequence[PastConversation], *, workspace_url: str) -> list[Block]:
    """What the person began lately; for somebody who has begun nothing, how to."""
    if not conversations:
        words = (
            "*Ask your first question*\nThere are three ways, and they can be mixed:\n"
            "• Mention me in a channel: everybody there can read along, and follow-ups in the thread need no mention.\n"
            "• Write to me under *Messages* above, where only you read the answer.\n"
            "• Type `/omni` and your question, wherever you are.\n"
            "What you asked is then listed here."
        )
        return [section(words)]
    rows = history_blocks(conversations, workspace_url=workspace_url, label="Continue in Messages")
    return [section("*Recent conversations*"), *rows, context("`/omni threads` lists all of them.")]


def settings_section(policy: Policy, *, retention_days: int) -> list[Block]:
    """How omnibot is set up here, in words; whoever runs it can change that."""
    follow_ups = (
        "In a thread where you asked before, further questions need no mention."
        if policy.channels.follow_ups is FollowUps.PARTICIPANTS
        else "In channels every question mentions me."
    )
    days = "1 day" if retention_days == 1 else f"{retention_days} days"
    lines = [
        follow_ups,
        "Account data is shown in your direct messages with me, and in channels only where everybody may read it.",
        f"Questions, answers and their buttons are kept for {days}, then forgotten here.",
    ]
    if policy.access.where is not None:
        lines.insert(0, "I can be asked in direct messages, and in the channels that were chosen for that.")
    listed = "\n".join(f"• {line}" for line in lines)
    return [section(f"*How it is set up here*\n{listed}"), context("Whoever runs omnibot can change this.")]


def help_section() -> list[Block]:
    """Examples to press, and where to read on."""
    buttons = [button(f"{EXAMPLE_ACTION}:{number}", str(number), words) for number, words in enumerate(EXAMPLES)]
    return [
        section("*Try it*\nThe answer comes to you under *Messages*."),
        actions(buttons),
        context("`/omni help` says what else can be typed. Omni AI can be wrong. This is not investment advice."),
    ]


_PRIMARY: Final = {"style": "primary"}
