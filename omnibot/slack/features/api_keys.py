"""API keys and account choice in Slack: commands, modals and notices."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from omnibot import telemetry
from omnibot.accounts.link_page import LinkPage
from omnibot.accounts.linking import Linking
from omnibot.accounts.model import (
    AccountFixed,
    KeyChanged,
    KeySeen,
    Link,
    Linked,
    LinkingOff,
    NoAuthority,
    NoSuchAccount,
    NotLinked,
    Person,
    Place,
    Unlinked,
    account_name,
)
from omnibot.accounts.service import Keyring
from omnibot.blocks.account.account_choice import ACCOUNT_TITLE, account_mark, account_view
from omnibot.blocks.account.api_keys import (
    LINK_TITLE,
    Known,
    Trouble,
    key_mark,
    link_view,
    linked_elsewhere_page,
    linked_view,
    waiting_words,
)
from omnibot.blocks.account.prompts import ACCOUNT_ACTION, LABELS, LINK_ACTION
from omnibot.blocks.layout.modals import ActionPrompt, View, words_view
from omnibot.clearstreet.models import Account
from omnibot.errors import ClearStreetError
from omnibot.slack.authorization.service import Authorization
from omnibot.slack.authorization.users import Users
from omnibot.turns.engine import Turns

log = structlog.get_logger(__name__)

NOT_LINKED = "You have not linked a Clear Street API key. `/omni link` links one."
KEY_CHANGED = "Your key changed since this was shown, so nothing was done. `/omni link` shows the one you have now."
CHOICE_CHANGED = "This changed since it was shown, so nothing was done. Read it as it is now, and save again."
_TO_LINK = ActionPrompt(LINK_ACTION, LABELS[LINK_ACTION])


@dataclass(frozen=True, slots=True)
class Workspace:
    """The one omnibot is installed in."""

    team: str
    name: str


@dataclass(frozen=True, slots=True)
class ChoiceShown:
    """What a choice between accounts showed."""

    #: The mark of the accounts, and of which was chosen then.
    mark: str
    #: The conversation from which somebody came, and whether they choose for that one alone.
    place: Place | None
    here: bool


class ApiKeyActions:
    """Says and does what people ask for about their keys and accounts.

    Args:
        linking: their keys.
        keyring: whose key and account a question uses.
        access: who may.
        people: their names.
        turns: whose waiting questions go on.
        pages: the one-time pages; None: there are none.
        workspace: where all that happens.
        changed: told of whom something changed.
    """

    def __init__(
        self,
        linking: Linking,
        keyring: Keyring,
        access: Authorization,
        people: Users,
        turns: Turns,
        *,
        pages: LinkPage | None,
        workspace: Workspace,
        changed: Callable[[Person], None] = lambda _: None,
    ) -> None:
        self._linking = linking
        self._keyring = keyring
        self._access = access
        self._people = people
        self._turns = turns
        self._pages = pages
        self._workspace = workspace
        self._changed = changed

    # Keys.

    async def form(self, person: Person, trouble: Trouble | None = None) -> View:
        """The form for a key, with what there is already; or why this person cannot link one."""
        allowed = await self._access.linking(person)
        if not allowed:
            return words_view(LINK_TITLE, allowed.reason)
        try:
            await self._linking.require(person)
            page = await self._page(person)
        except LinkingOff as error:
            return words_view(LINK_TITLE, str(error))
        link = await self._linking.status(person)
        return link_view(secrets.token_hex(4), known=_known(link), page=page, trouble=trouble)

    async def _page(self, person: Person) -> str | None:
        if self._pages is None:
            return None
        profile = await self._people.profile(self._workspace.team, person.user)
        name = f"{profile.name} at {self._workspace.name}"
        return await self._pages.issue(person, team=self._workspace.team, name=name)

    async def seen(self, person: Person, mark: str) -> KeySeen | None:
        """The key this person has, if it is the one that a form of this mark was about; None: it is another one."""
        since = await self.linked_since(person)
        return KeySeen(since) if mark == key_mark(since) else None

    async def link(self, person: Person, text: str, seen: KeySeen) -> View:
        """Link what was entered, in place of the key that was seen."""
        waiting = await self._turns.held_of(person)
        try:
            linked = await self._linking.link(person, text, team=self._workspace.team, over=seen)
        except NotLinked as error:
            return await self.form(person, Trouble(str(error), error.request_id))
        self._changed(person)
        return await self._linked(linked, waiting)

    async def mend(self, person: Person, mark: str) -> View:
        """Check the stored key again; `mark` as for `unlink`."""
        allowed = await self._access.linking(person)
        if not allowed:
            return words_view(LINK_TITLE, allowed.reason)
        since = await self.linked_since(person)
        if since is not None and mark != key_mark(since):
            return words_view(LINK_TITLE, KEY_CHANGED)
        waiting = await self._turns.held_of(person)
        try:
            linked = await self._linking.mend(person, team=self._workspace.team)
        except Unlinked:
            return await self.form(person)
        except NotLinked as error:
            return await self.form(person, Trouble(str(error), error.request_id))
        self._changed(person)
        return await self._linked(linked, waiting, mended=True)

    async def _linked(self, linked: Linked, waiting: int, *, mended: bool = False) -> View:
        if linked.default is not None:
            await self._turns.release()
        return linked_view(linked, waiting=waiting, mended=mended)

    async def linked_since(self, person: Person) -> datetime | None:
        """Since when this person has a key linked, sound or broken."""
        link = await self._linking.status(person)
        return link.created_at if link is not None else None

    async def unlink(self, person: Person, mark: str) -> str:
        """Forget the key that the button was about, and what hangs on it. Returns what to tell the person.

        Args:
            person: whose it is.
            mark: of the key, as `key_mark` makes it; empty: the press makes no sense.
        """
        since = await self.linked_since(person)
        if since is None:
            return NOT_LINKED
        if mark != key_mark(since):
            return KEY_CHANGED
        try:
            forgotten = await self._linking.unlink(person, since=since)
        except KeyChanged:
            return KEY_CHANGED
        self._changed(person)
        if not forgotten.links:
            return NOT_LINKED
        dropped = [
            f"{n} {what.removesuffix('s') if n == 1 else what}" for what, n in sorted(forgotten.waiting_turns.items())
        ]
        also = f" Dropped with it: {', '.join(dropped)}." if dropped else ""
        return (
            f"Forgotten: your Clear Street API key and the accounts you chose with it.{also} {await self._now(person)}"
        )

    async def _now(self, person: Person) -> str:
        try:
            await self._keyring.principal_of(person)
        except NoAuthority:
            return "Omni can be asked for you again once you link one with `/omni link`."
        return "From now on your questions use the shared key."

    async def told(self, client: AsyncWebClient, person: Person, linked: Linked) -> None:
        """A key was linked on a page: whoever sat there, the person hears of it. Raises what slack_sdk raises."""
        self._changed(person)
        if linked.default is not None:
            await self._turns.release()
        page = linked_elsewhere_page(linked)
        await self.say(client, person, page.text, blocks=page.blocks)

    async def say(self, client: AsyncWebClient, person: Person, text: str, **more: Any) -> None:
        """Say it in the person's own messages with omnibot. Raises what slack_sdk raises."""
        channel = await self._access.direct(person)
        await client.chat_postMessage(channel=channel, text=text, unfurl_links=False, unfurl_media=False, **more)

    # Accounts.

    async def place_of(self, value: str, person: Person) -> Place | None:
        """The conversation that the value of a pressed button stands for."""
        return self.place(value) or await self._turns.place_of(value, person)

    async def accounts(self, person: Person, place: Place | None) -> View:
        """The choice between accounts; or why there is none."""
        found = await self._choice(person, place)
        if not isinstance(found, tuple):
            return found
        accounts, now = found
        if len(accounts) < 2:
            return words_view(ACCOUNT_TITLE, _no_alternative(accounts))
        return account_view(accounts, now, place=_named(place))

    async def _choice(self, person: Person, place: Place | None) -> tuple[list[Account], int | None] | View:
        """The accounts this person can choose between, and which is chosen at present; or why they cannot."""
        allowed = await self._access.hearing_of_accounts(person)
        if not allowed:
            return words_view(ACCOUNT_TITLE, allowed.reason)
        try:
            principal = await self._keyring.principal_of(person)
            if self._keyring.account_is_fixed(principal):
                raise AccountFixed
            accounts = await self._keyring.accounts_of(principal)
            return accounts, await self._keyring.known_account_of(principal, person, place)
        except (AccountFixed, NoAuthority, ClearStreetError) as error:
            return _no_choice(error, place)

    async def choose(self, person: Person, account_id: int, shown: ChoiceShown) -> View:
        """Ask about this account from now on, in one conversation or wherever nothing else is chosen.

        Where the choice is not any more between what was shown, it is shown once more, with what they chose.
        """
        place = shown.place if shown.here else None
        found = await self._choice(person, shown.place)
        if not isinstance(found, tuple):
            return found
        accounts, now = found
        if shown.mark != account_mark(accounts, now) and not await self._is_chosen(person, account_id, place):
            if len(accounts) < 2:
                return words_view(ACCOUNT_TITLE, CHOICE_CHANGED, _no_alternative(accounts))
            where = _named(shown.place)
            return account_view(accounts, now, place=where, wanted=account_id, notice=CHOICE_CHANGED)
        waiting = await self._turns.held_of(person)
        try:
            account = await self._keyring.choose_account(person, account_id, team=self._workspace.team, place=place)
        except NoSuchAccount:
            said = "Your key does not see this account any more. Choose another one."
            return words_view(ACCOUNT_TITLE, said, prompt=_again(place))
        except (AccountFixed, NoAuthority, ClearStreetError) as error:
            return _no_choice(error, place)
        await self._turns.release()
        self._changed(person)
        name = account_name(account)
        if place is None:
            said = f"Your questions are about {name} from now on. Conversations that have begun keep their account."
        else:
            said = f"Your questions in this conversation are about {name} from now on."
        return words_view(ACCOUNT_TITLE, said, *([waiting_words(waiting)] if waiting else []))

    async def _is_chosen(self, person: Person, account_id: int, place: Place | None) -> bool:
        """Whether that is chosen already: the same form may come twice."""
        try:
            principal = await self._keyring.principal_of(person)
            return await self._keyring.known_account_of(principal, person, place) == account_id
        except NoAuthority:
            return False

    def place(self, named: str) -> Place | None:
        """The conversation that a view of `accounts` names."""
        channel, _, thread_ts = named.partition(":")
        return Place(self._workspace.team, channel, thread_ts) if channel and thread_ts else None

    # Unlinking when somebody leaves.

    async def forget_person(self, person: Person) -> None:
        """They were deactivated."""
        await self._linking.forget_person(person)

    async def forget_everybody(self) -> None:
        """omnibot was uninstalled."""
        await self._linking.forget_team(self._workspace.team)


def hide(text: str) -> None:
    """Keep what somebody entered out of the logs, before anything is done with it."""
    telemetry.hide(text.strip())


def _known(link: Link | None) -> Known | None:
    if link is None:
        return None
    return Known(link.created_at, link.validated_at, link.broken_at, readable=link.key is not None)


def _named(place: Place | None) -> str:
    return f"{place.channel}:{place.thread_ts}" if place is not None else ""


def _again(place: Place | None) -> ActionPrompt:
    return ActionPrompt(ACCOUNT_ACTION, "Try again", _named(place) or "modal")


def _no_choice(error: AccountFixed | NoAuthority | ClearStreetError, place: Place | None) -> View:
    match error:
        case AccountFixed():
            return words_view(ACCOUNT_TITLE, str(error), prompt=_TO_LINK)
        case NoAuthority():
            return words_view(ACCOUNT_TITLE, str(error), prompt=_TO_LINK if error.curable else None)
        case _:
            request = f" (request {error.request_id})" if error.request_id else ""
            sentence = f"Clear Street does not say right now which accounts there are.{request} Try again in a minute."
            return words_view(ACCOUNT_TITLE, sentence, prompt=_again(place))


def _no_alternative(accounts: list[Account]) -> str:
    if not accounts:
        return "The key your questions use sees no open account. `/omni link` links another one."
    return f"Your questions are about {account_name(accounts[0])}. The key they use sees no other open account."
