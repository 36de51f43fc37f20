"""A person's past conversations: their list, and continuing one in another Slack thread."""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from omnibot.accounts.model import LinkBroken, NoAuthority, link_principal
from omnibot.accounts.service import Keyring
from omnibot.blocks.history import FORGOTTEN, exchange_page, history_page, thread_link
from omnibot.blocks.layout.types import Page
from omnibot.blocks.messages import root_page
from omnibot.clearstreet.models import Message
from omnibot.clearstreet.omni import Omni
from omnibot.errors import ClearStreetError, NotFound
from omnibot.policy.access import Show
from omnibot.slack.authorization.account_data import RECENT
from omnibot.slack.authorization.service import Authorization
from omnibot.slack.errors import SLACK_ERRORS, SlackFailure, classify
from omnibot.turns.history import Exchange, History, PastConversation
from omnibot.turns.model import Person
from omnibot.turns.rules import in_plain_words, joined_text

log = structlog.get_logger(__name__)

#: Conversations on a page of the list.
PAGE = 10
#: Newest messages among which the last question and its answer are looked for.
LATEST = 6

NOT_YOURS = "This conversation is not there any more, or not yours to continue with the key you ask with now."
NEVER_BEGAN = "Omni never got the question of this conversation, so there is nothing to continue. Ask it anew."
FORGOTTEN_BY_OMNI = "Omni does not have this conversation any more. Ask anew."
BUSY = "A question of this conversation is still being answered, or waits. Continue it when that is done."
OTHER_ACCOUNT = "This conversation is about an account you do not ask about any more, so it cannot go on."
NO_PLACE = "Slack does not let me begin a thread for this ({code}). Try again in a minute."
TWICE = "This conversation is being continued already."
_HERE = "It goes on here: <{link}|open the thread>."
_IN_DM = "{why} It goes on in your messages with me: <{link}|open the thread>."
_WAS_PRIVATE = "This conversation was private."
_NOT_HERE = "What was said may be about an account, and is not shown in this channel."
_CLOSED = "I cannot post here."


@dataclass(frozen=True, slots=True)
class Continuation:
    """What became of letting a conversation go on."""

    #: For the person alone; mrkdwn.
    said: str
    moved: bool = False


@dataclass(frozen=True, slots=True)
class _Target:
    """Where a conversation shall go on."""

    channel: str
    #: Why not where it was asked for; mrkdwn.
    why: str = ""


class ConversationHistory:
    """The conversations people began.

    Args:
        client: Slack.
        access: who may what where.
        keyring: whose key.
        omni: asked what was said last.
        history: what people began.
        team: the workspace omnibot is installed in, and
        workspace_url: its address, with a slash at its end.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        access: Authorization,
        keyring: Keyring,
        omni: Omni,
        history: History,
        *,
        team: str,
        workspace_url: str,
    ) -> None:
        self._client = client
        self._access = access
        self._keyring = keyring
        self._omni = omni
        self._history = history
        self._team = team
        self.workspace_url = workspace_url
        #: Conversations that are being moved, by this process.
        self._moving: set[str] = set()

    # The list.

    async def of(self, person: Person, *, limit: int, skip: int = 0) -> list[PastConversation]:
        """What this person began under the key they ask with, the latest first; nothing without one.

        Raises what slack_sdk raises.
        """
        try:
            principal = await self._keyring.principal_of(person)
        except LinkBroken:
            # Theirs all the same, while they look for another key.
            principal = link_principal(person)
        except NoAuthority:
            return []
        return await self._history.began(person, principal, team=self._team, limit=limit, skip=skip)

    async def page(self, person: Person, number: int = 0) -> Page | str:
        """A page of that list, for this person alone; or why there is none for them. Raises what slack_sdk raises.

        Args:
            person: whose.
            number: of the page, from 0.
        """
        allowed = await self._access.may_use(person)
        if not allowed:
            return allowed.reason
        found = await self.of(person, limit=PAGE + 1, skip=number * PAGE)
        return history_page(found[:PAGE], workspace_url=self.workspace_url, number=number, more=len(found) > PAGE)

    # Going on.

    async def go_on(self, person: Person, conversation_id: str, channel: str | None) -> Continuation:
        """Let a conversation go on in a new thread: in a channel, or in the person's DM.

        Args:
            person: who wants to, and must have begun it under the key they ask with.
            conversation_id: which.
            channel: where they said so; None: in App Home.
        """
        if conversation_id in self._moving:
            return Continuation(TWICE)
        self._moving.add(conversation_id)
        try:
            return await self._go_on(person, conversation_id, channel)
        except NoAuthority as error:
            return Continuation(str(error))
        except ClearStreetError as error:
            return Continuation(in_plain_words(error))
        except SLACK_ERRORS as error:
            return Continuation(NO_PLACE.format(code=classify(error).code))
        finally:
            self._moving.discard(conversation_id)

    async def _go_on(self, person: Person, conversation_id: str, channel: str | None) -> Continuation:
        allowed = await self._access.may_use(person)
        if not allowed:
            return Continuation(allowed.reason)
        principal = await self._keyring.principal_of(person)
        conversations = await self._history.find(conversation_id, person, principal, team=self._team)
        if conversations is None:
            return Continuation(NOT_YOURS)
        if conversations.omni_thread_id is None:
            return Continuation(NEVER_BEGAN)
        if await self._history.busy(conversations.id):
            return Continuation(BUSY)
        if conversations.account_id is not None and not await self._keyring.sees(principal, conversations.account_id):
            return Continuation(OTHER_ACCOUNT)
        try:
            exchange = await self._last_exchange(conversations, conversations.omni_thread_id)
        except NotFound:
            return Continuation(FORGOTTEN_BY_OMNI)
        target = await self._target(person, conversations, channel)
        return await self._move(person, conversations, target, exchange)

    async def _last_exchange(self, conversations: PastConversation, thread_id: str) -> Exchange | None:
        """What was said last, as Omni has it (other apps may have gone on with it), or as it is stored here."""
        key = await self._keyring.key_of(conversations.principal)
        try:
            messages = await self._omni.latest_messages(key, conversations.account_id, thread_id, count=LATEST)
        except NotFound:
            raise
        except ClearStreetError as error:
            await self._keyring.judge(conversations.principal, key, error)
            log.info("exchange_unknown", conversation=conversations.id, api=error.request_id)
        else:
            if (said := last_exchange(messages)) is not None:
                return said
        turn = await self._history.last_answered(conversations.id)
        if turn is None or turn.answer is None or not turn.question:
            return None
        texts = (part.get("text") for part in turn.answer.parts if part.get("type") == "text")
        return Exchange(turn.question, "\n\n".join(text for text in texts if isinstance(text, str)))

    async def _target(self, person: Person, conversations: PastConversation, channel: str | None) -> _Target:
        """The channel where they are, if what was said may be shown there, else their DM."""
        own = await self._access.direct(person)
        if channel is None or channel == own:
            return _Target(own)
        if conversations.channel.startswith("D"):
            return _Target(own, _WAS_PRIVATE)
        allowed = await self._access.may_ask(person, channel)
        if not allowed:
            return _Target(own, allowed.reason)
        return _Target(channel) if await self._may_show(person, conversations, channel) else _Target(own, _NOT_HERE)

    async def _may_show(self, person: Person, conversations: PastConversation, channel: str) -> bool:
        """Whether what was said may be read there now."""
        if conversations.account_id is None:
            return True  # Omni saw no account
        return (await self._access.may_see_account_data(person, channel, age=RECENT)).show is Show.HERE

    async def _move(
        self, person: Person, conversations: PastConversation, target: _Target, exchange: Exchange | None
    ) -> Continuation:
        page = root_page(asker=person.user, question=conversations.question or FORGOTTEN, kind="continuation")
        try:
            ts = await self._post(target.channel, page)
        except SLACK_ERRORS as error:
            own = await self._access.direct(person)
            if classify(error).failure is not SlackFailure.CLOSED or own == target.channel:
                raise
            target = _Target(own, _CLOSED)
            ts = await self._post(own, page)
        if not await self._history.move(conversations, person, channel=target.channel, thread_ts=ts):
            await self._take_back(target.channel, ts)
            return Continuation(BUSY)
        log.info("conversation_continued", conversation=conversations.id)
        link = thread_link(self.workspace_url, conversations.channel, conversations.thread_ts)
        try:
            if not await self._may_show(person, conversations, target.channel):
                exchange = None  # somebody has come meanwhile
            await self._post(target.channel, exchange_page(exchange, link=link), thread_ts=ts)
        except SLACK_ERRORS as error:
            # It goes on without that.
            log.info(
                "slack_refused", method="chat.postMessage", conversation=conversations.id, error=classify(error).code
            )
        link = thread_link(self.workspace_url, target.channel, ts)
        said = _IN_DM.format(why=target.why, link=link) if target.why else _HERE.format(link=link)
        return Continuation(said, moved=True)

    async def _post(self, channel: str, page: Page, *, thread_ts: str | None = None) -> str:
        answer = await self._client.chat_postMessage(
            channel=channel,
            thread_ts=thread_ts,
            text=page.text,
            blocks=page.blocks,
            unfurl_links=False,
            unfurl_media=False,
        )
        return str(answer["ts"])

    async def _take_back(self, channel: str, ts: str) -> None:
        try:
            await self._client.chat_delete(channel=channel, ts=ts)
        except SLACK_ERRORS as error:
            log.warning("slack_refused", method="chat.delete", channel=channel, ts=ts, error=classify(error).code)


def last_exchange(messages: list[Message]) -> Exchange | None:
    """The last question among messages in order, with what Omni said to it."""
    asked = next((n for n in reversed(range(len(messages))) if messages[n].role == "USER"), None)
    if asked is None:
        return None
    answers = (message for message in messages[asked + 1 :] if message.role == "ASSISTANT")
    answer = "\n\n".join(filter(None, (joined_text(message.parts) for message in answers)))
    return Exchange(joined_text(messages[asked].parts), answer)
