"""A policy in sentences, for its author. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from enum import StrEnum

from omnibot.policy.identities import MOST_MEMBERS, Group, user_ids
from omnibot.policy.model import FollowUps, Limits, Policy, Trader, Trading
from omnibot.policy.money import dollars, percent, plain


def summary(policy: Policy) -> str:
    """Who may what, one sentence a line, under a heading for each table."""
    parts = {
        "Asking": _asking(policy),
        "Account data": _account_data(policy),
        "Agreements": _agreements(policy),
        "Trading": _trading(policy.trading),
        "Worth a second look": _remarks(policy),
    }
    blocks = [(heading, list(lines)) for heading, lines in parts.items()]
    return "\n\n".join("\n  ".join([heading, *lines]) for heading, lines in blocks if lines)


def _asking(policy: Policy) -> Iterator[str]:
    access = policy.access
    yield f"{_group(access.people, 'Full members of the workspace')} may ask."
    yield _outside("guests", access.guests)
    yield _outside("people of other companies", access.externals)
    if access.refused:
        yield f"Whatever else is said, these may not: {_ids(access.refused)}."
    match access.where:
        case None:
            yield "Omni may be asked in direct messages and in every channel."
        case ():
            yield "Omni may be asked in direct messages only."
        case named:
            yield f"Omni may be asked in direct messages and in these channels: {_ids(named)}."
    if not access.shared_channels:
        yield "Channels shared with other companies are closed to Omni."
    if policy.channels.follow_ups is FollowUps.PARTICIPANTS:
        yield "In a channel's thread its own people go on without a mention."
    else:
        yield "In a channel every question mentions Omni."
    if access.shared_key.empty:
        yield "Nobody asks with the shared key: everybody links a key of their own."
    else:
        yield f"Without a key of their own, {_group(access.shared_key, 'all full members')} ask with the shared one."


def _outside(name: str, group: Group) -> str:
    if group.empty:
        return f"No {name} may ask."
    if group.everybody:
        return f"All {name} may ask, never about accounts."
    return f"Of {name} these may ask, never about accounts: {_ids(group.ids)}."


def _account_data(policy: Policy) -> Iterator[str]:
    channels = policy.channels
    yield (
        "It is shown in direct messages with Omni, and in private channels and group messages of full members alone, "
        f"at most {MOST_MEMBERS} of them: no guests, and nobody of another company."
    )
    if channels.account_data:
        named = _ids(channels.account_data)
        yield f"It is also shown in these channels, to everybody who is in them, guests included: {named}."
    if channels.no_account_data:
        yield f"It is not shown in these: {_ids(channels.no_account_data)}."
    yield "Anywhere else the answer goes to the asker's direct messages."


def _agreements(policy: Policy) -> Iterator[str]:
    signers = policy.consent.consent_signers
    yield "Everybody signs for their own link."
    yield f"For the shared key {_ids(signers)} may sign." if signers else "For the shared key nobody may sign."


def _trading(trading: Trading) -> Iterator[str]:
    if not trading.traders:
        yield "Nobody may trade."
        return
    yield f"These may trade: {_ids(trading.traders)}."
    keys = "their own link, or with the shared key" if trading.with_shared_key else "their own link only"
    yield f"Their orders are sent with {keys}."
    yield from _limits(trading)
    if trading.approvers:
        yield f"Orders of others may be approved by {_ids(trading.approvers)}."
    yield f"All trading may be halted by {_ids(trading.halters)}."
    yield f"Quotes may be {trading.max_quote_age_seconds} s old."
    yield f"What nobody approves expires after {trading.ticket_expiry_minutes} min."
    for override in trading.trader:
        changed = override.model_fields_set - {"id"}
        yield f"Different for {override.id}:" if changed else f"Nothing is different for {override.id}."
        for line in _limits(trading.with_override(override), only=changed):
            yield f"  {line}"


def _limits(limits: Limits, only: set[str] | None = None) -> Iterator[str]:
    lines = {
        "accounts": "On any account." if limits.accounts is None else f"On {_numbers(limits.accounts)}.",
        "max_order_notional": f"An order is worth {_money(limits.max_order_notional)}.",
        "max_order_quantity": f"An order is for {_shares(limits.max_order_quantity)}.",
        "max_day_notional": f"A trader's exchange session is worth {_money(limits.max_day_notional)}.",
        "max_day_quantity": f"A trader's exchange session is for {_shares(limits.max_day_quantity)}.",
        "symbols": "Any symbol." if limits.symbols is None else f"Only these symbols: {_ids(limits.symbols)}.",
        "deny_symbols": f"Never these symbols: {_ids(limits.deny_symbols) or 'none is denied'}.",
        "order_types": f"Types of order: {_words(limits.order_types)}.",
        "times_in_force": f"Times in force: {_words(limits.times_in_force)}.",
        "sessions": f"Trading hours: {_words(limits.sessions)}.",
        "price_collar": _collar(limits),
        "short_sales": f"Short sales are {_allowed(limits.short_sales)}.",
        "options": f"Options are {_allowed(limits.options)}.",
        "four_eyes_above": _four_eyes(limits),
    }
    yield from (line for key, line in lines.items() if only is None or key in only)


def _remarks(policy: Policy) -> Iterator[str]:
    """What is allowed, and may not be what was meant."""
    access, trading = policy.access, policy.trading
    outsiders = [entry for group in (access.guests, access.externals) for entry in group.ids]
    if access.guests.everybody or any(entry not in access.shared_key.ids for entry in outsiders):
        yield 'Guests and people of other companies have no key to ask with unless "shared_key" names them.'
    if not access.people.everybody:
        named = user_ids(access.people.ids)
        whole_teams = len(named) < len(access.people.ids)
        for entry in dict.fromkeys((*trading.traders, *trading.approvers, *policy.consent.consent_signers)):
            if not whole_teams and user_ids((entry,))[0] not in named:
                yield f'{entry} has a part in this, and may not ask: "people" does not name them.'
    for entry in access.refused:
        if entry in (*trading.traders, *trading.approvers, *trading.halters, *policy.consent.consent_signers):
            yield f'{entry} has a part in this, and is among the "refused".'
    for entry in trading.traders:
        if trading.approvers == (entry,) and _watched(trading, entry):
            yield f"{entry} is the only approver, so nobody can give the second approval to their orders."


def _watched(trading: Trading, entry: str) -> bool:
    own: list[Trader] = [override for override in trading.trader if override.id == entry]
    limits: Limits = trading.with_override(own[0]) if own else trading
    return limits.four_eyes_above is not None


def _group(group: Group, everybody: str) -> str:
    return everybody if group.everybody else _ids(group.ids) or "Nobody"


def _ids(entries: Sequence[str]) -> str:
    return ", ".join(entries)


def _numbers(accounts: Sequence[int]) -> str:
    return f"the account{'' if len(accounts) == 1 else 's'} {', '.join(map(str, accounts)) or '(none)'}"


def _words(words: Sequence[StrEnum]) -> str:
    return ", ".join(word.value.replace("_", " ").lower() for word in words)


def _money(cap: Decimal | None) -> str:
    return "any amount" if cap is None else f"{dollars(cap)} at most"


def _shares(cap: Decimal | None) -> str:
    return "any number of shares" if cap is None else f"{plain(cap)} shares at most"


def _collar(limits: Limits) -> str:
    if limits.price_collar is None:
        return "No price collar."
    return f"A price may be {percent(limits.price_collar)} worse than the market."


def _four_eyes(limits: Limits) -> str:
    if limits.four_eyes_above is None:
        return "One approval is enough for every order."
    return f"Orders worth more than {dollars(limits.four_eyes_above)} need a second approval."


def _allowed(flag: bool) -> str:
    return "allowed" if flag else "not allowed"
