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
from tests.journeys.conftest import Deployment

ANAS, BENS = "anas-key-0123456789", "bens-key-0123456789"
CREATE = "POST /v1/omni-ai/threads"
POLL = "GET /v1/omni-ai/responses/{response_id}"


@dataclass
class Desk:
    """Links people beside the running bot, as another process would."""

    deployment: Deployment
    linking: Linking
    choices: AccountChoices

    def person(self, name: str) -> Person:
        user = self.deployment.slack.workspace.user(name)
        return Person(user.team_id, user.id)

    async def link(self, name: str, key: str) -> None:
        person = self.person(name)
        linked = await self.linking.link(person, key, team=person.org)
        await self.choices.choose(person, linked.principal, linked.accounts[0].id, team=person.org)

    async def unlink(self, name: str) -> None:
        await self.linking.unlink(self.person(name))

    def keys_asked_with(self) -> list[str]:
        """The key of every question Omni got, in order."""
        calls = self.deployment.omni.calls
        return [c.headers["Authorization"].removeprefix("Bearer ") for c in calls if c.name.startswith("POST ")]

    def ephemerals(self, name: str) -> str:
        return " ".join(str(said["text"]) for said in self.deployment.slack.ephemerals(name))


@pytest.fixture
async def desk(deployment: Deployment) -> AsyncIterator[Desk]:
    """Ana and Ben have keys of their own at Clear Street; the bot can read links."""
    deployment.omni.keys[ANAS] = [account(30001, "Growth"), account(30002, "Retirement")]
    deployment.omni.keys[BENS] = [account(40001, "Ben's own")]
    secret = new_key()
    deployment.bot.environment["OMNIBOT_ENCRYPTION_KEYS"] = secret
    await deployment.restart()
    database = await open_database(deployment.bot.environment["DATABASE_URL"], exclusive=False)
    transport = Transport(base_url=deployment.omni.base_url)
    links = LinkCache(LinkStore(database), Encryption([secret]))
    yield Desk(deployment, Linking(links, Trading(transport)), AccountChoices(database))
    await transport.close()
    await database.close()


async def test_each_asks_with_their_own_key_and_who_has_none_with_the_shared_one(deployment: Deployment, desk: Desk):
    deployment.script("hello", "Hi there.")
    await desk.link("ana", ANAS)
    await desk.link("ben", BENS)
    ts = await deployment.slack.say("ana", "trading", "@Omni hello")
    await deployment.answered("trading", ts, "Hi there.")
    await deployment.slack.say("ben", "trading", "@Omni hello again", thread_ts=ts)
    await deployment.answered("trading", ts, count=2)
    await desk.unlink("ben")

    async def asked_with_the_shared_key() -> bool:
        gone = "no longer linked"
        told = desk.ephemerals("ben").count(gone)
        root = await deployment.slack.say("ben", "trading", "@Omni hello once more")

        def over() -> bool:
            answered = any("Hi there." in text or gone in text for text in deployment.shown("trading", root))
            return answered or desk.ephemerals("ben").count(gone) > told

        await deployment.slack.wait_for(over)
        return desk.keys_asked_with()[-1] == "demo-key"

    # Unlinking counts within seconds: until then the running bot may still know the key, or notice in the middle.
    while not await asked_with_the_shared_key():
        pass
    shown = "\n".join(deployment.shown("trading", ts))
    assert "Account: Growth" in shown
    assert "This is a conversation of your own with Omni" in shown
    asked = desk.keys_asked_with()
    assert asked[:2] == [ANAS, BENS]
    assert [call.args["account_id"] for call in deployment.omni.calls if call.name == CREATE][:2] == [30001, 40001]
    log = deployment.bot.logged()
    assert ANAS not in log
    assert BENS not in log


async def test_a_key_revoked_while_omni_answers_ends_the_turn_and_the_person_is_told_from_then_on(
    deployment: Deployment, desk: Desk
):
    deployment.script("slow", "Never seen. " * 20, seconds=60)
    await desk.link("ana", ANAS)
    ts = await deployment.slack.say("ana", "trading", "@Omni slow")
    await deployment.slack.wait_for(lambda: deployment.omni.active())
    del deployment.omni.keys[ANAS]
    await deployment.answered("trading", ts, "no longer accepts your API key", "/omni link")
    assert "omnibot's API key" not in str(deployment.shown("trading", ts))

    asked = len(desk.keys_asked_with())
    await deployment.slack.say("ana", "trading", "@Omni are my positions up?")
    await deployment.slack.wait_for(lambda: "no longer accepts your API key" in desk.ephemerals("ana"))
    assert len(desk.keys_asked_with()) == asked
    # Nobody else is touched, and Ana's question never rode on the shared key.
    deployment.script("hello", "Hi there.")
    root = await deployment.slack.say("ben", "trading", "@Omni hello")
    await deployment.answered("trading", root, "Hi there.")
    assert desk.keys_asked_with()[-1] == "demo-key"


async def test_a_question_whose_key_is_refused_waits_for_a_new_one_and_is_then_answered_once(
    deployment: Deployment, desk: Desk
):
    deployment.script("hello", "Hi there.")
    await desk.link("ana", ANAS)
    deployment.omni.gate.refuse(CREATE, status=401, count=1)
    ts = await deployment.slack.say("ana", "trading", "@Omni hello")
    await deployment.slack.wait_for(lambda: "Your question waits" in desk.ephemerals("ana"))
    assert "no longer accepts your API key" in desk.ephemerals("ana")
    assert deployment.replies("trading", ts) == []
    # The others go on meanwhile.
    root = await deployment.slack.say("ben", "trading", "@Omni hello")
    await deployment.answered("trading", root, "Hi there.")
    await desk.link("ana", ANAS)
    await deployment.answered("trading", ts, "Hi there.")
    assert len(deployment.replies("trading", ts)) == 1
    assert desk.ephemerals("ana").count("no longer accepts") == 1


async def test_a_question_of_somebody_without_a_key_waits_for_it_across_a_restart(deployment: Deployment, desk: Desk):
    deployment.script("hello", "Hi there.")
    deployment.bot.environment["CLEAR_STREET_API_KEY"] = ""
    await deployment.restart()
    ts = await deployment.slack.say("ben", "trading", "@Omni hello")
    await deployment.slack.wait_for(lambda: "You have not linked" in desk.ephemerals("ben"))
    await deployment.restart()
    await desk.link("ben", BENS)
    await deployment.answered("trading", ts, "Hi there.")
    assert desk.keys_asked_with() == [BENS]


async def test_a_question_that_waits_for_a_key_can_be_stopped(deployment: Deployment, desk: Desk):
    deployment.script("hello", "Hi there.")
    deployment.bot.environment["CLEAR_STREET_API_KEY"] = ""
    await deployment.restart()
    await deployment.slack.say("ben", "trading", "@Omni hello")
    await deployment.slack.wait_for(lambda: "You have not linked" in desk.ephemerals("ben"))
    said = await deployment.slack.command("ben", "trading", "/omni", "stop")
    assert "dropping 1 waiting question" in str(said)
    await desk.link("ben", BENS)
    root = await deployment.slack.say("ben", "trading", "@Omni hello again")
    await deployment.answered("trading", root, "Hi there.")
    assert desk.keys_asked_with() == [BENS]


async def test_a_key_unlinked_while_omni_answers_is_used_no_longer_and_the_turn_ends(
    deployment: Deployment, desk: Desk
):
    deployment.script("slow", "Never seen. " * 20, seconds=60)
    await desk.link("ana", ANAS)
    ts = await deployment.slack.say("ana", "trading", "@Omni slow")
    await deployment.slack.wait_for(lambda: deployment.omni.active())
    await desk.unlink("ana")
    await deployment.answered("trading", ts, "no longer linked", "/omni link")
    polls = len([call for call in deployment.omni.calls if call.name == POLL])
    root = await deployment.slack.say("ben", "trading", "@Omni hello")
    await deployment.answered("trading", root)
    of_ana = [c for c in deployment.omni.calls if c.name == POLL and c.headers["Authorization"].endswith(ANAS)]
    assert len(of_ana) <= polls


async def test_a_link_survives_the_death_of_the_bot_in_the_middle_of_an_answer(deployment: Deployment, desk: Desk):
    deployment.script("hello", "Hi there. " * 5, seconds=3)
    await desk.link("ana", ANAS)
    ts = await deployment.slack.say("ana", "trading", "@Omni hello")
    await deployment.slack.wait_for(lambda: deployment.omni.active())
    await deployment.restart()
    await deployment.answered("trading", ts, "Hi there.")
    assert desk.keys_asked_with() == [ANAS]
    assert link_principal(desk.person("ana")) not in str(deployment.shown("trading", ts))
