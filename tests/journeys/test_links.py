"""Questions of people with API keys of their own: whose key they use, and what happens when it is gone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from omnibot_sandbox.clearstreet.accounts import account

from omnibot.accounts.account_choices import AccountChoices
from omnibot.accounts.link_cache import LinkCache
from omnibot.accounts.linking import Linking
from omnibot.accounts.model import Person, link_principal
from omnibot.accounts.store import LinkStore
from omnibot.clearstreet.trading import Trading
from omnibot.clearstreet.transport import Transport
from omnibot.db.engine import open_database
from omnibot.encryption import Encryption, new_key
from tests.journeys.conftest import House

ANAS, BENS = "anas-key-0123456789", "bens-key-0123456789"
CREATE = "POST /v1/omni-ai/threads"
POLL = "GET /v1/omni-ai/responses/{response_id}"


@dataclass
class Desk:
    """Links people beside the running bot, as another process would."""

    house: House
    linking: Linking
    choices: AccountChoices

    def person(self, name: str) -> Person:
        user = self.house.slack.workspace.user(name)
        return Person(user.team_id, user.id)

    async def link(self, name: str, key: str) -> None:
        person = self.person(name)
        linked = await self.linking.link(person, key, team=person.org)
        await self.choices.choose(person, linked.principal, linked.accounts[0].id, team=person.org)

    async def unlink(self, name: str) -> None:
        await self.linking.unlink(self.person(name))

    def keys_asked_with(self) -> list[str]:
        """The key of every question Omni got, in order."""
        calls = self.house.omni.calls
        return [c.headers["Authorization"].removeprefix("Bearer ") for c in calls if c.name.startswith("POST ")]

    def whispers(self, name: str) -> str:
        return " ".join(str(said["text"]) for said in self.house.slack.ephemerals(name))


@pytest.fixture
async def desk(house: House) -> AsyncIterator[Desk]:
    """Ana and Ben have keys of their own at Clear Street; the bot can read links."""
    house.omni.keys[ANAS] = [account(30001, "Growth"), account(30002, "Retirement")]
    house.omni.keys[BENS] = [account(40001, "Ben's own")]
    secret = new_key()
    house.bot.environment["OMNIBOT_ENCRYPTION_KEYS"] = secret
    await house.restart()
    database = await open_database(house.bot.environment["DATABASE_URL"], exclusive=False)
    transport = Transport(base_url=house.omni.base_url)
    links = LinkCache(LinkStore(database), Encryption([secret]))
    yield Desk(house, Linking(links, Trading(transport)), AccountChoices(database))
    await transport.close()
    await database.close()


async def test_each_asks_with_their_own_key_and_who_has_none_with_the_shared_one(house: House, desk: Desk):
    house.script("hello", "Hi there.")
    await desk.link("ana", ANAS)
    await desk.link("ben", BENS)
    ts = await house.slack.say("ana", "trading", "@Omni hello")
    await house.answered("trading", ts, "Hi there.")
    await house.slack.say("ben", "trading", "@Omni hello again", thread_ts=ts)
    await house.answered("trading", ts, count=2)
    await desk.unlink("ben")

    async def asked_with_the_shared_key() -> bool:
        gone = "no longer linked"
        told = desk.whispers("ben").count(gone)
        root = await house.slack.say("ben", "trading", "@Omni hello once more")

        def over() -> bool:
            answered = any("Hi there." in text or gone in text for text in house.shown("trading", root))
            return answered or desk.whispers("ben").count(gone) > told

        await house.slack.wait_for(over)
        return desk.keys_asked_with()[-1] == "demo-key"

    # Unlinking counts within seconds: until then the running bot may still know the key, or notice in the middle.
    while not await asked_with_the_shared_key():
        pass
    shown = "\n".join(house.shown("trading", ts))
    assert "Account: Growth" in shown
    assert "This is a conversation of your own with Omni" in shown
    asked = desk.keys_asked_with()
    assert asked[:2] == [ANAS, BENS]
    assert [call.args["account_id"] for call in house.omni.calls if call.name == CREATE][:2] == [30001, 40001]
    log = house.bot.logged()
    assert ANAS not in log
    assert BENS not in log


async def test_a_key_revoked_while_omni_answers_ends_the_turn_and_the_person_is_told_from_then_on(
    house: House, desk: Desk
):
    house.script("slow", "Never seen. " * 20, seconds=60)
    await desk.link("ana", ANAS)
    ts = await house.slack.say("ana", "trading", "@Omni slow")
    await house.slack.wait_for(lambda: house.omni.active())
    del house.omni.keys[ANAS]
    await house.answered("trading", ts, "no longer accepts your API key", "/omni link")
    assert "omnibot's API key" not in str(house.shown("trading", ts))

    asked = len(desk.keys_asked_with())
    await house.slack.say("ana", "trading", "@Omni are my positions up?")
    await house.slack.wait_for(lambda: "no longer accepts your API key" in desk.whispers("ana"))
    assert len(desk.keys_asked_with()) == asked
    # Nobody else is touched, and Ana's question never rode on the shared key.
    house.script("hello", "Hi there.")
    root = await house.slack.say("ben", "trading", "@Omni hello")
    await house.answered("trading", root, "Hi there.")
    assert desk.keys_asked_with()[-1] == "demo-key"


async def test_a_question_whose_key_is_refused_waits_for_a_new_one_and_is_then_answered_once(house: House, desk: Desk):
    house.script("hello", "Hi there.")
    await desk.link("ana", ANAS)
    house.omni.gate.refuse(CREATE, status=401, count=1)
    ts = await house.slack.say("ana", "trading", "@Omni hello")
    await house.slack.wait_for(lambda: "Your question waits" in desk.whispers("ana"))
    assert "no longer accepts your API key" in desk.whispers("ana")
    assert house.replies("trading", ts) == []
    # The others go on meanwhile.
    root = await house.slack.say("ben", "trading", "@Omni hello")
    await house.answered("trading", root, "Hi there.")
    await desk.link("ana", ANAS)
    await house.answered("trading", ts, "Hi there.")
    assert len(house.replies("trading", ts)) == 1
    assert desk.whispers("ana").count("no longer accepts") == 1


async def test_a_question_of_somebody_without_a_key_waits_for_it_across_a_restart(house: House, desk: Desk):
    house.script("hello", "Hi there.")
    house.bot.environment["CLEAR_STREET_API_KEY"] = ""
    await house.restart()
    ts = await house.slack.say("ben", "trading", "@Omni hello")
    await house.slack.wait_for(lambda: "You have not linked" in desk.whispers("ben"))
    await house.restart()
    await desk.link("ben", BENS)
    await house.answered("trading", ts, "Hi there.")
    assert desk.keys_asked_with() == [BENS]


async def test_a_question_that_waits_for_a_key_can_be_stopped(house: House, desk: Desk):
    house.script("hello", "Hi there.")
    house.bot.environment["CLEAR_STREET_API_KEY"] = ""
    await house.restart()
    await house.slack.say("ben", "trading", "@Omni hello")
    await house.slack.wait_for(lambda: "You have not linked" in desk.whispers("ben"))
    said = await house.slack.command("ben", "trading", "/omni", "stop")
    assert "dropping 1 waiting question" in str(said)
    await desk.link("ben", BENS)
    root = await house.slack.say("ben", "trading", "@Omni hello again")
    await house.answered("trading", root, "Hi there.")
    assert desk.keys_asked_with() == [BENS]


async def test_a_key_unlinked_while_omni_answers_is_used_no_longer_and_the_turn_ends(house: House, desk: Desk):
    house.script("slow", "Never seen. " * 20, seconds=60)
    await desk.link("ana", ANAS)
    ts = await house.slack.say("ana", "trading", "@Omni slow")
    await house.slack.wait_for(lambda: house.omni.active())
    await desk.unlink("ana")
    await house.answered("trading", ts, "no longer linked", "/omni link")
    polls = len([call for call in house.omni.calls if call.name == POLL])
    root = await house.slack.say("ben", "trading", "@Omni hello")
    await house.answered("trading", root)
    of_ana = [c for c in house.omni.calls if c.name == POLL and c.headers["Authorization"].endswith(ANAS)]
    assert len(of_ana) <= polls


async def test_a_link_survives_the_death_of_the_bot_in_the_middle_of_an_answer(house: House, desk: Desk):
    house.script("hello", "Hi there. " * 5, seconds=3)
    await desk.link("ana", ANAS)
    ts = await house.slack.say("ana", "trading", "@Omni hello")
    await house.slack.wait_for(lambda: house.omni.active())
    await house.restart()
    await house.answered("trading", ts, "Hi there.")
    assert desk.keys_asked_with() == [ANAS]
    assert link_principal(desk.person("ana")) not in str(house.shown("trading", ts))
