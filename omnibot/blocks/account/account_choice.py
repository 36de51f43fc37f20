"""The modal in which somebody chooses the account that questions are about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from omnibot.accounts.model import account_name
from omnibot.blocks.layout.builders import context, escaped_parts, one_line, section, shorten
from omnibot.blocks.layout.button_versions import digest, named
from omnibot.blocks.layout.modals import View, modal, plain
from omnibot.blocks.layout.types import Block
from omnibot.blocks.markdown.escaping import escape
from omnibot.clearstreet.models import Account

ACCOUNT_TITLE: Final = "Account"
#: How the callback_id of the modal begins, and the ids of its inputs; the first two end with the mark of what is shown.
ACCOUNT_VIEW: Final = "omni_account"
ACCOUNT_BLOCK, ACCOUNT_INPUT = "account", "omni_account"
SCOPE_BLOCK, SCOPE_INPUT = "scope", "omni_scope"
HERE, EVERYWHERE = "here", "everywhere"

#: Options of one menu, or of one group of it; and groups.
_OPTIONS: Final = 100
#: Characters of an option.
_LABEL: Final = 75
_NOW: Final = " (now)"


def account_labels(accounts: Sequence[Account]) -> dict[int, str]:
    """What people call each account; the number stands behind a name that several have."""
    # Of some names nothing can be seen.
    names = {account.id: one_line(account_name(account)) or f"Account {account.id}" for account in accounts}
    count = Counter(names.values())
    labels = {}
    for account in accounts:
        name = names[account.id]
        tail = f" ({account.id})" if count[name] > 1 else ""
        labels[account.id] = shorten(name, _LABEL - len(_NOW) - len(tail)) + tail
    return labels


def account_mark(accounts: Sequence[Account], now: int | None) -> str:
    """Of what a choice shows: the accounts, and which one is chosen at present."""
    return digest(str(now), *(f"{id}:{label}" for id, label in account_labels(accounts).items()))


def account_input(accounts: Sequence[Account], now: int | None, wanted: int | None = None) -> Block:
    """A menu of accounts, by name.

    Args:
        accounts: in the order in which they are offered; the first ten thousand.
        now: the one that is chosen at present.
        wanted: the one that stands in the menu at first; None: the present one.
    """
    labels = account_labels(accounts)
    options = [
        {"text": plain(label + (_NOW if account == now else "")), "value": str(account)}
        for account, label in list(labels.items())[: _OPTIONS * _OPTIONS]
    ]
    element: Block = {"type": "static_select", "action_id": ACCOUNT_INPUT, "placeholder": plain("Choose an account")}
    if len(options) <= _OPTIONS:
        element["options"] = options
    else:
        groups = [options[start : start + _OPTIONS] for start in range(0, len(options), _OPTIONS)]
        element["option_groups"] = [{"label": plain(_span(group)), "options": group} for group in groups]
    chosen = next((option for option in options if option["value"] == str(wanted or now)), None)
    if chosen is not None:
        element["initial_option"] = chosen
    block_id = named(ACCOUNT_BLOCK, account_mark(accounts, now))
    return {"type": "input", "block_id": block_id, "label": plain("Ask about"), "element": element}


def account_view(
    accounts: Sequence[Account], now: int | None, *, place: str = "", wanted: int | None = None, notice: str = ""
) -> View:
    """The choice, with what it means.

    Args:
        accounts: the open ones, by name; several.
        now: the one that questions are about at present; None: nobody has chosen yet.
        place: names the conversation from which somebody came; "": they came from none.
        wanted: the one they chose already, which was not taken.
        notice: why not.
    """
    labels = account_labels(accounts)
    blocks: list[Block] = [section(f"⚠ {part}") for part in escaped_parts(notice)] if notice else []
    if now in labels:
        where = "in this conversation" if place else "wherever you chose nothing else"
        blocks.append(section(f"Your questions {where} are about *{escape(labels[now])}*."))
    blocks.append(account_input(accounts, now, wanted))
    if place:
        blocks.append(_scope_input(begun=now is not None))
    blocks.append(
        context(
            "Conversations that have begun go on with the account they have. If you change it within one, your next "
            "question there starts a new Omni conversation, which knows nothing of the earlier one."
        )
    )
    return modal(
        ACCOUNT_TITLE, blocks, submit="Save", callback=named(ACCOUNT_VIEW, account_mark(accounts, now)), metadata=place
    )


def _scope_input(*, begun: bool) -> Block:
    """Where the choice shall count; who changes the account of a conversation that has one means that conversation."""
    everywhere = {"text": plain("Wherever I choose nothing else"), "value": EVERYWHERE}
    here = {"text": plain("In this conversation only"), "value": HERE}
    return {
        "type": "input",
        "block_id": SCOPE_BLOCK,
        "label": plain("Where"),
        "element": {
            "type": "radio_buttons",
            "action_id": SCOPE_INPUT,
            "options": [everywhere, here],
            "initial_option": here if begun else everywhere,
        },
    }


def _span(group: Sequence[Block]) -> str:
    first, last = group[0]["text"]["text"], group[-1]["text"]["text"]
    return f"{shorten(first, 30)} to {shorten(last, 30)}"
