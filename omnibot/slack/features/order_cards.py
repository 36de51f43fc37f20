"""Order cards in Slack: posted once, kept up to date, copied to further approvers; and notices of outcomes.

Before anything of an order is written its place is judged again. Where account data may not be read any more a line
takes the card's place, and the card goes on in the owner's direct messages, with copies for those who had a say in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import structlog

from omnibot.accounts.model import Person
from omnibot.blocks.history import message_link
from omnibot.blocks.layout.fallbacks import plain_page, words_only
from omnibot.blocks.layout.types import Page
from omnibot.blocks.messages import one_line_page
from omnibot.blocks.orders.card import footer_card, order_card
from omnibot.blocks.orders.results import outcome_page, second_page
from omnibot.orders.model import MarketView, Notification, Ticket, read_quote
from omnibot.orders.risk_facts import warnings
from omnibot.orders.store import TicketStore
from omnibot.orders.ticket_factory import ASKED_ON_CARD
from omnibot.policy import roles
from omnibot.policy.access import Show
from omnibot.policy.identities import user_ids
from omnibot.slack.authorization.account_data import AccountDataPlaces, card_elsewhere, why_page
from omnibot.slack.authorization.service import Authorization
from omnibot.slack.delivery.messages import Messages
from omnibot.slack.delivery.metadata import Post
from omnibot.slack.delivery.ops_channel import OpsChannel
from omnibot.slack.errors import Refusal, SlackFailure

log = structlog.get_logger(__name__)

#: Slots of a ticket's messages; "copy:" and "told:" are begun by these words. "why" says why the card is in the DM.
CARD, FOOTER, COPY, TOLD, WHY = "card", "orders", "copy:", "told:", "why"
#: Approvers who are asked by name.
APPROVERS = 5
#: Looks, and seconds between them, for the card before this one: orders stand in the order they were proposed in.
LOOKS, LOOK = 30, 0.1

Slots = dict[str, Post]
#: Told of a turn whose orders nobody has to decide any more.
Settled = Callable[[str], Awaitable[None]]
#: Answers whose end of waiting was told, kept in memory.
REMEMBERED = 1_000


class OrderCards:
    """The `Cards` of the orders, on Slack.

    Args:
        posts: the messages of tickets.
        store: which tickets belong together.
        access: who somebody is.
        places: what may be shown where, now.
        ops: where trouble is said.
        workspace_url: the workspace's address, with a slash at its end.
        live: whether approved orders are sent.
        settled: see `Settled`.
    """

    def __init__(
        self,
        posts: Messages,
        store: TicketStore,
        access: Authorization,
        places: AccountDataPlaces,
        ops: OpsChannel,
        *,
        workspace_url: str,
        live: bool,
        settled: Settled,
    ) -> None:
        self._posts = posts
        self._store = store
        self._access = access
        self._places = places
        self._ops = ops
        self._workspace_url = workspace_url
        self._live = live
        self._settled = settled
        #: One writer for each answer's footer.
        self._footers: dict[str, asyncio.Lock] = {}
        #: Answers whose end of waiting was told.
        self._told: dict[str, None] = {}

    # The card.

    async def show(self, ticket: Ticket, seen: MarketView | None) -> None:
        """Post the card, or bring it and its copies up to date. Raises Refusal, and what slack_sdk raises."""
        slots = await self._posts.load(ticket.id)
        together = [ticket] if _is_alone(ticket) else await self._store.of_message(ticket.message_id)
        if CARD not in slots:
            await self._after_the_one_before(ticket, together)
        page = await self._page(ticket, seen, several=len(together))
        place, reason = await self._place(ticket, slots)
        if place is None:
            log.info("card_withheld", ticket=ticket.id)
            await self._withhold(ticket, slots, reason)
            await self._copy(ticket, slots, page)
            return
        if CARD in slots and _leaves(slots[CARD].channel, place):
            await self._copy_to_deciders(ticket, slots, page)
        await self._write(ticket, slots, CARD, page, place, reason=reason)
        await self._copy(ticket, slots, page)
        if ticket.decidable and ticket.approved_by:
            await self._ask_others(ticket, slots, page)
        if len(together) > 1:
            await self._foot(together, {} if seen is None else {ticket.id: seen})
        if ticket.turn_id is not None and not any(one.decidable for one in together):
            await self._settle(ticket.message_id, ticket.turn_id)

    async def _settle(self, message_id: str, turn_id: str) -> None:
        if message_id not in self._told:
            self._told[message_id] = None
            if len(self._told) > REMEMBERED:
                del self._told[next(iter(self._told))]
            await self._settled(turn_id)

    async def checking(self, ticket: Ticket) -> None:
        """Say on the card, where it is, that somebody's approval is being looked at."""
        slots = await self._posts.load(ticket.id)
        if CARD in slots and (await self._place(ticket, slots))[0] != slots[CARD].channel:
            return  # it moves as soon as it is drawn
        page = order_card(ticket, now=_now(), trading_live=self._live, checking=True)
        for slot in [slot for slot in slots if slot == CARD or slot.startswith(COPY)]:
            await self._posts.amend(ticket, slots, slot, page, session="active")

    async def _page(self, ticket: Ticket, seen: MarketView | None, *, several: int) -> Page:
        owner = await self._access.who(ticket.owner)
        policy, now = self._access.policy, _now()
        may = roles.may_trade(policy, owner, ticket.authority)
        oldest = timedelta(seconds=policy.trading.max_quote_age_seconds)
        said: list[str] = []
        if seen is not None:
            said = warnings(ticket, owner, seen, now=now, max_quote_age=oldest, several=several > 1)
        return order_card(
            ticket,
            seen,
            said,
            now=now,
            trading_live=self._live,
            withheld=None if may else may.reason,
            several=several,
        )

    # Where it is.

    async def _place(self, ticket: Ticket, slots: Slots) -> tuple[str | None, str]:
        """The channel for the card, and why it is not where it was to be, or stands.

        None: its owner is to hear nothing about accounts. What colleagues read already is brought up to date for them
        all the same, for as long as only full members do. Raises Refusal, and what slack_sdk raises.
        """
        stands = slots[CARD].channel if CARD in slots else ticket.channel
        shown = await self._places.final(ticket.owner, stands)
        if shown.show is Show.DIRECT:
            return await self._access.direct(ticket.owner), shown.reason
        if shown.show is Show.NEVER:
            stays = CARD in slots and not _is_dm(stands) and await self._places.of_members(ticket.owner, stands)
            return (stands, "") if stays else (None, shown.reason)
        return stands, ""

    async def _withhold(self, ticket: Ticket, slots: Slots, reason: str) -> None:
        for slot in (CARD, FOOTER):
            if slot in slots:
                await self._cover(ticket, slots, slot, reason)

    async def _cover(self, ticket: Ticket, slots: Slots, slot: str, line: str) -> None:
        """Put a line in the place of a message. Raises Refusal to have it tried again."""
        channel = slots[slot].channel
        thread_ts = ticket.thread_ts if channel == ticket.channel else None
        try:
            await self._posts.write(ticket, slots, slot, one_line_page(line), channel=channel, thread_ts=thread_ts)
        except Refusal as refusal:
            if refusal.verdict.failure in (SlackFailure.SLOW_DOWN, SlackFailure.UNKNOWN, SlackFailure.BROKEN_APP):
                raise
            log.warning("card_not_covered", ticket=ticket.id, slot=slot, error=refusal.verdict.code)

    # Copies.

    async def _copy_to_deciders(self, ticket: Ticket, slots: Slots, page: Page) -> None:
        """Those who had a say in it where they could read it, and soon cannot."""
        others = (*ticket.approved_by, *ticket.edited_by, *filter(None, (ticket.decided_by,)))
        for person in dict.fromkeys(others):
            if person != ticket.owner:
                await self._send_copy(ticket, slots, person, page)

    async def _send_copy(self, ticket: Ticket, slots: Slots, person: Person, page: Page) -> None:
        """A card of their own, unless they may hear of no accounts any more, or cannot be reached."""
        if not await self._access.hearing_of_accounts(person):
            return
        own = await self._access.direct(person)
        try:
            await self._write(ticket, slots, f"{COPY}{person.user}", page, own)
        except Refusal as refusal:
            if refusal.verdict.failure in (SlackFailure.SLOW_DOWN, SlackFailure.UNKNOWN):
                raise
            log.warning("copy_not_sent", ticket=ticket.id, user=person.user, error=refusal.verdict.code)

    async def _copy(self, ticket: Ticket, slots: Slots, page: Page) -> None:
        """Bring the copies up to date, of those who may hear of accounts still."""
        for slot in [slot for slot in slots if slot.startswith(COPY)]:
            allowed = await self._access.hearing_of_accounts(Person(ticket.owner.org, slot.removeprefix(COPY)))
            if allowed:
                await self._write(ticket, slots, slot, page, slots[slot].channel)
            else:
                await self._cover(ticket, slots, slot, allowed.reason)

    async def _after_the_one_before(self, ticket: Ticket, together: Sequence[Ticket]) -> None:
        before = [one for one in together if (one.action_id, one.position) < (ticket.action_id, ticket.position)]
        if not before:
            return
        for _ in range(LOOKS):
            if _is_posted(await self._posts.load(before[-1].id)):
                return
            await asyncio.sleep(LOOK)

    async def _write(
        self, ticket: Ticket, slots: Slots, slot: str, page: Page, channel: str, *, reason: str = ""
    ) -> None:
        """See to it that a slot shows a page: simpler where Slack wants that, in the owner's DM where it must be.

        What leaves a channel for the DM for that `reason` leaves a line there.
        """
        if slot in slots and _leaves(slots[slot].channel, channel):
            if slot == CARD:
                why = why_page(reason, slots[slot].channel)
                await self._posts.write(ticket, slots, WHY, why, channel=channel, thread_ts=None)
            await self._cover(ticket, slots, slot, card_elsewhere(reason))
            await self._posts.forget(ticket.id, slots, slot, channel)
        simpler = iter((plain_page, words_only))
        while True:
            thread_ts = ticket.thread_ts if channel == ticket.channel else None
            try:
                await self._posts.write(ticket, slots, slot, page, channel=channel, thread_ts=thread_ts)
                return
            except Refusal as refusal:
                failure = refusal.verdict.failure
                if failure is SlackFailure.MESSAGE_GONE:
                    if not ticket.open:
                        return  # somebody deleted the card of what is over
                    await self._posts.forget(ticket.id, slots, slot, channel)
                elif failure in (SlackFailure.BAD_BLOCKS, SlackFailure.REFUSED) and (simplify := next(simpler, None)):
                    page = simplify(page)
                elif failure is SlackFailure.CLOSED and not slot.startswith(COPY):
                    own = await self._access.direct(ticket.owner)
                    if own == channel:
                        raise
                    channel = own
                    await self._posts.forget(ticket.id, slots, slot, channel)
                else:
                    raise

    # Who else has to approve.

    async def _ask_others(self, ticket: Ticket, slots: Slots, page: Page) -> None:
        """Where they can read the card they are called to it; else they get one of their own."""
        asked = {one.user for one in (*ticket.approved_by, *ticket.edited_by)}
        approvers = [user for user in user_ids(self._access.policy.trading.approvers) if user not in asked][:APPROVERS]
        if not approvers:
            return
        place, _ = await self._place(ticket, slots)
        if place is not None and not _is_dm(place):
            called = f"second:{ticket.version}:{ticket.attempts}"
            await self._write(ticket, slots, called, second_page(ticket, approvers), place)
            return
        for user in approvers:
            await self._send_copy(ticket, slots, Person(ticket.owner.org, user), page)

    # Several orders of one answer.

    async def _foot(self, together: Sequence[Ticket], seen: Mapping[str, MarketView]) -> None:
        """Below the last card: how many wait, what they come to, and “Approve all”. The last ticket's own."""
        last = together[-1]
        async with self._footers.setdefault(last.message_id, asyncio.Lock()):
            slots = await self._posts.load(last.id)
            if not _is_posted(slots):
                return  # comes when the last card does
            now = await self._store.of_message(last.message_id)
            shown = {one.id: read_quote(one.seen) for one in now if one.seen is not None}
            page = footer_card(now, {**shown, **seen}, now=_now(), trading_live=self._live)
            place, reason = await self._place(last, slots)
            if place is not None:
                await self._write(last, slots, FOOTER, page, place, reason=reason)
        if not any(one.decidable for one in now):
            self._footers.pop(last.message_id, None)

    # Outcomes.

    async def tell(self, ticket: Ticket, what: Notification) -> None:
        """Tell the requester in the thread, and directly when they did not approve it themselves."""
        slots = await self._posts.load(ticket.id)
        card = slots.get(CARD)
        if card is None or card.ts is None:
            return  # there never was a card
        mark = f"{what.value}:{ticket.attempts}"
        place, reason = await self._place(ticket, slots)
        if place is None:
            return
        own = await self._access.direct(ticket.owner)
        await self._write(ticket, slots, f"{TOLD}{mark}", outcome_page(ticket), place, reason=reason)
        if ticket.decided_by != ticket.owner and place != own:
            link = self._link(ticket, card.channel, card.ts)
            await self._write(ticket, slots, f"{TOLD}dm:{mark}", outcome_page(ticket, mention=False, card=link), own)

    async def alert(self, sentence: str, *, by: str | None = None) -> None:
        """Say it in the ops channel."""
        await self._ops.say(sentence, by=by)

    # Where cards are.

    async def links(self, tickets: Sequence[Ticket]) -> dict[str, str]:
        """By ticket id, the addresses of their cards, where they have one."""
        found = await self._posts.addresses([ticket.id for ticket in tickets], CARD)
        return {one.id: self._link(one, *found[one.id]) for one in tickets if one.id in found}

    def _link(self, ticket: Ticket, channel: str, ts: str) -> str:
        return message_link(self._workspace_url, channel, ts, ticket.thread_ts if channel == ticket.channel else None)


def _is_alone(ticket: Ticket) -> bool:
    """Whether it was asked for on a card: what else is asked for there has nothing to do with it."""
    return ticket.message_id.startswith(ASKED_ON_CARD)


def _is_posted(slots: Slots) -> bool:
    return CARD in slots and slots[CARD].ts is not None


def _is_dm(channel: str) -> bool:
    return channel.startswith("D")


def _leaves(stands: str, goes: str) -> bool:
    """Whether what stands in a channel is to go on in somebody's direct messages."""
    return not _is_dm(stands) and _is_dm(goes)


def _now() -> datetime:
    return datetime.now(UTC)
