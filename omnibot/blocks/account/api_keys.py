"""The modals in which somebody links an API key, and the one that asks before it is unlinked.

A key is never in what is written here: Slack keeps views and messages.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from omnibot.accounts.model import Linked
from omnibot.blocks.account.account_choice import ACCOUNT_VIEW, account_input, account_labels, account_mark
from omnibot.blocks.account.prompts import ACCOUNT_ACTION, LABELS
from omnibot.blocks.layout.builders import actions, button, context, escaped_parts, fallback, section
from omnibot.blocks.layout.button_versions import ClickedButton, digest, marked_button, named
from omnibot.blocks.layout.modals import View, failed, modal, plain
from omnibot.blocks.layout.types import Block, Page
from omnibot.blocks.limits import FALLBACK_TEXT
from omnibot.blocks.markdown.escaping import escape
from omnibot.telemetry import KEY_FIELD

LINK_TITLE: Final = "Link your API key"
#: How the callback_id of the form begins; it ends with the mark of the key there was.
LINK_VIEW: Final = "omni_link_key"
#: Buttons: ask Clear Street about the stored key again; forget it.
MEND_ACTION: Final = "omni_mend_key"
UNLINK_ACTION: Final = "omni_unlink_key"
#: What those buttons are about.
LINK_SUBJECT: Final = "link"
#: Opens the one-time page; Slack does that, and the listener of all such buttons only acks.
PAGE_ACTION: Final = "omni_link:page"
#: Accounts that are named one by one.
_NAMED: Final = 10

_ABOUT: Final = (
    "With a Clear Street API key of your own, your questions are about your accounts. "
    "Nobody else's questions use it, and nobody sees it."
)
_HINT: Final = (
    "The key passes through Slack on its way to omnibot. There it is checked with Clear Street, stored encrypted, and "
    "never shown again. /omni unlink forgets it."
)
_FORGET: Final = "Your key, the accounts you chose with it and your questions that wait for it will be forgotten."


@dataclass(frozen=True, slots=True)
class Known:
    """The link somebody has. Times are UTC without zone."""

    since: datetime
    checked: datetime
    #: Clear Street refused the key then.
    broken: datetime | None
    #: omnibot can decrypt it.
    readable: bool


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why the last try came to nothing."""

    sentence: str
    request_id: str | None = None


def link_view(
    nonce: str, *, known: Known | None = None, page: str | None = None, trouble: Trouble | None = None
) -> View:
    """The form for a key.

    Args:
        nonce: new for each form; without it Slack would show again what was typed before.
        known: the link there is.
        page: the address of a one-time page, instead of the field.
        trouble: why the last try came to nothing.
    """
    blocks: list[Block] = [failed(trouble.sentence, trouble.request_id)] if trouble else []
    if known is None:
        blocks.append(section(_ABOUT))
    else:
        blocks += [section(_state(known)), _row(_offers(known), known.since), {"type": "divider"}]
    if page is not None:
        blocks.append(
            section(
                "*Keep the key out of Slack:* enter it on a page of omnibot's own. It is good for you alone, for ten "
                "minutes and for one key."
            )
            | {"accessory": _page_button(page)}
        )
    blocks.append(
        {
            "type": "input",
            "block_id": f"key:{nonce}",
            "label": plain("Your Clear Street API key" if known is None else "Another key, in its place"),
            "hint": plain(_HINT),
            "element": {"type": "plain_text_input", "action_id": KEY_FIELD, "focus_on_load": known is None},
        }
    )
    mark = key_mark(known.since if known is not None else None)
    return modal(LINK_TITLE, blocks, submit="Link", callback=named(LINK_VIEW, mark))


def linked_view(linked: Linked, *, waiting: int = 0, mended: bool = False) -> View:
    """What came of it: the accounts, which one questions are about, and the questions that go on.

    Args:
        linked: what came of linking, or of checking again.
        waiting: how many of the person's questions waited for it.
        mended: it was checked again.
    """
    labels = account_labels(linked.accounts)
    blocks: list[Block] = [section(f"*{_what_happened(linked, mended=mended)}*")]
    if len(labels) == 1:
        (name,) = labels.values()
        blocks.append(section(f"It sees one account, *{escape(name)}*, and your questions are about that."))
    else:
        # Each piece is escaped whole: what stands in two names together is no token either.
        blocks += [section(escape(_sees(list(labels.values())))), section(_about(labels.get(linked.default or 0)))]
        blocks.append(account_input(linked.accounts, linked.default))
    if waiting:
        when = "now" if linked.default is not None else "once you have chosen"
        blocks.append(section(waiting_words(waiting, when)))
    if linked.others:
        others = "1 other person has" if linked.others == 1 else f"{linked.others} other people have"
        blocks.append(context(f"{others} linked the same key."))
    if len(labels) == 1:
        return modal(LINK_TITLE, blocks)
    mark = account_mark(linked.accounts, linked.default)
    return modal(LINK_TITLE, blocks, submit="Save", callback=named(ACCOUNT_VIEW, mark))


def linked_elsewhere_page(linked: Linked) -> Page:
    """Tells a person in private that a key was linked for them on the one-time page."""
    count = len(linked.accounts)
    sees = "one open account" if count == 1 else f"{count} open accounts"
    sentence = (
        f"A Clear Street API key was linked for you on omnibot's page just now. It sees {sees}. If that was not you, "
        "type `/omni unlink`, and tell whoever runs omnibot."
    )
    blocks: list[Block] = [section(part) for part in escaped_parts(sentence)]
    if linked.default is None:
        blocks.append(actions([button(ACCOUNT_ACTION, "held", LABELS[ACCOUNT_ACTION])]))
    return Page(blocks, fallback(sentence, FALLBACK_TEXT))


def key_mark(since: datetime | None) -> str:
    """Which key is meant: another one is linked at another moment. None: there is none."""
    return digest("key", since.isoformat() if since is not None else "none")


def unlink_page(since: datetime) -> Page:
    """Asks whether to forget the key that is linked since then."""
    sentence = f"Forget your Clear Street API key? {_FORGET}"
    return Page([section(escape(sentence)), _row([_unlink_button()], since)], fallback(sentence, FALLBACK_TEXT))


def waiting_words(count: int, when: str = "now") -> str:
    """What becomes of questions that waited."""
    return f"Your waiting question goes on {when}." if count == 1 else f"Your {count} waiting questions go on {when}."


def _state(known: Known) -> str:
    since = f"You linked a key on {_day(known.since)}"
    if not known.readable:
        return f"*{since}, but omnibot can no longer read it.* What it was encrypted with is gone. Link it again."
    if known.broken is not None:
        return (
            f"*{since}. Clear Street refused it on {_day(known.broken)}:* it was revoked, or has expired. Link "
            "another one, or have it checked again if you have restored it."
        )
    return f"*{since}, and it works.* Clear Street accepted it last on {_day(known.checked)}."


def _day(moment: datetime) -> str:
    """A day as the reader's own calendar has it."""
    moment = moment.replace(tzinfo=UTC)
    return f"<!date^{int(moment.timestamp())}^{{date}}|{moment:%Y-%m-%d}>"


def _offers(known: Known) -> list[Block]:
    check = [button(MEND_ACTION, LINK_SUBJECT, "Check it again")] if known.readable else []
    return [*check, _unlink_button()]


def _row(offers: list[Block], since: datetime) -> Block:
    """Buttons about the key that is linked since then, and about no other."""
    mark = key_mark(since)
    value = str(ClickedButton(LINK_SUBJECT, mark))
    row = actions([marked_button(offer, mark) | {"value": value} for offer in offers])
    return row | {"block_id": named("omni_key", mark)}


def _unlink_button() -> Block:
    return button(UNLINK_ACTION, LINK_SUBJECT, "Forget it") | {
        "style": "danger",
        "confirm": {
            "title": plain("Forget your API key?"),
            "text": plain(_FORGET),
            "confirm": plain("Forget it"),
            "deny": plain("Keep it"),
            "style": "danger",
        },
    }


def _page_button(url: str) -> Block:
    return button(PAGE_ACTION, "page", "Open the page") | {"url": url}


def _what_happened(linked: Linked, *, mended: bool) -> str:
    if mended:
        return "Clear Street accepts your key."
    if linked.same_key:
        return "This key was linked already, and it works."
    return "Your key is linked, in place of the earlier one." if linked.replaced else "Your key is linked."


def _sees(names: list[str]) -> str:
    listed = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
    return f"It sees {len(names)} accounts: {listed}."


def _about(chosen: str | None) -> str:
    if chosen is None:
        return "Choose the one your questions are about."
    return f"Your questions are about *{escape(chosen)}*."
