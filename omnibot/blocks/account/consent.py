"""Entitlement consent: the card, the notice for others, the agreement as a modal, and the list of what is shared."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from omnibot.blocks.account.documents import page_blocks
from omnibot.blocks.layout.builders import (
    actions,
    button,
    context,
    escaped_parts,
    fallback,
    live_mention,
    section,
    shorten,
)
from omnibot.blocks.layout.button_versions import ClickedButton, digest, marked_button, named
from omnibot.blocks.layout.types import Block, Page
from omnibot.blocks.limits import FALLBACK_TEXT
from omnibot.consent.model import AccountConsent, Card, ConsentState, ConsentStatus, Document, Granted, Overview

READ_ACTION: Final = "omni_consent_read"
DECLINE_ACTION: Final = "omni_consent_decline"
#: Followed by where it leads.
PAGE_ACTION: Final = "omni_consent_page:"
#: Followed by the number of the account or grant in the list.
REVOKE_ACTION: Final = "omni_consent_revoke:"
#: How the values of those buttons begin: an account to opt out of, or a grant to revoke.
OF_ACCOUNT: Final = "account:"
OF_GRANT: Final = "grant:"
SIGN_VIEW: Final = "omni_consent_sign"
#: A form that asks nothing (any more): closing it means nothing.
TOLD_VIEW: Final = "omni_consent_told"
ACCOUNTS_BLOCK: Final = "accounts"
AGREE_BLOCK: Final = "agree"
CHOICE_ACTION: Final = "choice"
AGREED: Final = "agreed"
#: Most boxes Slack puts into one group, and most options into a menu.
_BOXES: Final = 10
_OPTIONS: Final = 100
#: Accounts in one list.
_LISTED: Final = 40
_OPTION_TEXT: Final = 75

_AGREE: Final = "I have read this agreement, and I agree to it."
_FAILED: Final = ":warning: Clear Street did not take your signature, so nothing is shared. Sign once more, please."
_NOTHING_YET: Final = "Nothing is shared before you have read the agreement and signed it."


# In messages.


def card_unit(card: Card) -> list[Block]:
    """The card that the asked person sees."""
    why = escaped_parts(card.reason)[:1] or ["To answer your question."]
    blocks = [section("*Omni asks for your consent to use account data*"), section(why[0])]
    if names := _joined(card.accounts):
        blocks.append(section(f"Accounts: {names}"))
    match card.state:
        case ConsentState.ASKED:
            mark = card_mark(card.id, failed=card.failed)
            about = str(ClickedButton(card.id, mark))
            read = {**button(READ_ACTION, about, "Read and sign …"), "style": "primary"}
            pressable = [marked_button(one, mark) for one in (read, button(DECLINE_ACTION, about, "Not now"))]
            blocks += [context(_FAILED)] if card.failed else []
            blocks += [actions(pressable) | {"block_id": named(f"consent:{card.id}", mark)}, context(_NOTHING_YET)]
        case ConsentState.SIGNING:
            blocks.append(context(":hourglass_flowing_sand: Signed; Clear Street has not confirmed it yet …"))
        case ConsentState.GRANTED:
            by, version = live_mention(card.signed_by), f" · version {card.version}" if card.version is not None else ""
            blocks.append(context(f":white_check_mark: Signed by {by} {_moment(card.ended_at)}{version}"))
        case ConsentState.DECLINED:
            blocks.append(context("You said “not now”: nothing was shared. Ask the question again when you like."))
        case ConsentState.CLOSED:
            closed = "You closed the agreement without signing it: nothing was shared. "
            blocks.append(context(f"{closed}Ask the question again when you like."))
    return blocks


def card_mark(consent_id: str, *, failed: bool) -> str:
    """The version of a card that asks: whether it is asked for the first time, or because a signature failed."""
    return f"{int(failed)}.{digest(consent_id)}"


def card_page(card: Card) -> Page:
    """The card as a message of its own."""
    said = {ConsentState.ASKED: "Omni asks for your consent to use account data: read and sign, or say not now."}
    return Page(card_unit(card), said.get(card.state, "Omni asked for your consent to use account data."))


def stub_unit(card: Card) -> list[Block]:
    """What everybody sees where the card itself is private."""
    person = live_mention(card.person.user)
    said = {
        ConsentState.ASKED: f"Omni needs {person}’s consent to use account data, and has asked them privately.",
        ConsentState.SIGNING: f"{person} has signed; Clear Street has not confirmed it yet …",
        ConsentState.GRANTED: f"{person} has given consent to use account data.",
        ConsentState.DECLINED: f"{person} was asked privately for consent to use account data, and said “not now”.",
        ConsentState.CLOSED: f"{person} was asked privately for consent to use account data, and did not sign.",
    }
    return [context(said[card.state])]


def refusal_unit(consent: Mapping[str, Any]) -> list[Block]:
    """What somebody sees who cannot sign: why, and whom to ask.

    Args:
        consent: "why" and "ask", Slack user ids, as stored with the answer.
    """
    why = escaped_parts(str(consent.get("why") or ""))[:1] or ["You cannot sign it."]
    return [context(f":lock: Omni needs consent to use account data. {why[0]}{_ask(consent.get('ask') or ())}")]


def _ask(people: Sequence[str]) -> str:
    mentions = " ".join(filter(None, (live_mention(str(user)) for user in people[:10])))
    return f" Ask: {mentions}" if mentions else ""


def refusal_words(sentence: str, ask: Sequence[str]) -> str:
    """The same for an ephemeral message."""
    return f"{(escaped_parts(sentence)[:1] or [''])[0]}{_ask(ask)}"


# The form.


@dataclass(frozen=True, slots=True)
class FormState:
    """What the form carries along: which document is before somebody's eyes, and what they chose."""

    consent: str
    agreement: str
    version: int | None
    sha256: str
    page: int
    accounts: tuple[int, ...]
    #: The accounts that can be chosen, as `entitlements.model.listed` writes them down.
    listed: str

    @property
    def mark(self) -> str:
        """Of the document and the accounts that are shown."""
        return f"{self.version or 0}.{digest(self.consent, self.agreement, self.sha256, self.listed)}"

    def block(self, name: str) -> str:
        """The block_id of an input. Ticks stay where a block keeps its name, and these are about this document only."""
        return named(name, self.mark)

    def dump(self) -> str:
        """As private_metadata: nothing in it is secret."""
        shown = [self.consent, self.agreement, self.version, self.sha256, self.page, list(self.accounts), self.listed]
        return json.dumps(shown)


def read_state(view: Mapping[str, Any]) -> FormState | None:
    """The state of a form; None for anything else, and where its name is of another document."""
    try:
        consent, agreement, version, sha256, page, chosen, listed = json.loads(str(view.get("private_metadata")))
        accounts = tuple(int(account) for account in chosen)
        state = FormState(consent, agreement, version, sha256, int(page), accounts, listed)
        return state if view.get("callback_id") == named(SIGN_VIEW, state.mark) else None
    except (ValueError, TypeError):
        return None


def loading_view() -> dict[str, Any]:
    """Opened at once: Slack's leave to open a form lasts three seconds, and the agreement must be fetched."""
    return told_view("Fetching the agreement from Clear Street …")


def told_view(sentence: str, ask: Sequence[str] = ()) -> dict[str, Any]:
    """A form that only says something."""
    parts = [section(part) for part in escaped_parts(sentence)] or [section("…")]
    if mentions := _ask(ask).strip():
        parts.append(section(mentions))
    return {
        "type": "modal",
        "callback_id": TOLD_VIEW,
        "title": _plain("Agreement"),
        "close": _plain("Close"),
        "blocks": parts,
    }


def document_view(
    state: FormState,
    document: Document,
    pages: Sequence[str],
    accounts: Sequence[tuple[int, str]],
    *,
    notice: str | None = None,
) -> dict[str, Any]:
    """One page of the agreement; the last one asks for the signature.

    Args:
        state: what the form carries along; its page counts from 0.
        document: shown.
        pages: its text, cut.
        accounts: ids and names of those that can be shared.
        notice: said above it, "there is a new version" say.
    """
    last = state.page == len(pages) - 1
    version = f"Version {document.version} · " if document.version is not None else ""
    where = f"{version}page {state.page + 1} of {len(pages)} · sha256 checked: {document.sha256}"
    blocks: list[Block] = [section(f":warning: {part}") for part in escaped_parts(notice or "")]
    if state.page == 0:
        blocks.append({"type": "header", "text": _plain(shorten(document.title, 150) or "Agreement")})
    blocks += [context(where), *page_blocks(pages[state.page])]
    turns = [(state.page - 1, "Previous page")] if state.page else []
    turns += [] if last else [(state.page + 1, "Next page")]
    if turns:
        blocks.append(actions([button(f"{PAGE_ACTION}{number}", str(number), label) for number, label in turns]))
    view = {
        "type": "modal",
        "callback_id": named(SIGN_VIEW, state.mark),
        "private_metadata": state.dump(),
        "notify_on_close": True,
        "title": _plain("Agreement"),
        "close": _plain("Do not sign"),
        "blocks": blocks,
    }
    if not last:
        return view
    blocks += [{"type": "divider"}, _accounts_input(accounts, state), _agree_input(state)]
    return {**view, "submit": _plain("Sign")}


def _accounts_input(accounts: Sequence[tuple[int, str]], state: FormState) -> Block:
    block_id, chosen = state.block(ACCOUNTS_BLOCK), state.accounts
    # Where there are too many to show, those asked for must be among the shown.
    ordered = sorted(accounts, key=lambda entry: entry[0] not in chosen) if len(accounts) > _OPTIONS else accounts
    options = [_option(str(id), name) for id, name in ordered[:_OPTIONS]]
    initial = [option for option in options if int(option["value"]) in chosen]
    menu = {"type": "multi_static_select", "placeholder": _plain("Choose accounts")}
    element: dict[str, Any] = {
        **({"type": "checkboxes"} if len(options) <= _BOXES else menu),
        "action_id": CHOICE_ACTION,
        "options": options,
        **({"initial_options": initial} if initial else {}),
    }
    return {"type": "input", "block_id": block_id, "label": _plain("Accounts to share"), "element": element}


def _agree_input(state: FormState) -> Block:
    element = {"type": "checkboxes", "action_id": CHOICE_ACTION, "options": [_option(AGREED, _AGREE)]}
    block_id = state.block(AGREE_BLOCK)
    return {"type": "input", "block_id": block_id, "label": _plain("Your signature"), "element": element}


def _option(value: str, text: str) -> dict[str, Any]:
    return {"text": _plain(shorten(text, _OPTION_TEXT) or value), "value": value}


# What is signed.


def manage_page(overview: Overview, said: str = "") -> Page:
    """What somebody's key lets Omni see, privately."""
    return Page(manage_blocks(overview, said), fallback("What Omni may see of your accounts.", FALLBACK_TEXT))


def manage_blocks(overview: Overview, said: str = "") -> list[Block]:
    """The same as blocks, for an App Home too: each account, what it shares since when, and how to end that.

    Args:
        overview: of the person who sees it.
        said: what was just done.
    """
    blocks = [section(f":white_check_mark: {part}") for part in escaped_parts(said)]
    whose = "of the shared Clear Street key" if overview.shared else "of your Clear Street key"
    blocks.append(section(f"*What Omni may see of the accounts {whose}*"))
    for number, account in enumerate(overview.accounts[:_LISTED]):
        blocks += _account(number, account, can_change=bool(overview.may_sign))
    if not overview.accounts:
        blocks.append(section("There is no open account."))
    if (more := len(overview.accounts) - _LISTED) > 0:
        blocks.append(context(f"{more} more accounts are not listed here."))
    if not overview.may_sign:
        blocks.append(context(refusal_words(overview.may_sign.reason, overview.may_sign.ask)))
    return blocks


def _account(number: int, account: AccountConsent, *, can_change: bool) -> list[Block]:
    name = (escaped_parts(account.name)[:1] or [str(account.account_id)])[0][:300]
    said = {
        ConsentStatus.GRANTED: ":large_green_circle: shared",
        ConsentStatus.BY_DEFAULT: ":large_green_circle: shared: enabled by default at Clear Street,"
        " nobody signed for it",
        ConsentStatus.OPTED_OUT: ":white_circle: not shared: opted out",
        ConsentStatus.OFF: ":white_circle: not shared",
    }
    status = said[account.status]
    if account.status is ConsentStatus.BY_DEFAULT and account.grants:
        status = ":large_green_circle: shared: in part enabled by default at Clear Street, in part signed for"
    head = f"*{name}*\n{status}"
    if account.can_opt_out or not account.grants:
        block = section("\n".join([head, *(_grant(grant) for grant in account.grants[:10])]))
        if can_change and account.can_opt_out:
            block |= _beside(number, _opt_out_button(number, account))
        return [block]
    blocks = []
    for place, grant in enumerate(account.grants[:10]):
        block = section(_grant(grant) if place else f"{head}\n{_grant(grant)}")
        if can_change:
            block |= _beside(f"{number}:{place}", _revoke_button(f"{number}:{place}", account, grant))
        blocks.append(block)
    return blocks


def _grant(grant: Granted) -> str:
    version = f"version {grant.version}" if grant.version is not None else "an earlier version"
    when = f" {_moment(grant.granted_at)}" if grant.granted_at else ""
    return f"• signed{when} · {version}"


def _opt_out_button(number: int, account: AccountConsent) -> Block:
    asks = f"Omni will no longer see the data of {shorten(account.name, 60)}. What it has said so far stays there."
    return _end_button(str(number), _out_press(account), "Opt out", asks)


def _out_press(account: AccountConsent) -> ClickedButton:
    return ClickedButton(f"{OF_ACCOUNT}{account.account_id}", _account_mark(account))


def _revoke_button(number: str, account: AccountConsent, grant: Granted) -> Block:
    asks = f"Omni will no longer see the data of {shorten(account.name, 60)} by this signature."
    return _end_button(number, _revoke_press(account, grant), "Revoke", asks)


def _revoke_press(account: AccountConsent, grant: Granted) -> ClickedButton:
    mark = digest(grant.entitlement_id, str(grant.version), str(account.account_id), account.name)
    return ClickedButton(f"{OF_GRANT}{grant.entitlement_id}", mark)


def endings(overview: Overview) -> list[ClickedButton]:
    """What the buttons carry that end something now."""
    outs = [_out_press(account) for account in overview.accounts if account.can_opt_out]
    return [*outs, *(_revoke_press(account, grant) for account in overview.accounts for grant in account.grants)]


def _account_mark(account: AccountConsent) -> str:
    """Of what is shown of an account."""
    return digest(
        str(account.account_id), account.name, account.status.value, *(one.entitlement_id for one in account.grants)
    )


def _beside(number: int | str, ending: Block) -> Block:
    """A button beside a section whose name is of the same version."""
    return {"accessory": ending, "block_id": named(f"consent_end:{number}", ending["action_id"].rpartition(":")[2])}


def _end_button(number: str, press: ClickedButton, label: str, asks: str) -> Block:
    return {
        **button(named(f"{REVOKE_ACTION}{number}", press.mark), str(press), label),
        "style": "danger",
        "confirm": {
            "title": _plain(f"{label}?"),
            "text": _plain(asks),
            "confirm": _plain(label),
            "deny": _plain("Keep it"),
        },
    }


def _joined(names: Sequence[str]) -> str:
    shown = [(escaped_parts(name)[:1] or ["?"])[0][:100] for name in names[:20]]
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return ", ".join(f"*{name}*" for name in shown) + more


def _moment(at: datetime | None) -> str:
    """A time in the reader's own zone; a value without zone is UTC."""
    if at is None:
        return ""
    aware = at if at.tzinfo else at.replace(tzinfo=UTC)
    return f"<!date^{int(aware.timestamp())}^{{date_short_pretty}} {{time}}|{aware:%Y-%m-%d %H:%M} UTC>"


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}
