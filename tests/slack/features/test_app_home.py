"""App Home and past conversations on real sockets: both emulators, a real database, the bot's own packages between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from omnibot_sandbox.clearstreet.accounts import account
from omnibot_sandbox.clearstreet.server import ClearStreetEmulator
from omnibot_sandbox.slack import SlackEmulator
from sqlalchemy import update

from omnibot.accounts.account_choices import AccountChoices
from omnibot.accounts.link_cache import LinkCache
from omnibot.accounts.linking import Linking
from omnibot.accounts.model import Person, link_principal
from omnibot.accounts.service import Keyring
from omnibot.accounts.store import LinkStore
from omnibot.blocks.layout.builders import section
from omnibot.blocks.layout.types import Block
from omnibot.clearstreet.bodies import thread_body
from omnibot.clearstreet.omni import Omni
from omnibot.clearstreet.trading import Trading
from omnibot.clearstreet.transport import Transport
from omnibot.db.tables import conversations, turns
from omnibot.encryption import Encryption, new_key
from omnibot.policy.access import NOT_A_MEMBER
from omnibot.policy.model import Policy
from omnibot.slack.authorization.service import Authorization
from omnibot.slack.authorization.users import Users
from omnibot.slack.delivery.background import Background
from omnibot.slack.features import history as words
from omnibot.slack.features.app_home import AppHome, HomeSection
from omnibot.slack.features.history import Continuation, ConversationHistory
from omnibot.turns.history import History, PastConversation
from omnibot.turns.model import Kind, NewTurn, Surface, TurnState
from omnibot.turns.rows import utcnow
from tests.blocks.slack_limits import strings
from tests.slack.conftest import Desktop

ANAS, BENS = "anas-key-0123456789", "bens-key-0123456789"
URL = "https://demo.slack.com/"


@dataclass
class Lobby:
    """A Home and what hangs on it, for people who ask with the shared key until they link one."""

    slack: SlackEmulator
    omni: ClearStreetEmulator
    client: Omni
    desktop: Desktop
    keyring: Keyring
    links: LinkCache
    linking: Linking
    background: Background
    home: AppHome
    past: ConversationHistory
    history: History
    policy: list[Policy]
    #: What the other package's section shows; an exception: it raises that.
    consents: list[Block | Exception] = field(default_factory=list)

    def person(self, name: str) -> Person:
        return Person(self.slack.team_id, self.slack.workspace.user(name).id)

    def shown(self, name: str) -> str:
        view = self.slack.home(name)
        return "" if view is None else "\n".join(strings(view["blocks"]))

    async def refreshed(self, name: str) -> str:
        """What somebody's Home shows once it is up to date."""
        self.home.refresh(self.person(name))
        await self.background.close(30)
        return self.shown(name)

    def published(self) -> int:
        return sum(call.name == "views.publish" for call in self.slack.calls)

    async def asked(
        self, name: str, channel: str, question: str, *, principal: str = "shared", account_id: int = 19816
    ) -> PastConversation:
        """Somebody's question that Omni has answered, as omnibot remembers it, with its conversation."""
        person, conversation = self.person(name), self.slack.workspace.channel(channel).id
        key = await self.keyring.key_of(principal)
        created = await self.client.create_thread(
            key, account_id, thread_body(account_id, text=question), idempotency_key=None
        )
        await self.slack.wait_for(lambda: not self.omni.active())
        ts = await self.slack.say(name, channel, f"@Omni {question}")
        new = NewTurn(f"m:{ts}", Surface.MENTION, Kind.INSTANT, self.slack.team_id, person, conversation, ts, ts, {})
        store = self.desktop.store
        turn = await store.get(await store.accept(new) or "")
        assert turn is not None
        joined = await store.join(
            turn, question=question, channel=conversation, thread_ts=ts, principal=principal, account_id=account_id
        )
        async with self.desktop.database.transaction() as connection:
            await connection.execute(
                update(conversations)
                .where(conversations.c.id == joined.conversation_id)
                .values(omni_thread_id=created.thread_id)
            )
            over = {"state": TurnState.SUCCEEDED.value, "owner": None, "lease_until": None, "ended_at": utcnow()}
            await connection.execute(update(turns).where(turns.c.id == turn.id).values(**over))
        found = await self.history.find(joined.conversation_id or "", person, principal, team=self.slack.team_id)
        assert found is not None
        return found

    async def go_on(self, name: str, past: PastConversation, channel: str | None) -> Continuation:
        where = self.slack.workspace.channel(channel).id if channel else None
        return await self.past.go_on(self.person(name), past.id, where)

    def threads_about(self, channel: str, question: str) -> list[str]:
        """The roots in a channel with which a conversation goes on."""
        roots = [m for m in self.slack.history(channel) if not m.is_reply and m.user == self.slack.bot_user_id]
        return [m.ts for m in roots if "continues an earlier" in self.slack.visible_text(m)]


@pytest.fixture
async def lobby(desktop: Desktop) -> AsyncIterator[Lobby]:
    omni = ClearStreetEmulator(
        pace=0.01,
        keys={
            "demo-key": [account(19816, "Main")],
            ANAS: [account(30001, "Growth"), account(30002, "Retirement")],
            BENS: [account(40001, "Ben's own")],
        },
    )
    await omni.start()
    slack, client, database = desktop.slack, desktop.client, desktop.database
    policy = [Policy()]
    transport = Transport(base_url=omni.base_url)
    trading = Trading(transport)
    access = Authorization(client, Users(client), lambda: policy[-1], team=slack.team_id)
    links = LinkCache(LinkStore(database), Encryption([new_key()]))
    keyring = Keyring(
        trading,
        shared_key="demo-key",
        shared_account_id=None,
        links=links,
        choices=AccountChoices(database),
        may_share=access.may_share,
        may_link=access.may_link,
    )
    history, background = History(database), Background()
    past = ConversationHistory(client, access, keyring, Omni(transport), history, team=slack.team_id, workspace_url=URL)
    consents: list[Block | Exception] = []

    async def agreements(_person: Person) -> list[Block]:
        for block in consents:
            if isinstance(block, Exception):
                raise block
        return [block for block in consents if not isinstance(block, Exception)]

    sections = [HomeSection("Agreements", agreements)]
    home = AppHome(client, access, keyring, links, past, background, retention_days=30, sections=sections)
    linking = Linking(links, trading)
    yield Lobby(
        slack,
        omni,
        Omni(transport),
        desktop,
        keyring,
        links,
        linking,
        background,
        home,
        past,
        history,
        policy,
        consents,
    )
    await background.close()
    await transport.close()
    await omni.close()


# -- App Home ---------------------------------------------------------------------------------------------------------


async def test_a_newcomer_reads_whose_key_they_use_which_account_and_how_to_begin(lobby: Lobby):
    said = await lobby.refreshed("ana")

    assert "this workspace shares" in said
    assert "*Main*, asked about by default" in said
    assert "Ask your first question" in said
    assert "kept for 30 days" in said


async def test_linking_choosing_and_unlinking_are_seen_at_once(lobby: Lobby):
    await lobby.refreshed("ana")
    await lobby.linking.link(lobby.person("ana"), ANAS, team=lobby.slack.team_id)
    linked = await lobby.refreshed("ana")
    await lobby.keyring.choose_account(lobby.person("ana"), 30002, team=lobby.slack.team_id)
    chosen = await lobby.refreshed("ana")
    await lobby.linking.unlink(lobby.person("ana"))
    unlinked = await lobby.refreshed("ana")

    assert "your own Clear Street API key" in linked
    assert "• Growth\n• Retirement" in linked
    assert "• *Retirement*, asked about by default" in chosen
    assert "this workspace shares" in unlinked
    assert "Growth" not in unlinked
    assert ANAS not in linked + chosen + unlinked


async def test_a_key_that_stopped_working_is_said_with_the_button_that_mends_it(lobby: Lobby):
    await lobby.linking.link(lobby.person("ben"), BENS, team=lobby.slack.team_id)
    await lobby.links.set_broken(lobby.person("ben"), BENS)

    said = await lobby.refreshed("ben")

    assert "no longer accepts your API key" in said
    assert "Link another key" in said
    assert "Main" not in said


async def test_a_key_that_clear_street_refuses_is_said_at_once(lobby: Lobby):
    ben = lobby.person("ben")
    linked = await lobby.linking.link(ben, BENS, team=lobby.slack.team_id)
    await lobby.refreshed("ben")
    lobby.keyring.on_broken(lobby.home.refresh)
    await lobby.keyring.set_broken(linked.principal, BENS)
    await lobby.background.close(30)

    assert "no longer accepts your API key" in lobby.shown("ben")


async def test_what_did_not_change_is_not_published_again(lobby: Lobby):
    await lobby.refreshed("ana")
    await lobby.refreshed("ana")
    view = lobby.slack.home("ana")
    assert view is not None
    lobby.home.opened(lobby.person("ana"), view["private_metadata"])
    await lobby.background.close(30)

    assert lobby.published() == 1


async def test_what_another_instance_published_meanwhile_does_not_stay(lobby: Lobby):
    def instance() -> AppHome:
        conversations = (
            lobby.desktop.client,
            Authorization(
                lobby.desktop.client, Users(lobby.desktop.client), lambda: lobby.policy[-1], team=lobby.slack.team_id
            ),
        )
        return AppHome(
            *conversations, lobby.keyring, lobby.links, lobby.past, lobby.background, retention_days=30, alone=False
        )

    one, other, ana = instance(), instance(), lobby.person("ana")
    one.refresh(ana)
    await lobby.background.close(30)
    unlinked = lobby.shown("ana")
    await lobby.linking.link(ana, ANAS, team=lobby.slack.team_id)
    other.refresh(ana)
    await lobby.background.close(30)
    assert lobby.shown("ana") != unlinked
    await lobby.linking.unlink(ana)
    one.refresh(ana)
    await lobby.background.close(30)
    assert lobby.shown("ana") == unlinked

    # Who opens it and sees what is true has nothing published.
    before = lobby.published()
    view = lobby.slack.home("ana")
    assert view is not None
    other.opened(ana, view["private_metadata"])
    await lobby.background.close(30)
    assert lobby.published() == before


async def test_what_slack_shows_otherwise_is_published_when_it_is_opened(lobby: Lobby):
    await lobby.refreshed("ana")
    lobby.home.opened(lobby.person("ana"), "something else")
    await lobby.background.close(30)
    lobby.home.opened(lobby.person("ana"), None)
    await lobby.background.close(30)

    assert lobby.published() == 3


async def test_many_changes_at_once_are_shown_as_one_or_two(lobby: Lobby):
    for _ in range(20):
        lobby.home.refresh(lobby.person("ana"))
    await lobby.background.close(30)

    assert lobby.published() == 1


async def test_slack_that_is_busy_is_asked_again(lobby: Lobby):
    lobby.slack.gate.refuse("views.publish", status=429, headers={"Retry-After": "1"}, count=1)

    assert "this workspace shares" in await lobby.refreshed("ana")


async def test_a_section_that_breaks_is_a_sentence_and_the_rest_stands(lobby: Lobby):
    lobby.consents.append(RuntimeError("a bug, with secrets in it"))
    lobby.omni.gate.refuse("GET /v1/accounts", status=503, count=50)

    said = await lobby.refreshed("ana")

    assert "*Agreements*\n⚠ This cannot be shown right now" in said
    assert "*Your accounts*\n⚠ " in said
    assert "secrets" not in said
    assert "this workspace shares" in said
    assert "Try it" in said


async def test_other_packages_have_their_sections(lobby: Lobby):
    lobby.consents.append(section("You signed the agreement."))

    assert "You signed the agreement." in await lobby.refreshed("ana")


@pytest.mark.parametrize("name", ["cleo", "dan"])
async def test_whoever_may_not_use_omnibot_reads_why_and_nothing_else(lobby: Lobby, name: str):
    lobby.consents.append(section("You signed the agreement."))

    said = await lobby.refreshed(name)

    assert said == f"Omni AI\n{NOT_A_MEMBER}"


async def test_a_guest_who_may_ask_hears_nothing_about_keys_accounts_or_agreements(lobby: Lobby):
    cleo = [lobby.slack.workspace.user("cleo").id]
    lobby.policy.append(Policy.model_validate({"access": {"guests": cleo, "shared_key": cleo}}))
    lobby.consents.append(section("You signed the agreement."))

    said = await lobby.refreshed("cleo")

    assert "Ask your first question" in said
    for hidden in ("Main", "Your accounts", "Your key", "signed"):
        assert hidden not in said


# -- the list ---------------------------------------------------------------------------------------------------------


async def test_the_list_and_home_show_what_the_person_began_and_nothing_of_others(lobby: Lobby):
    await lobby.asked("ana", "trading", "what about AAPL")
    await lobby.asked("ben", "trading", "secret of Ben")

    page = await lobby.past.page(lobby.person("ana"))
    said = await lobby.refreshed("ana")

    assert not isinstance(page, str)
    for text in ("\n".join(strings(page.blocks)), said):
        assert "what about AAPL" in text
        assert "secret of Ben" not in text


async def test_what_was_asked_with_the_shared_key_is_not_listed_under_ones_own(lobby: Lobby):
    await lobby.asked("ana", "trading", "what about AAPL")
    await lobby.linking.link(lobby.person("ana"), ANAS, team=lobby.slack.team_id)

    assert await lobby.past.of(lobby.person("ana"), limit=10) == []


async def test_a_broken_link_hides_nothing_that_was_asked_with_it(lobby: Lobby):
    ana = lobby.person("ana")
    await lobby.linking.link(ana, ANAS, team=lobby.slack.team_id)
    await lobby.asked("ana", "trading", "what about AAPL", principal=link_principal(ana), account_id=30001)
    await lobby.links.set_broken(ana, ANAS)

    assert [past.question for past in await lobby.past.of(ana, limit=10)] == ["what about AAPL"]


async def test_a_guest_gets_a_sentence_for_a_list(lobby: Lobby):
    assert await lobby.past.page(lobby.person("cleo")) == NOT_A_MEMBER


# -- going on ---------------------------------------------------------------------------------------------------------


async def test_a_conversation_goes_on_in_a_desk_channel_with_its_last_exchange(lobby: Lobby):
    past = await lobby.asked("ana", "research", "how are the markets doing today?")

    went_on = await lobby.go_on("ana", past, "trading")

    (root,) = lobby.threads_about("trading", "markets")
    thread = [lobby.slack.visible_text(m) for m in lobby.slack.thread("trading", root)]
    assert went_on.moved
    assert f"archives/C0TRADING1/p{root.replace('.', '')}" in went_on.said
    assert "how are the markets doing today?" in thread[0]
    assert "Last asked" in thread[1]
    assert "S&P 500" in thread[1]
    moved = await lobby.history.find(past.id, lobby.person("ana"), "shared", team=lobby.slack.team_id)
    assert moved is not None
    assert (moved.channel, moved.thread_ts, moved.omni_thread_id) == ("C0TRADING1", root, past.omni_thread_id)


@pytest.mark.parametrize(
    ("channel", "why"),
    [
        ("research", "not shown in this channel"),
        ("client-desk", "not shown in this channel"),
        ("lobby", "not shown in this channel"),
    ],
)
async def test_where_account_data_may_not_be_shown_it_goes_on_in_the_dm_and_says_so(
    lobby: Lobby, channel: str, why: str
):
    past = await lobby.asked("ana", "trading", "how are the markets doing today?")
    before = len(lobby.slack.history(channel))

    went_on = await lobby.go_on("ana", past, channel)

    assert why in went_on.said
    assert "in your messages with me" in went_on.said
    assert len(lobby.slack.history(channel)) == before
    assert len(lobby.threads_about(lobby.slack.dm("ana"), "markets")) == 1


async def test_a_private_conversation_never_goes_on_in_a_channel(lobby: Lobby):
    past = await lobby.asked("ana", lobby.slack.dm("ana"), "how are the markets doing today?")
    before = len(lobby.slack.history("trading"))

    went_on = await lobby.go_on("ana", past, "trading")

    assert "was private" in went_on.said
    assert len(lobby.slack.history("trading")) == before


async def test_a_desk_channel_that_is_closed_to_the_bot_means_the_dm(lobby: Lobby):
    conversation = lobby.slack.workspace.channel("lobby").id
    lobby.policy.append(Policy.model_validate({"channels": {"account_data": [conversation]}}))
    past = await lobby.asked("ana", "trading", "how are the markets doing today?")

    went_on = await lobby.go_on("ana", past, "lobby")

    assert went_on.moved
    assert "I cannot post here" in went_on.said


async def test_nobody_continues_what_somebody_else_began_or_what_is_gone(lobby: Lobby):
    past = await lobby.asked("ana", "trading", "how are the markets doing today?")

    assert (await lobby.go_on("ben", past, "trading")).said == words.NOT_YOURS
    assert (await lobby.past.go_on(lobby.person("ana"), "nothing", None)).said == words.NOT_YOURS
    assert "full members" in (await lobby.go_on("cleo", past, "trading")).said
    await lobby.linking.link(lobby.person("ana"), ANAS, team=lobby.slack.team_id)
    assert (await lobby.go_on("ana", past, "trading")).said == words.NOT_YOURS
    assert lobby.threads_about("trading", "markets") == []


async def test_an_account_the_key_no_longer_sees_ends_it(lobby: Lobby):
    past = await lobby.asked("ana", "trading", "how are the markets doing today?")
    lobby.omni.keys["demo-key"] = [account(77777, "Another")]

    assert (await lobby.go_on("ana", past, "trading")).said == words.OTHER_ACCOUNT


async def test_two_presses_are_one_thread(lobby: Lobby):
    past = await lobby.asked("ana", "trading", "how are the markets doing today?")
    holding = lobby.slack.gate.hold("chat.postMessage", count=1)
    first = asyncio.ensure_future(lobby.go_on("ana", past, "trading"))
    await lobby.slack.wait_for(lambda: holding.calls)
    second = await lobby.go_on("ana", past, "trading")
    holding.release()

    assert (await first).moved
    assert second.said == words.TWICE
    assert len(lobby.threads_about("trading", "markets")) == 1


async def test_a_question_that_came_meanwhile_takes_the_new_root_back(lobby: Lobby):
    past = await lobby.asked("ana", "trading", "how are the markets doing today?")
    holding = lobby.slack.gate.hold("chat.postMessage", count=1)
    going = asyncio.ensure_future(lobby.go_on("ana", past, "trading"))
    await lobby.slack.wait_for(lambda: holding.calls)
    ts = await lobby.slack.say("ana", "trading", "and now?", thread_ts=past.thread_ts)
    ana, store = lobby.person("ana"), lobby.desktop.store
    new = NewTurn(f"m:{ts}", Surface.FOLLOW_UP, Kind.INSTANT, past.team, ana, past.channel, past.thread_ts, ts, {})
    turn = await store.get(await store.accept(new) or "")
    assert turn is not None
    await store.join(
        turn, question="and now?", channel=past.channel, thread_ts=past.thread_ts, principal="shared", account_id=19816
    )
    holding.release()

    assert (await going).said == words.BUSY
    assert lobby.threads_about("trading", "markets") == []


async def test_without_clear_street_the_stored_words_stand_in(lobby: Lobby):
    past = await lobby.asked("ana", "trading", "how are the markets doing today?")
    answer: dict[str, Any] = {"outcome": "succeeded", "parts": [{"type": "text", "text": "Up, as stored."}]}
    async with lobby.desktop.database.transaction() as connection:
        await connection.execute(update(turns).values(answer=answer))
    lobby.omni.gate.refuse("GET /v1/omni-ai/threads/{thread_id}/messages", status=503, count=50)

    assert (await lobby.go_on("ana", past, "trading")).moved

    (root,) = lobby.threads_about("trading", "markets")
    assert "Up, as stored." in lobby.slack.visible_text(lobby.slack.thread("trading", root)[1])


async def test_a_thread_omni_forgot_is_not_continued(lobby: Lobby):
    past = await lobby.asked("ana", "trading", "how are the markets doing today?")
    lobby.omni.gate.refuse("GET /v1/omni-ai/threads/{thread_id}/messages", status=404)

    assert (await lobby.go_on("ana", past, "trading")).said == words.FORGOTTEN_BY_OMNI


async def test_from_home_it_goes_on_in_the_dm(lobby: Lobby):
    past = await lobby.asked("ana", "trading", "how are the markets doing today?")

    assert (await lobby.go_on("ana", past, None)).moved
    assert len(lobby.threads_about(lobby.slack.dm("ana"), "markets")) == 1
