"""App Home: composed from what a person may know about themself, and published when it changed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from omnibot.accounts.link_cache import LinkCache
from omnibot.accounts.model import SHARED, AccountUnclear, LinkBroken, NoAuthority, choose_account
from omnibot.accounts.service import Keyring
from omnibot.blocks.home import (
    KeyStatus,
    SettingStatus,
    accounts_section,
    closed_section,
    failed_section,
    help_section,
    home_view,
    key_section,
    other_section,
    recent_section,
    settings_section,
)
from omnibot.blocks.layout.types import Block
from omnibot.errors import ClearStreetError
from omnibot.policy.identities import PersonKind
from omnibot.slack.authorization.service import Authorization
from omnibot.slack.delivery.background import Background
from omnibot.slack.errors import SLACK_ERRORS, SlackFailure, classify
from omnibot.slack.features.history import ConversationHistory
from omnibot.turns.model import Person
from omnibot.turns.rules import in_plain_words

log = structlog.get_logger(__name__)

#: Conversations shown.
RECENT = 10
#: Seconds a section may take; then it says that it cannot be shown.
PATIENCE = 10.0
#: Tries of one publication.
TRIES = 4
#: People whose Home's fingerprint is remembered.
REMEMBERED = 5_000
NOT_NOW = "This cannot be shown right now. Open this page again in a minute."


@dataclass(frozen=True, slots=True)
class HomeSection:
    """A section of App Home that another package fills; full members of the workspace see it."""

    #: Stands above the apology when it cannot be made.
    title: str
    #: Its blocks for a person; none: it is left out. May raise: the person then reads that it cannot be shown.
    blocks: Callable[[Person], Awaitable[list[Block]]]


class AppHome:
    """Everybody's App Home.

    Args:
        client: Slack.
        access: who may what.
        keyring: whose key, which accounts.
        links: people's own keys.
        past: what people began.
        background: where publications run.
        retention_days: for which questions and answers are kept.
        alone: no other process publishes; else only Slack knows what it shows.
        sections: what other packages show, in order, between the accounts and the conversations.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        access: Authorization,
        keyring: Keyring,
        links: LinkCache,
        conversations: ConversationHistory,
        background: Background,
        *,
        retention_days: int,
        alone: bool = True,
        sections: Sequence[HomeSection] = (),
    ) -> None:
        self._client = client
        self._access = access
        self._keyring = keyring
        self._links = links
        self._past = conversations
        self._background = background
        self._retention_days = retention_days
        self._alone = alone
        self._sections = tuple(sections)
        #: The fingerprint of what Slack shows.
        self._shown: dict[Person, str] = {}
        self._working: set[Person] = set()
        self._again: set[Person] = set()

    def opened(self, person: Person, shown: str | None) -> None:
        """Somebody looks at their Home. Returns at once.

        Args:
            person: who.
            shown: the fingerprint of what Slack shows them; None: nothing yet.
        """
        self._remember(person, shown or "")
        self.refresh(person)

    def refresh(self, person: Person) -> None:
        """Something about this person changed: bring their Home up to date. Returns at once; often is no harm."""
        self._again.add(person)
        if person not in self._working:
            self._working.add(person)
            self._background.start(self._keep_up(person))

    async def _keep_up(self, person: Person) -> None:
        try:
            while person in self._again:
                self._again.discard(person)
                await self._publish(person)
        finally:
            self._working.discard(person)
            self._again.discard(person)

    def _remember(self, person: Person, mark: str) -> None:
        self._shown.pop(person, None)
        self._shown[person] = mark
        if len(self._shown) > REMEMBERED:
            del self._shown[next(iter(self._shown))]

    async def _publish(self, person: Person) -> None:
        # Where others publish too, what we published last may be gone: what Slack itself has just said counts, once.
        shown = self._shown.get(person) if self._alone else self._shown.pop(person, None)
        for _ in range(TRIES):
            try:
                view = home_view(await self._content(person))
                mark = str(view["private_metadata"])
                if shown == mark:
                    return
                await self._client.views_publish(user_id=person.user, view=view)
            except SLACK_ERRORS as error:
                verdict = classify(error)
                log.info("slack_refused", method="views.publish", user=person.user, error=verdict.code)
                if verdict.failure not in (SlackFailure.SLOW_DOWN, SlackFailure.UNKNOWN):
                    return
                await asyncio.sleep(verdict.wait)
            else:
                if self._alone:
                    self._remember(person, mark)
                    return
                # What another published meanwhile may have been newer than this: look once more.
                shown = mark

    # What stands in it.

    async def _content(self, person: Person) -> list[list[Block]]:
        allowed = await self._access.may_use(person)
        if not allowed:
            return [closed_section(allowed.reason)]
        who = await self._access.who(person)
        recent = HomeSection("Recent conversations", self._recent)
        # Others hear nothing about accounts.
        inner = [HomeSection("Your key", self._key), HomeSection("Your accounts", self._accounts), *self._sections]
        wanted = [*(inner if who.kind is PersonKind.MEMBER else []), recent]
        made = await asyncio.gather(*(self._section(part, person) for part in wanted))
        return [*made, help_section(), settings_section(self._access.policy, retention_days=self._retention_days)]

    async def _section(self, part: HomeSection, person: Person) -> list[Block]:
        try:
            async with asyncio.timeout(PATIENCE):
                return other_section(await part.blocks(person))
        except (NoAuthority, AccountUnclear) as error:
            return failed_section(part.title, str(error))
        except ClearStreetError as error:
            log.info("home_section_failed", section=part.title, api=error.request_id, error=type(error).__name__)
            return failed_section(part.title, in_plain_words(error))
        except Exception as error:
            # Whatever it is, the rest is worth showing.
            log.warning("home_section_failed", section=part.title, error=f"{type(error).__name__}")
            return failed_section(part.title, NOT_NOW)

    async def _key(self, person: Person) -> list[Block]:
        can_link = self._links.possible and await self._access.may_link(person)
        try:
            principal = await self._keyring.principal_of(person)
        except LinkBroken as error:
            return key_section(KeyStatus(SettingStatus.BROKEN, trouble=str(error), can_link=can_link))
        except NoAuthority as error:
            return key_section(KeyStatus(SettingStatus.NONE, trouble=str(error), can_link=can_link))
        if principal == SHARED:
            return key_section(KeyStatus(SettingStatus.SHARED, can_link=can_link))
        link = await self._links.of(person)
        since = link.created_at if link is not None else None
        return key_section(KeyStatus(SettingStatus.OWN, since=since, can_link=can_link))

    async def _accounts(self, person: Person) -> list[Block]:
        try:
            principal = await self._keyring.principal_of(person)
        except NoAuthority:
            return []  # the section above says why
        accounts = await self._keyring.accounts_of(principal)
        default = await self._keyring.known_account_of(principal, person)
        if default is None and len(accounts) == 1:
            default = choose_account(accounts, principal=principal)
        fixed = self._keyring.fixed_account(principal) is not None
        return accounts_section(accounts, default=default, fixed=fixed)

    async def _recent(self, person: Person) -> list[Block]:
        return recent_section(await self._past.of(person, limit=RECENT), workspace_url=self._past.workspace_url)
