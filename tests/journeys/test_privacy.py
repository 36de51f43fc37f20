"""Account data by surface: where Omni is asked about an account, where its answer goes, and who hears what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp
import pytest

from omnibot.policy.access import NO_ACCOUNT_DATA, NOT_A_MEMBER, NOT_HERE
from omnibot.slack.authorization.account_data import ELSEWHERE, GUEST_ELSEWHERE
from tests.journeys.conftest import FINISHED, Deployment

ACCOUNT = 19816
CREATE = "POST /v1/omni-ai/threads"
STATUS = "GET /v1/omni-ai/entitlement-status"
MESSAGE = "POST /v1/omni-ai/threads/{thread_id}/messages"


async def grant(deployment: Deployment) -> None:
    """Let Omni see the account, as Clear Street's own pages do."""
    async with aiohttp.ClientSession(headers={"Authorization": "Bearer demo-key"}) as session:
        async with session.get(f"{deployment.omni.base_url}/v1/omni-ai/entitlement-agreements") as answer:
            agreement = (await answer.json())["data"][0]
        old = deployment.omni.revision == "2026-04"
        body = {
            "agreement_id": agreement["agreement_id"],
            "requested_entitlement_codes" if old else "entitlement_codes": ["omni.account_data"],
            "trading_account_ids" if old else "account_ids": [ACCOUNT],
        }
        async with session.post(f"{deployment.omni.base_url}/v1/omni-ai/entitlements", json=body) as answer:
            assert answer.status == 200, await answer.text()


def accounts_asked_about(deployment: Deployment) -> list[Any]:
    """The account of every question Omni got, in order; None: it was asked without one."""
    return [call.args.get("account_id") for call in deployment.omni.calls if call.name in (CREATE, MESSAGE)]


def in_dm(deployment: Deployment, name: str, words: str) -> list[str]:
    """The bot's messages with these words in somebody's DM."""
    slack = deployment.slack
    shown = [slack.visible_text(m) for m in slack.history(slack.dm(name)) if m.user == slack.bot_user_id]
    return [text for text in shown if words in text]


def ephemerals(deployment: Deployment, name: str) -> str:
    return " ".join(str(said["text"]) for said in deployment.slack.ephemerals(name))


def policy(deployment: Deployment, tmp_path: Path, text: str) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(f"version = 1\n{text}")
    deployment.bot.environment["OMNIBOT_POLICY"] = str(path)


async def test_where_the_api_demands_an_account_an_answer_that_may_hold_its_data_goes_to_the_askers_dm(
    deployment: Deployment,
):
    deployment.script("positions", "You hold 100 AAPL.")
    deployment.script("and tesla", "And 5 TSLA.")

    ts = await deployment.slack.say("ana", "research", "@Omni my positions?")
    # Omni cannot see the account yet: nothing is kept from anybody.
    await deployment.answered("research", ts, "You hold 100 AAPL.")

    await grant(deployment)
    ts = await deployment.slack.say("ana", "research", "@Omni my positions?")
    await deployment.slack.wait_for(lambda: in_dm(deployment, "ana", "You hold 100 AAPL."))
    await deployment.slack.wait_for(lambda: deployment.shown("research", ts))
    assert deployment.shown("research", ts) == [ELSEWHERE]
    await deployment.slack.say("ana", "research", "and tesla?", thread_ts=ts)
    await deployment.slack.wait_for(lambda: in_dm(deployment, "ana", "And 5 TSLA."))
    assert "TSLA" not in str(deployment.shown("research", ts))
    # It went on in the same conversation, and the question stands above its answer.
    assert [call.name for call in deployment.omni.calls if call.name in (CREATE, MESSAGE)] == [CREATE, CREATE, MESSAGE]
    roots = {
        m.thread_ts
        for m in deployment.slack.history(deployment.slack.dm("ana"))
        if "TSLA" in deployment.slack.visible_text(m)
    }
    assert len(roots) == 1
    assert len(in_dm(deployment, "ana", "and tesla?")) == 1

    # A channel for account data reads along, and so does a DM with its own person.
    desk = await deployment.slack.say("ana", "trading", "@Omni my positions?")
    await deployment.answered("trading", desk, "You hold 100 AAPL.")

    # Nor is one with a guest in it, for as long as the guest is in it.
    await deployment.slack.join("cleo", "trading")
    guested = await deployment.slack.say("ana", "trading", "@Omni my positions?")
    await deployment.slack.wait_for(lambda: deployment.shown("trading", guested))
    assert deployment.shown("trading", guested) == [GUEST_ELSEWHERE]
    await deployment.slack.wait_for(lambda: len(in_dm(deployment, "ana", "You hold 100 AAPL.")) == 2)
    await deployment.slack.leave("cleo", "trading")
    desk = await deployment.slack.say("ana", "trading", "@Omni my positions?")
    await deployment.answered("trading", desk, "You hold 100 AAPL.")
    await deployment.slack.join("cleo", "trading")
    again = await deployment.slack.say("ana", "trading", "@Omni my positions?")
    await deployment.slack.wait_for(lambda: deployment.shown("trading", again))
    assert deployment.shown("trading", again) == [GUEST_ELSEWHERE]
    await deployment.slack.wait_for(lambda: len(in_dm(deployment, "ana", "You hold 100 AAPL.")) == 3)

    # A channel that another company reads is not for account data, however private its members feel.
    shared = await deployment.slack.say("ana", "client-desk", "@Omni my positions?")
    await deployment.slack.wait_for(lambda: deployment.shown("client-desk", shared))
    assert deployment.shown("client-desk", shared) == [ELSEWHERE]
    await deployment.slack.wait_for(lambda: len(in_dm(deployment, "ana", "You hold 100 AAPL.")) == 4)
    assert accounts_asked_about(deployment) == [ACCOUNT] * 8


async def test_a_question_that_waits_while_omni_is_let_see_the_account_is_answered_in_the_dm(deployment: Deployment):
    deployment.script("hello", "Hi there.", seconds=4)
    deployment.script("positions", "You hold 100 AAPL.")
    ts = await deployment.slack.say("ana", "research", "@Omni hello")
    await deployment.slack.wait_for(deployment.omni.active)
    await deployment.slack.say("ana", "research", "my positions?", thread_ts=ts)
    await deployment.slack.wait_for(lambda: "after the question before it" in ephemerals(deployment, "ana"))
    await grant(deployment)
    # Omni, at work on the first, can look at the account too by now.
    await deployment.slack.wait_for(lambda: in_dm(deployment, "ana", "Hi there."))
    await deployment.slack.wait_for(lambda: in_dm(deployment, "ana", "You hold 100 AAPL."))
    assert deployment.shown("research", ts) == [ELSEWHERE, ELSEWHERE]
    assert deployment.asked() == ["hello", "my positions?"]


@pytest.mark.parametrize("deployment", ["2026-10"], indirect=True)
async def test_where_it_can_be_omni_is_asked_without_an_account_outside_desk_channels(deployment: Deployment):
    deployment.script("positions", "Which account?")
    ts = await deployment.slack.say("ana", "research", "@Omni my positions?")
    await deployment.answered("research", ts, "Which account?")
    await deployment.slack.say("ana", "research", "positions please", thread_ts=ts)
    await deployment.answered("research", ts, count=2)
    desk = await deployment.slack.say("ana", "trading", "@Omni my positions?")
    await deployment.answered("trading", desk)
    direct = await deployment.slack.say("ana", deployment.slack.dm("ana"), "my positions?")
    await deployment.answered(deployment.slack.dm("ana"), direct)
    assert accounts_asked_about(deployment) == [None, None, ACCOUNT, ACCOUNT]
    assert in_dm(deployment, "ana", ELSEWHERE) == []


@pytest.mark.parametrize("deployment", ["2026-08", "2026-10"], indirect=True)
@pytest.mark.parametrize("channel", ["research", "trading"])
async def test_an_api_that_fails_a_few_times_moves_nobodys_answer(deployment: Deployment, channel: str):
    deployment.script("price", "AAPL is at 213.55.")
    faults = deployment.omni.gate.refuse("*", status=500, count=3)
    ts = await deployment.slack.say("ana", channel, "@Omni the price?")
    await deployment.answered(channel, ts, "AAPL is at 213.55.")
    assert len(faults.calls) == 3
    assert len(deployment.shown(channel, ts)) == 1
    assert in_dm(deployment, "ana", FINISHED) == []
    assert deployment.asked() == ["the price?"]


@pytest.mark.parametrize("deployment", ["2026-10"], indirect=True)
async def test_where_it_stays_unknown_what_the_api_enables_members_are_answered_in_private_and_guests_wait(
    deployment: Deployment, tmp_path: Path
):
    deployment.script("price", "AAPL is at 213.55.")
    policy(deployment, tmp_path, '[access]\nguests = "everybody"\nshared_key = ["U0ANA00001", "U0CLEO0001"]\n')
    await deployment.restart()
    unknown = deployment.omni.gate.refuse(STATUS, status=500, count=1_000)
    ts = await deployment.slack.say("ana", "research", "@Omni the price?")
    guest = await deployment.slack.say("cleo", "research", "@Omni the price?")
    await deployment.slack.wait_for(lambda: in_dm(deployment, "ana", "AAPL is at 213.55."), timeout=90)
    assert deployment.shown("research", ts) == [ELSEWHERE]
    assert len(unknown.calls) > 3
    # Later Clear Street says it, and it is about no account: the guest, never turned away, is answered here.
    deployment.omni.gate.clear()
    await deployment.answered("research", guest, "AAPL is at 213.55.", timeout=90)
    assert NO_ACCOUNT_DATA not in ephemerals(deployment, "cleo")
    assert accounts_asked_about(deployment) == [ACCOUNT, None]


async def test_the_policy_says_who_asks_where_and_guests_hear_nothing_of_accounts(
    deployment: Deployment, tmp_path: Path
):
    deployment.script("hello", "Hi there.")
    policy(
        deployment,
        tmp_path,
        '[access]\nguests = "everybody"\nshared_key = ["U0ANA00001", "U0CLEO0001"]\n'
        'where = ["C0TRADING1", "C0RESEARCH", "C0ADVISERS"]\n'
        '[channels]\naccount_data = ["C0RESEARCH"]\nfollow_ups = "mention"\n',
    )
    await grant(deployment)
    await deployment.restart()
    people = {name: deployment.slack.workspace.user(name) for name in ("ana", "ben", "cleo", "dan")}
    assert people["cleo"].id == "U0CLEO0001"

    ts = await deployment.slack.say("ana", "research", "@Omni hello")
    await deployment.answered("research", ts, "Hi there.")
    await deployment.slack.say("ana", "client-desk", "@Omni hello")
    await deployment.slack.wait_for(lambda: NOT_HERE in ephemerals(deployment, "ana"))
    await deployment.slack.say("cleo", "advisers", "@Omni hello")
    await deployment.slack.wait_for(lambda: NO_ACCOUNT_DATA in ephemerals(deployment, "cleo"))
    await deployment.slack.say("dan", "client-desk", "@Omni hello")
    await deployment.slack.wait_for(lambda: NOT_A_MEMBER in ephemerals(deployment, "dan"))
    await deployment.slack.say("ben", "trading", "@Omni hello")
    await deployment.slack.wait_for(lambda: "may not use the shared" in ephemerals(deployment, "ben"))

    # Follow-ups need a mention here.
    await deployment.slack.say("ana", "research", "hello hello", thread_ts=ts)
    await deployment.slack.say("ana", "research", "@Omni hello once more", thread_ts=ts)
    await deployment.answered("research", ts, count=2)
    assert deployment.asked() == ["hello", "hello once more"]

    # A changed file counts within seconds; a bad one does not, and the one before stays in force.
    file = tmp_path / "policy.toml"
    file.write_text('version = 1\n[access]\npeople = "nobody"')
    await deployment.slack.wait_for(lambda: "policy_refused" in deployment.bot.logged())
    file.write_text('version = 1\n[access]\nrefused = ["U0ANA00001"]')
    await deployment.slack.wait_for(lambda: deployment.bot.logged().count("policy_read") == 2)
    await deployment.slack.say("ana", "research", "@Omni hello")
    await deployment.slack.wait_for(lambda: "closed Omni to you" in ephemerals(deployment, "ana"))


async def test_trouble_with_the_policy_is_said_in_the_ops_channel_and_a_missing_file_stops_the_start(
    deployment: Deployment, tmp_path: Path
):
    policy(deployment, tmp_path, "")
    deployment.bot.environment["OMNIBOT_OPS_CHANNEL"] = "C0TRADING1"
    await deployment.restart()
    (tmp_path / "policy.toml").write_text("version = 1\n[acess]\n")
    await deployment.slack.wait_for(
        lambda: [m for m in deployment.slack.history("trading") if "acess" in deployment.slack.visible_text(m)]
    )
    await deployment.bot.terminate()
    (tmp_path / "policy.toml").unlink()
    await deployment.bot.start()
    assert deployment.bot.process is not None
    assert await deployment.bot.process.wait() == 1
    assert "policy.toml" in deployment.bot.logged()


async def test_each_click_is_authorised_as_the_one_who_clicks(deployment: Deployment):
    """Ana's answer below, and everybody who can see it: a guest, a colleague, somebody of another company."""
    deployment.script("hello", "Hi there.", seconds=0.2)
    ts = await deployment.slack.say("ana", "client-desk", "@Omni hello")
    await deployment.answered("client-desk", ts, FINISHED)
    answer = deployment.replies("client-desk", ts)[-1]
    await deployment.slack.click("dan", "client-desk", answer.ts, label="Regenerate")
    await deployment.slack.wait_for(lambda: NOT_A_MEMBER in ephemerals(deployment, "dan"))
    await deployment.slack.click("ben", "client-desk", answer.ts, label="Regenerate")
    await deployment.answered("client-desk", ts, count=2)
    assert deployment.asked() == ["hello", "hello"]
