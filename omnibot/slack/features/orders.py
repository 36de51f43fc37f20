"""What people do with orders in Slack: each click is authorised as the clicker, and answered where they can see it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any
from weakref import WeakValueDictionary

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from omnibot.accounts.model import AccountUnclear, NoAuthority, Person
from omnibot.blocks.layout.builders import shorten
from omnibot.blocks.layout.modals import View, words_view
from omnibot.blocks.layout.types import Block, Page
from omnibot.blocks.orders.forms import decline_view, edit_view, read_form, replace_view
from omnibot.blocks.orders.list import home_orders, orders_page
from omnibot.blocks.orders.results import against, click_answer, click_view, form_again
from omnibot.clearstreet.models.orders import Order
from omnibot.errors import ClearStreetError
from omnibot.orders.click_results import SUPERSEDED
from omnibot.orders.model import MARKED, ClickOutcome, ClickResult, Ticket
from omnibot.orders.queries import MOST_LISTED
from omnibot.orders.service import Orders
from omnibot.policy.access import Show
from omnibot.policy.identities import Who
from omnibot.slack.authorization.service import Authorization
from omnibot.slack.authorization.users import ROLE_AGE
from omnibot.slack.delivery.background import Background
from omnibot.slack.delivery.ephemeral import tell_privately
from omnibot.slack.errors import SLACK_ERRORS
from omnibot.slack.features.order_cards import OrderCards
from omnibot.slack.features.order_proposals import SlackOrderProposals
from omnibot.slack.inbound.once import Once
from omnibot.turns.engine import Turns
from omnibot.turns.rules import in_plain_words

log = structlog.get_logger(__name__)

#: Seconds after which a card says that an approval is being looked at.
PATIENCE = 0.7
#: Seconds that reading today's orders may take.
READING = 8.0
#: Characters of a halt's reason.
REASON = 300
TITLE = "Order"
NOBODY = "Slack does not tell me who you are right now, so nothing was done. Try again in a minute."
GONE = "This order is not there any more. Ask Omni again for a fresh one."
NOT_YOURS = "This order was proposed to <@{}>. Only they can open its card; ask Omni yourself for one of your own."
THERE = "Its card is there already: {}"
ELSEWHERE = "Its card is in your messages with me: what is said of accounts is not shown here."
BROKE = "That did not work. Look at the card before you try again; if it stays so, tell whoever runs omnibot."
#: Answers that the card itself gives.
_SEEN_ON_CARD = frozenset({ClickOutcome.APPROVED, ClickOutcome.EDITED, ClickOutcome.DECLINED, ClickOutcome.COPYABLE})


#: To a press or a form whose parts are not of one version.
STALE = ClickResult(answer=ClickOutcome.SUPERSEDED, message=SUPERSEDED)


#: A ticket, and why somebody may not do something with it; None: they may.
May = Callable[[Who], Awaitable[tuple[Ticket | None, ClickResult | None]]]


class OrderActions:
    """Takes what people do with orders.

    Args:
        orders: the tickets.
        cards: where their cards are.
        broker: the way from answers to tickets.
        turns: whose answers have buttons.
        access: who somebody is.
        background: where cards are brought up to date while somebody's click is answered.
    """

    def __init__(
        self,
        orders: Orders,
        cards: OrderCards,
        order_proposals: SlackOrderProposals,
        turns: Turns,
        access: Authorization,
        background: Background,
    ) -> None:
        self._orders = orders
        self._cards = cards
        self._order_proposals = order_proposals
        self._turns = turns
        self._access = access
        self._background = background
        self._approving: Once[list[ClickResult] | None] = Once()
        #: One press at a time looks at an order.
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def _who(self, person: Person, team: str) -> Who | None:
        try:
            return await self._access.who(person, age=ROLE_AGE)
        except SLACK_ERRORS:
            return None

    # Deciding.

    async def approve(self, person: Person, team: str, tokens: Sequence[str]) -> Page | None:
        """Approve these versions. Returns what the clicker is told; None: the card says it.

        Args:
            person: who pressed.
            team: the workspace they pressed in.
            tokens: what the button carried, `Ticket.press` each; none: its names were not of the same version.
        """
        if not tokens:
            return click_answer(STALE)
        under_way, first = self._approving.begin(
            (person, tuple(tokens)), partial(self._approved_in_turn, person, team, tokens)
        )
        if not first:
            return None  # the same press once more: what came of the first is told, or on the card
        done, _ = await asyncio.wait({under_way}, timeout=PATIENCE)
        if not done:
            # Beside it: the clicker does not wait for the card.
            self._background.start(self._checking(tokens, under_way))
        clicks = await under_way
        return _said(NOBODY) if clicks is None else _told(clicks)

    async def _approved_in_turn(self, person: Person, team: str, tokens: Sequence[str]) -> list[ClickResult] | None:
        """Approve when nobody else is approving the same orders: each is looked at for one press at a time."""
        async with contextlib.AsyncExitStack() as stack:
            for token in sorted({token.partition(MARKED)[0] for token in tokens}):
                await stack.enter_async_context(self._locks.setdefault(token, asyncio.Lock()))
            return await self._approved(person, team, tokens)

    async def _approved(self, person: Person, team: str, tokens: Sequence[str]) -> list[ClickResult] | None:
        who = await self._who(person, team)
        if who is None:
            return None
        if len(tokens) > 1 and not await self._are_as_shown(tokens):
            return [STALE]
        return await self._orders.approve(tokens, who, team)

    async def _are_as_shown(self, tokens: Sequence[str]) -> bool:
        """Whether none of the orders that are approved together was edited since that was shown."""
        found = [await self._orders.by_token(token.partition(MARKED)[0]) for token in tokens]
        pairs = zip(tokens, found, strict=True)
        return all(pair is None or token == pair[0].press for token, pair in pairs)

    async def _checking(self, tokens: Sequence[str], under_way: asyncio.Future[list[ClickResult] | None]) -> None:
        """Say on the cards that they are being looked at, until they have been."""
        bare = [token.partition(MARKED)[0] for token in tokens]
        found = [pair[0] for token in bare if (pair := await self._orders.by_token(token)) is not None]
        waiting = [ticket for ticket in found if ticket.decidable]
        said = await asyncio.gather(*(self._orders.check(ticket) for ticket in waiting))
        await asyncio.wait({under_way})
        for ticket, is_said in zip(waiting, said, strict=True):
            if is_said:
                await self._orders.redraw(ticket.id)

    async def propose_cancel(self, person: Person, team: str, ticket_id: str) -> Page | None:
        """Make a card that cancels this ticket's order. Returns as `approve`."""
        who = await self._who(person, team)
        if not ticket_id:
            return click_answer(STALE)
        if who is None:
            return _said(NOBODY)
        return _told([await self._orders.propose_cancel(ticket_id, who, team)])

    # Forms.

    async def edit_form(self, person: Person, team: str, token: str) -> View:
        """The form that edits a ticket, or why there is none."""
        found = await self._form(person, team, token, partial(self._orders.editable, token))
        return found if isinstance(found, dict) else edit_view(found[0], now=_now())

    async def _form(
        self, person: Person, team: str, about: str, may: May, shown: Mapping[str, Any] | None = None
    ) -> tuple[Ticket, Who] | View:
        """A ticket to draw a form of, and for whom; or what stands there instead of the form.

        Args:
            shown: the form as this person has it before them already, with what they entered.
        """
        if not about:
            return click_view(STALE) if shown is None else form_again(shown, STALE)
        who = await self._who(person, team)
        if who is None:
            return words_view(TITLE, NOBODY) if shown is None else form_again(shown, NOBODY)
        ticket, refused = await may(who)
        if refused is not None:
            return click_view(refused) if shown is None else form_again(shown, refused)
        return words_view(TITLE, GONE) if ticket is None else (ticket, who)

    async def edit_preview(self, person: Person, team: str, token: str, shown: Mapping[str, Any]) -> View:
        """The form that somebody has before them with what they entered, and what the rules say to that."""
        found = await self._form(person, team, token, partial(self._orders.editable, token), shown)
        if isinstance(found, dict):
            return found
        ticket, who = found
        entered = read_form(shown.get("state"))
        looked = await self._orders.preview(token, entered, who)
        if looked.answer not in (ClickOutcome.EDITED, ClickOutcome.INVALID):
            return form_again(shown, looked)
        said = against(looked) if looked.answer is ClickOutcome.EDITED else []
        return edit_view(ticket, entered, now=_now(), said=said)

    async def edit(self, person: Person, team: str, token: str, state: Any) -> ClickResult | None:
        """Use what was entered; None: it is not known who they are."""
        if not token:
            return STALE
        who = await self._who(person, team)
        return None if who is None else await self._orders.edit(token, read_form(state), who)

    async def replace_form(
        self, person: Person, team: str, ticket_id: str, shown: Mapping[str, Any] | None = None
    ) -> View:
        """The form that changes a working order, or why there is none; `shown` as they have it before them already."""
        entered = None if shown is None else read_form(shown.get("state"))
        found = await self._form(person, team, ticket_id, partial(self._orders.touchable, ticket_id), shown)
        return found if isinstance(found, dict) else replace_view(found[0], entered, now=_now())

    async def replace(self, person: Person, team: str, ticket_id: str, state: Any) -> ClickResult | None:
        """Make a card that changes this ticket's order to what was entered."""
        if not ticket_id:
            return STALE
        who = await self._who(person, team)
        return None if who is None else await self._orders.propose_replace(ticket_id, read_form(state), who, team)

    async def decline_form(self, person: Person, team: str, token: str) -> View:
        """The form that declines a ticket, or why there is none."""
        found = await self._form(person, team, token, partial(self._orders.declinable, token))
        return found if isinstance(found, dict) else decline_view(found[0])

    async def decline(self, person: Person, team: str, token: str, reason: str | None) -> ClickResult | None:
        """Say no."""
        if not token:
            return STALE
        who = await self._who(person, team)
        return None if who is None else await self._orders.decline(token, who, reason)

    # From an answer's button.

    async def open(self, person: Person, team: str, token: str) -> str | None:
        """Show the cards that a button stands for. Returns what the clicker is told; None: the cards come."""
        found = await self._turns.answer_actions.order_of(token, team=team)
        if found is None:
            return GONE
        turn, action_id = found
        if turn.person != person:
            return NOT_YOURS.format(turn.person.user)
        tickets = await self._order_proposals.open(turn, action_id)
        if not tickets:
            return GONE
        links = await self._cards.links(tickets)
        if links:
            return THERE.format(" ".join(f"<{link}|the card>" for link in links.values()))
        shown = await self._access.may_see_account_data(person, turn.channel)
        return {Show.HERE: None, Show.NEVER: shown.reason}.get(shown.show, ELSEWHERE)

    # Lists and the halt.

    async def mine(self, person: Person, number: int = 0) -> Page:
        """A page of `/omni orders`."""
        allowed = await self._access.hearing_of_accounts(person)
        if not allowed:
            return _said(allowed.reason)
        tickets = await self._orders.mine(person)
        orders: list[Order] = []
        trouble = ""
        try:
            async with asyncio.timeout(READING):
                orders = await self._orders.todays_orders(person)
        except (NoAuthority, AccountUnclear) as error:
            trouble = str(error)
        except ClearStreetError as error:
            trouble = f"Today's orders could not be read. {in_plain_words(error)}"
        except TimeoutError:
            trouble = "Clear Street takes too long to list today's orders. Try again in a minute."
        if len(tickets) >= MOST_LISTED:
            trouble = f"Only the newest {MOST_LISTED} of your tickets are shown. {trouble}".rstrip()
        links = await self._cards.links(tickets)
        return orders_page(tickets, orders, now=_now(), links=links, number=number, trouble=trouble)

    async def open_tickets(self, person: Person) -> list[Block]:
        """What of a person's is open, for their App Home."""
        tickets = [ticket for ticket in await self._orders.mine(person) if ticket.open]
        return home_orders(tickets, now=_now(), links=await self._cards.links(tickets)) if tickets else []

    async def halt(self, person: Person, team: str, *, halted: bool, reason: str = "") -> Page:
        """Halt all trading, or let it go on; `reason` as it was typed."""
        who = await self._who(person, team)
        if who is None:
            return _said(NOBODY)
        why = shorten(reason, REASON) or None
        return click_answer(await (self._orders.halt(who, why) if halted else self._orders.resume(who, why)))


async def say(client: AsyncWebClient, *, channel: str, user: str, page: Page, thread_ts: str | None) -> None:
    """Tell the clicker, where they clicked."""
    await tell_privately(
        client, channel=channel, user=user, sentence=page.text, thread_ts=thread_ts, blocks=page.blocks
    )


def _told(clicks: Sequence[ClickResult]) -> Page | None:
    """What of the answers the cards do not say themselves; the same is said once."""
    pages = [click_answer(click) for click in clicks if not _is_seen(click)]
    if not pages:
        return None
    different = list({page.text: page for page in pages}.values())
    return Page([block for page in different for block in page.blocks][:50], "\n".join(page.text for page in different))


def _is_seen(click: ClickResult) -> bool:
    return click.answer in _SEEN_ON_CARD or (click.answer is ClickOutcome.DONE and click.ticket is not None)


def _said(sentence: str) -> Page:
    return click_answer(ClickResult(answer=ClickOutcome.NOT_ALLOWED, message=sentence))


def _now() -> datetime:
    return datetime.now(UTC)
