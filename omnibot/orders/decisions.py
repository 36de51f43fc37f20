"""Decisions on orders: approve, preview, edit, decline. Every click is authorised as the clicker, at this moment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import structlog

from omnibot.accounts.model import Person
from omnibot.accounts.service import Keyring, NoAuthority
from omnibot.clearstreet.models.enums import OrderStatus
from omnibot.errors import OwnershipLost
from omnibot.orders.approvals import ApprovalRequest, Approvals, Judgement
from omnibot.orders.audit import Entry
from omnibot.orders.click_results import (
    EDITING,
    decided,
    helpers,
    no_such,
    not_as_shown,
    reasons,
    said_of,
    why_not,
)
from omnibot.orders.market_reader import PATIENCE, MarketReader
from omnibot.orders.model import MARKED, ClickOutcome, ClickResult, MarketView, Terms, Ticket, TicketState
from omnibot.orders.order_parser import edited, terms_of
from omnibot.orders.risk_facts import REVIEW, drift, order_facts
from omnibot.orders.store import Content, TicketStore
from omnibot.orders.ticket_factory import NOTHING_NEW, TicketFactory, changed
from omnibot.orders.wording import changes
from omnibot.policy import roles
from omnibot.policy.facts import DayFacts, MarketFacts, OrderAction
from omnibot.policy.identities import PersonKind, Who
from omnibot.policy.model import Policy
from omnibot.policy.order_rules import Decision, RuleVerdict, check_orders, decide

log = structlog.get_logger(__name__)

WhoIs = Callable[[Person, str], Awaitable[Who]]
"""Who somebody is, as Slack says now, seen from a workspace."""
#: Times that a group of approvals is judged, because others vote meanwhile.
TRIES = 5
ORDER_CHANGED = "The order that this changes is not as it was when this card was made. Ask for the change again."
ORDER_CHANGING = (
    "An earlier change of this order is still on its way at Clear Street. Try again when it has taken effect."
)
ORDER_UNREAD = "Clear Street does not say how the order that this changes stands. Try again in a minute."
TOGETHER = "These orders are approved together or not at all, so none was approved. {}"
SEVERAL_OWNERS = "These orders belong to several people. Approve each on its own card."
NO_KEY = "The Clear Street key it would be sent with is not there: its owner links one with `/omni link`."
MAY_TURN_UP = (
    "It was sent once, and may still turn up; and trading is off now. Look at the account's orders in Clear Street "
    "before you type it in by hand."
)
READ_AGAIN = "It is drawn anew: read it again, then approve."
CHECKED = "This can be saved."


class Rules(Protocol):
    """The policy of the moment, and the digest of its file."""

    @property
    def current(self) -> Policy: ...

    @property
    def digest(self) -> str: ...


class _Strangers(Exception):
    """Judging needs to know who these are."""

    def __init__(self, people: frozenset[Person]) -> None:
        super().__init__(len(people))
        self.people = people


class OrderDecisions:
    """Takes people's decisions.

    Args:
        who: tells who the owner, and others who approved, are.
        live: whether approved orders are sent.
    """

    def __init__(
        self,
        store: TicketStore,
        approvals: Approvals,
        keyring: Keyring,
        market: MarketReader,
        proposing: TicketFactory,
        *,
        rules: Rules,
        who: WhoIs,
        live: bool,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._approvals = approvals
        self._keyring = keyring
        self._market = market
        self._proposing = proposing
        self._rules = rules
        self._who = who
        self._live = live
        self._clock = clock

    # Approve.

    async def approve(self, tokens: Sequence[str], clicker: Who, team: str) -> list[ClickResult]:
        """Approve the versions these tokens are of, each owner's together; answers in their order."""
        clicks: dict[str, ClickResult] = {}
        groups: dict[Person, dict[str, Ticket]] = {}
        for token in dict.fromkeys(tokens):
            ticket, answer = await self._decidable(token)
            if ticket is None or answer is not None:
                clicks[token] = answer or no_such()
            else:
                groups.setdefault(ticket.owner, {})[token] = ticket
        waiting = {token: ticket for by_token in groups.values() for token, ticket in by_token.items()}
        if clicks and waiting:
            # All of them were on the screen when that was pressed: what is left of them was not asked for.
            why = next(iter(clicks.values()))
            message = TOGETHER.format(_about(why.ticket, why.message))
            clicks |= await self._stopped(waiting, message, clicker)
        elif len(groups) > 1:
            clicks |= await self._stopped(waiting, SEVERAL_OWNERS, clicker)
        else:
            for owner, by_token in groups.items():
                found = await self._approve_of(owner, list(by_token.values()), clicker, team)
                clicks |= {token: found[ticket.id] for token, ticket in by_token.items()}
        return [clicks[token] for token in tokens]

    async def _stopped(self, waiting: Mapping[str, Ticket], message: str, clicker: Who) -> dict[str, ClickResult]:
        """Nothing of what was pressed is approved, and nothing of it was looked at."""
        facts: dict[str, Any] = {"reason": message, "policy": self._rules.digest, "verdicts": []}
        person = Person(clicker.org, clicker.user)
        await self._store.note(
            *(Entry(kind="denied", actor=person, ticket=one, facts=facts) for one in waiting.values())
        )
        return {
            token: ClickResult(answer=ClickOutcome.DENIED, message=message, ticket=one)
            for token, one in waiting.items()
        }

    async def _decidable(self, token: str) -> tuple[Ticket | None, ClickResult | None]:
        """The ticket of a token, and why its button does nothing. `token~mark` names what was on the screen too."""
        token, _, mark = token.partition(MARKED)
        found = await self._store.by_token(token)
        if found is None:
            return None, no_such()
        ticket, version = found
        return ticket, why_not(ticket, version, self._clock()) or not_as_shown(ticket, mark)

    async def _approve_of(
        self, owner: Person, waiting: Sequence[Ticket], clicker: Who, team: str
    ) -> dict[str, ClickResult]:
        owner_who = await self._who_is(owner, waiting[0].team, clicker)
        refused = self._refused(waiting[0], clicker, owner_who)
        if refused is not None:
            await self._note_refusal(waiting, refused.message, clicker)
            return {one.id: replace(refused, ticket=one) for one in waiting}
        seen, trouble = await asyncio.gather(self._market.look(waiting), self._troubles(waiting))
        trouble = {**_unread(waiting, seen), **trouble}
        if trouble:
            return await self._denied(waiting, trouble, clicker, seen)
        asks = [
            ApprovalRequest(
                ticket_id=one.id,
                account_id=one.account_id,
                version=one.version,
                attempts=one.attempts,
                seen=seen[one.id],
            )
            for one in waiting
        ]
        judged = await self._judged(asks, waiting, clicker, owner_who, team)
        versions = {one.id: one.version for one in waiting}
        own = {one.ticket.id: self._own_reason(one, versions[one.ticket.id]) for one in judged}
        stopped = [(one.ticket, own[one.ticket.id]) for one in judged if own[one.ticket.id]]
        return {
            one.ticket.id: self._answer(one, versions[one.ticket.id], own[one.ticket.id], stopped, seen[one.ticket.id])
            for one in judged
        }

    def _own_reason(self, judged: Judgement, version: int) -> str:
        """Why this very ticket was not approved; empty: nothing was wrong with it."""
        if judged.decision is None:
            return self._decided(judged.ticket, version).message
        if judged.obstacle is not None:
            return judged.obstacle
        return reasons(judged.verdicts) if decide(judged.verdicts) is Decision.DENY else ""

    def _decided(self, ticket: Ticket, version: int) -> ClickResult:
        return why_not(ticket, version, self._clock()) or decided(ticket)

    def _refused(self, ticket: Ticket, clicker: Who, owner: Who) -> ClickResult | None:
        verdict = roles.may_approve(self._rules.current, clicker, owner)
        if verdict:
            return None
        return ClickResult(answer=ClickOutcome.NOT_ALLOWED, message=verdict.reason, ticket=ticket, ask=verdict.ask)

    async def _judged(
        self, asks: Sequence[ApprovalRequest], waiting: Sequence[Ticket], clicker: Who, owner: Who, team: str
    ) -> list[Judgement]:
        known = {Person(clicker.org, clicker.user): clicker, Person(owner.org, owner.user): owner}
        people = frozenset(one for ticket in waiting for one in (*ticket.approved_by, *ticket.edited_by))
        for _ in range(TRIES):
            await self._meet(people, known, waiting[0].team, clicker)
            # One policy for all of it, though a new one may come into force meanwhile.
            policy, digest, now = self._rules.current, self._rules.digest, self._clock()

            def judge(
                cases: Sequence[tuple[Ticket, MarketFacts]], day: DayFacts, policy: Policy = policy, now: datetime = now
            ) -> list[list[RuleVerdict]]:
                return _judge(policy, cases, day, known, owner, now)

            try:
                return await self._approvals.approve(
                    asks, clicker=clicker, owner=owner, team=team, digest=digest, now=now, judge=judge, live=self._live
                )
            except _Strangers as strangers:
                people = strangers.people
        raise OwnershipLost

    async def _meet(self, people: Iterable[Person], known: dict[Person, Who], team: str, clicker: Who) -> None:
        strangers = [person for person in people if person not in known]
        found = await asyncio.gather(*(self._who_is(person, team, clicker) for person in strangers))
        known |= dict(zip(strangers, found, strict=True))

    async def _who_is(self, person: Person, team: str, clicker: Who) -> Who:
        """Somebody Slack says nothing about is nobody: the rules refuse them."""
        if (clicker.org, clicker.user) == (person.org, person.user):
            return clicker
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._who(person, team)
        except Exception as error:
            log.warning("person_unknown", org=person.org, user=person.user, error=type(error).__name__)
            return Who(person.org, person.user, PersonKind.UNKNOWN)

    async def _troubles(self, waiting: Sequence[Ticket]) -> dict[str, str]:
        """What keeps tickets from being sent that the rules do not ask about, by id."""
        said = await asyncio.gather(*map(self._trouble, waiting))
        return {ticket.id: trouble for ticket, trouble in zip(waiting, said, strict=True) if trouble is not None}

    async def _trouble(self, ticket: Ticket) -> str | None:
        try:
            await self._keyring.key_of(ticket.principal)
        except NoAuthority:
            return NO_KEY
        if not self._live and ticket.attempts:
            return MAY_TURN_UP
        if ticket.terms.act is not OrderAction.MODIFY:
            return None
        if ticket.before is None:
            return ORDER_UNREAD
        order_id = ticket.terms.order_id or ""
        order = await self._proposing.order_of(ticket.principal, ticket.account_id, order_id)
        if order is None:
            return ORDER_UNREAD
        if order.status in (OrderStatus.PENDING_REPLACE, OrderStatus.PENDING_CANCEL):
            # Two changes that take effect together make an order that nobody judged.
            return ORDER_CHANGING
        same = not order.over and terms_of(order, ticket.account_id) == ticket.before
        return None if same else ORDER_CHANGED

    async def _denied(
        self, waiting: Sequence[Ticket], trouble: Mapping[str, str], clicker: Who, seen: Mapping[str, MarketView]
    ) -> dict[str, ClickResult]:
        person, clicks = Person(clicker.org, clicker.user), {}
        first = next(iter(trouble))
        together = TOGETHER.format(_about(next(one for one in waiting if one.id == first), trouble[first]))
        for one in waiting:
            message = trouble.get(one.id, together)
            quotes = {"shown": one.seen, "quote": seen[one.id].quote()}
            facts: dict[str, Any] = {"reason": message, "policy": self._rules.digest, **quotes, "verdicts": []}
            await self._store.note(Entry(kind="denied", actor=person, ticket=one, facts=facts))
            clicks[one.id] = ClickResult(answer=ClickOutcome.DENIED, message=message, ticket=one, seen=seen[one.id])
        return clicks

    async def _note_refusal(self, waiting: Sequence[Ticket], reason: str, clicker: Who) -> None:
        """Who tried to approve what is not theirs to approve."""
        facts: dict[str, Any] = {"reason": reason, "policy": self._rules.digest, "verdicts": []}
        person = Person(clicker.org, clicker.user)
        await self._store.note(*(Entry(kind="refused", actor=person, ticket=one, facts=facts) for one in waiting))

    def _answer(
        self, judged: Judgement, version: int, own: str, stopped: Sequence[tuple[Ticket, str]], seen: MarketView
    ) -> ClickResult:
        """Args: own: why this ticket was stopped; stopped: those that were, and why."""
        ticket, verdicts = judged.ticket, judged.verdicts
        if judged.decision is None:
            return self._decided(ticket, version)
        if judged.decision is Decision.DENY:
            message = own or TOGETHER.format(_about(*stopped[0]))
            if own and seen.trouble and seen.bid is None:
                message = f"{message} {seen.trouble}"
            return self._click(ClickOutcome.DENIED, message, judged, seen)
        if judged.decision is Decision.SECOND_APPROVAL:
            return self._click(ClickOutcome.SECOND_NEEDED, f"Your approval counts. {reasons(verdicts)}", judged, seen)
        if ticket.state is TicketState.COPYABLE:
            message = f"Trading is off, so nothing was sent. To be typed in by hand: {said_of(ticket)}."
            return self._click(ClickOutcome.COPYABLE, message, judged, seen)
        return self._click(ClickOutcome.APPROVED, f"Approved: {said_of(ticket)}.", judged, seen)

    @staticmethod
    def _click(answer: ClickOutcome, message: str, judged: Judgement, seen: MarketView) -> ClickResult:
        return ClickResult(
            answer=answer,
            message=message,
            ticket=judged.ticket,
            verdicts=judged.verdicts,
            ask=helpers(judged.verdicts),
            seen=seen,
        )

    # Edit.

    async def preview(self, token: str, entered: Mapping[str, Any], clicker: Who) -> ClickResult:
        """What an edit would come to, and what the rules would say; writes nothing.

        Returns:
            EDITED, with the ticket as it would be, its `changes` and the verdicts; INVALID with problems by field; or
            why nothing can be edited.
        """
        ticket, answer = await self.editable(token, clicker)
        if ticket is None or answer is not None:
            return answer or no_such()
        written, problems = await self._entered(ticket, entered)
        new = _with(ticket, written)
        if problems:
            return ClickResult(answer=ClickOutcome.INVALID, message=problems.get("", ""), ticket=new, problems=problems)
        owner = await self._who_is(ticket.owner, ticket.team, clicker)
        now = self._clock()
        seen = await self._market.look([new])
        day = await self._approvals.day_of(owner, now, new, seen[ticket.id])
        known = {Person(clicker.org, clicker.user): clicker, ticket.owner: owner}
        market = await self._approvals.market_of(new, seen[ticket.id])
        clicked = replace(new, approved_by=(Person(clicker.org, clicker.user),), edited_by=())
        [verdicts] = _judge(self._rules.current, [(clicked, market)], day, known, owner, now)
        message = reasons(verdicts) or CHECKED
        return ClickResult(
            answer=ClickOutcome.EDITED, message=message, ticket=new, verdicts=tuple(verdicts), seen=seen[ticket.id]
        )

    async def edit(self, token: str, entered: Mapping[str, Any], clicker: Who) -> ClickResult:
        """Make a new version of what was entered; approvals of the one before count no more."""
        ticket, answer = await self.editable(token, clicker)
        if ticket is None or answer is not None:
            return await self._same_edit(answer, entered, clicker) or answer or no_such()
        written, problems = await self._entered(ticket, entered)
        if problems:
            return ClickResult(
                answer=ClickOutcome.INVALID, message=problems.get("", ""), ticket=ticket, problems=problems
            )
        person, told = Person(clicker.org, clicker.user), changes(ticket.terms, written.terms)
        try:
            made = await self._store.edit(ticket, written, told, person, self._clock())
        except OwnershipLost:
            answer = await self._meanwhile(ticket)
            return await self._same_edit(answer, entered, clicker) or answer
        return ClickResult(answer=ClickOutcome.EDITED, message=f"Edited: {', '.join(told)}.", ticket=made)

    async def _same_edit(
        self, answer: ClickResult | None, entered: Mapping[str, Any], clicker: Who
    ) -> ClickResult | None:
        """The answer to an edit that this person has made already: another instance got the same form."""
        ticket = None if answer is None or answer.answer is not ClickOutcome.SUPERSEDED else answer.ticket
        if ticket is None or Person(clicker.org, clicker.user) not in ticket.edited_by:
            return None
        _, problems = await self._entered(ticket, entered)
        if problems != {"": NOTHING_NEW}:
            return None
        return ClickResult(answer=ClickOutcome.EDITED, message=f"Edited: {', '.join(ticket.changes)}.", ticket=ticket)

    async def editable(self, token: str, clicker: Who) -> tuple[Ticket | None, ClickResult | None]:
        """The ticket of a token, and why this person cannot edit it; None: they can."""
        ticket, answer = await self._decidable(token)
        if ticket is None or answer is not None:
            return ticket, answer
        refused = self._refused(ticket, clicker, await self._who_is(ticket.owner, ticket.team, clicker))
        if refused is None and ticket.state is not TicketState.PROPOSED:
            refused = ClickResult(answer=ClickOutcome.DECIDED, message=EDITING, ticket=ticket)
        return ticket, refused

    async def _entered(self, ticket: Ticket, entered: Mapping[str, Any]) -> tuple[Content, dict[str, str]]:
        now = self._clock()
        if ticket.terms.act is OrderAction.MODIFY and ticket.before is not None:
            empty = Terms(
                act=OrderAction.MODIFY,
                account_id=ticket.account_id,
                order_id=ticket.terms.order_id,
                not_understood=ticket.terms.not_understood,
            )
            kept = {name: value for name in _AMOUNTS_OF if (value := getattr(ticket.terms, name)) is not None}
            terms, problems = changed(replace(empty, **kept), ticket.before, entered, now)
        else:
            terms, problems = edited(ticket.terms, entered, now.replace(tzinfo=UTC))
        if not problems and terms == ticket.terms:
            problems[""] = NOTHING_NEW
        content = await self._proposing.content(ticket, terms)
        if not problems and content.unsendable is not None:
            problems[""] = content.unsendable
        return content, problems

    # Decline.

    async def decline(self, token: str, clicker: Who, reason: str | None) -> ClickResult:
        """Say no. The owner may always; and who may approve."""
        ticket, answer = await self.declinable(token, clicker)
        person = Person(clicker.org, clicker.user)
        if ticket is None or answer is not None:
            return _same_decline(answer or no_such(), person)
        try:
            made = await self._store.decline(ticket, person, reason)
        except OwnershipLost:
            return _same_decline(await self._meanwhile(ticket), person)
        return _declined(made)

    async def declinable(self, token: str, clicker: Who) -> tuple[Ticket | None, ClickResult | None]:
        """The ticket of a token, and why this person cannot decline it; None: they can."""
        ticket, answer = await self._decidable(token)
        if ticket is None or answer is not None or Person(clicker.org, clicker.user) == ticket.owner:
            return ticket, answer
        return ticket, self._refused(ticket, clicker, await self._who_is(ticket.owner, ticket.team, clicker))

    async def may_touch(self, ticket: Ticket, clicker: Who) -> ClickResult | None:
        """Why this person may not ask for the order of a ticket to be canceled or changed; None: they may."""
        return self._refused(ticket, clicker, await self._who_is(ticket.owner, ticket.team, clicker))

    async def _meanwhile(self, ticket: Ticket) -> ClickResult:
        """Somebody was quicker."""
        now = await self._store.get(ticket.id)
        return no_such() if now is None else why_not(now, ticket.version, self._clock()) or decided(now)


def _declined(ticket: Ticket) -> ClickResult:
    return ClickResult(answer=ClickOutcome.DECLINED, message=f"Declined: {said_of(ticket)}.", ticket=ticket)


def _same_decline(answer: ClickResult, person: Person) -> ClickResult:
    """The answer to a decline; to whoever has declined it already: another instance got the same form."""
    ticket = answer.ticket
    same = ticket is not None and ticket.state is TicketState.DECLINED and ticket.decided_by == person
    return _declined(ticket) if same and ticket is not None else answer


def _about(ticket: Ticket | None, message: str) -> str:
    """What is said of one order among several."""
    return message if ticket is None else f"“{said_of(ticket)}”: {message}"


def lasting(rules: Rules) -> timedelta:
    """How long a ticket waits for people."""
    return timedelta(minutes=rules.current.trading.ticket_expiry_minutes)


def _unread(waiting: Sequence[Ticket], seen: Mapping[str, MarketView]) -> dict[str, str]:
    """By id, those whose card shows a market that is not there any more."""
    moved = {
        one.id: drift(one.seen, seen[one.id], least=REVIEW)
        for one in waiting
        if one.terms.act is not OrderAction.CANCEL
    }
    return {id: f"{said} {READ_AGAIN}" for id, said in moved.items() if said is not None}


_AMOUNTS_OF = ("quantity", "limit_price", "stop_price", "limit_offset", "trailing_offset", "trailing_offset_type")


def _with(ticket: Ticket, content: Content) -> Ticket:
    return replace(
        ticket,
        terms=content.terms,
        body=content.body,
        unsendable=content.unsendable,
        changes=changes(ticket.terms, content.terms),
    )


def _judge(
    policy: Policy,
    cases: Sequence[tuple[Ticket, MarketFacts]],
    day: DayFacts,
    known: Mapping[Person, Who],
    owner: Who,
    now: datetime,
) -> list[list[RuleVerdict]]:
    people = {person for ticket, _ in cases for person in (*ticket.approved_by, *ticket.edited_by)}
    if strangers := people - known.keys():
        raise _Strangers(frozenset(strangers))
    orders = [
        (order_facts(one, owner, [known[p] for p in one.approved_by], [known[p] for p in one.edited_by]), market)
        for one, market in cases
    ]
    return check_orders(policy, orders, day, now)
