"""Account data by surface: where Omni is asked about an account, where its answer goes, and who hears what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp
import pytest

from omnibot.policy.access import NO_ACCOUNT_DATA, NOT_A_MEMBER, NOT_HERE
from omnibot.slack.authorization.account_data import ELSEWHERE, GUEST_ELSEWHERE
from tests.journeys.conftest import FINISHED, House

ACCOUNT = 19816
CREATE = "POST /v1/omni-ai/threads"
STATUS = "GET /v1/omni-ai/entitlement-status"
MESSAGE = "POST /v1/omni-ai/threads/{thread_id}/messages"


async def grant(house: House) -> None:
    """Let Omni see the account, as Clear Street's own pages do."""
    async with aiohttp.ClientSession(headers={"Authorization": "Bearer demo-key"}) as session:
        async with session.get(f"{house.omni.base_url}/v1/omni-ai/entitlement-agreements") as answer:
            agreement = (await answer.json())["data"][0]
        old = house.omni.revision == "2026-04"
        body = {
            "agreement_id": agreement["agreement_id"],
            "requested_entitlement_codes" if old else "entitlement_codes": ["omni.account_data"],
            "trading_account_ids" if old else "account_ids": [ACCOUNT],
        }
        async with session.post(f"{house.omni.base_url}/v1/omni-ai/entitlements", json=body) as answer:
            assert answer.status == 200, await answer.text()


def accounts_asked_about(house: House) -> list[Any]:
    """The account of every question Omni got, in order; None: it was asked without one."""
    return [call.args.get("account_id") for call in house.omni.calls if call.name in (CREATE, MESSAGE)]


def in_dm(house: House, name: str, words: str) -> list[str]:
    """The bot's messages with these words in somebody's DM."""
    slack = house.slack
    shown = [slack.visible_text(m) for m in slack.history(slack.dm(name)) if m.user == slack.bot_user_id]
    return [text for text in shown if words in text]


def whispers(house: House, name: str) -> str:
    return " ".join(str(said["text"]) for said in house.slack.ephemerals(name))


def policy(house: House, tmp_path: Path, text: str) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(f"version = 1\n{text}")
    house.bot.environment["OMNIBOT_POLICY"] = str(path)


async def test_where_the_api_demands_an_account_an_answer_that_may_hold_its_data_goes_to_the_askers_dm(house: House):
    house.script("positions", "You hold 100 AAPL.")
    house.script("and tesla", "And 5 TSLA.")

    ts = await house.slack.say("ana", "research", "@Omni my positions?")
    # Omni cannot see the account yet: nothing is kept from anybody.
    await house.answered("research", ts, "You hold 100 AAPL.")

    await grant(house)
    ts = await house.slack.say("ana", "research", "@Omni my positions?")
    await house.slack.wait_for(lambda: in_dm(house, "ana", "You hold 100 AAPL."))
    await house.slack.wait_for(lambda: house.shown("research", ts))
    assert house.shown("research", ts) == [ELSEWHERE]
    await house.slack.say("ana", "research", "and tesla?", thread_ts=ts)
    await house.slack.wait_for(lambda: in_dm(house, "ana", "And 5 TSLA."))
    assert "TSLA" not in str(house.shown("research", ts))
    # It went on in the same conversation, and the question stands above its answer.
    assert [call.name for call in house.omni.calls if call.name in (CREATE, MESSAGE)] == [CREATE, CREATE, MESSAGE]
    roots = {m.thread_ts for m in house.slack.history(house.slack.dm("ana")) if "TSLA" in house.slack.visible_text(m)}
    assert len(roots) == 1
    assert len(in_dm(house, "ana", "and tesla?")) == 1

    # A desk channel reads along, and so does a DM with its own person.
    desk = await house.slack.say("ana", "trading", "@Omni my positions?")
    await house.answered("trading", desk, "You hold 100 AAPL.")

    # Nor is one with a guest in it, for as long as the guest is in it.
    await house.slack.join("cleo", "trading")
    guested = await house.slack.say("ana", "trading", "@Omni my positions?")
    await house.slack.wait_for(lambda: house.shown("trading", guested))
    assert house.shown("trading", guested) == [GUEST_ELSEWHERE]
    await house.slack.wait_for(lambda: len(in_dm(house, "ana", "You hold 100 AAPL.")) == 2)
    await house.slack.leave("cleo", "trading")
    desk = await house.slack.say("ana", "trading", "@Omni my positions?")
    await house.answered("trading", desk, "You hold 100 AAPL.")
    await house.slack.join("cleo", "trading")
    again = await house.slack.say("ana", "trading", "@Omni my positions?")
    await house.slack.wait_for(lambda: house.shown("trading", again))
    assert house.shown("trading", again) == [GUEST_ELSEWHERE]
    await house.slack.wait_for(lambda: len(in_dm(house, "ana", "You hold 100 AAPL.")) == 3)

    # A channel that another company reads is no desk, however private its members feel.
    shared = await house.slack.say("ana", "client-desk", "@Omni my positions?")
    await house.slack.wait_for(lambda: house.shown("client-desk", shared))
    assert house.shown("client-desk", shared) == [ELSEWHERE]
    await house.slack.wait_for(lambda: len(in_dm(house, "ana", "You hold 100 AAPL.")) == 4)
    assert accounts_asked_about(house) == [ACCOUNT] * 8


async def test_a_question_that_waits_while_omni_is_let_see_the_account_is_answered_in_the_dm(house: House):
    house.script("hello", "Hi there.", seconds=4)
    house.script("positions", "You hold 100 AAPL.")
    ts = await house.slack.say("ana", "research", "@Omni hello")
    await house.slack.wait_for(house.omni.active)
    await house.slack.say("ana", "research", "my positions?", thread_ts=ts)
    await house.slack.wait_for(lambda: "after the question before it" in whispers(house, "ana"))
    await grant(house)
    # Omni, at work on the first, can look at the account too by now.
    await house.slack.wait_for(lambda: in_dm(house, "ana", "Hi there."))
    await house.slack.wait_for(lambda: in_dm(house, "ana", "You hold 100 AAPL."))
    assert house.shown("research", ts) == [ELSEWHERE, ELSEWHERE]
    assert house.asked() == ["hello", "my positions?"]


@pytest.mark.parametrize("house", ["2026-10"], indirect=True)
async def test_where_it_can_be_omni_is_asked_without_an_account_outside_desk_channels(house: House):
    house.script("positions", "Which account?")
    ts = await house.slack.say("ana", "research", "@Omni my positions?")
    await house.answered("research", ts, "Which account?")
    await house.slack.say("ana", "research", "positions please", thread_ts=ts)
    await house.answered("research", ts, count=2)
    desk = await house.slack.say("ana", "trading", "@Omni my positions?")
    await house.answered("trading", desk)
    direct = await house.slack.say("ana", house.slack.dm("ana"), "my positions?")
    await house.answered(house.slack.dm("ana"), direct)
    assert accounts_asked_about(house) == [None, None, ACCOUNT, ACCOUNT]
    assert in_dm(house, "ana", ELSEWHERE) == []


@pytest.mark.parametrize("house", ["2026-08", "2026-10"], indirect=True)
@pytest.mark.parametrize("channel", ["research", "trading"])
async def test_an_api_that_fails_a_few_times_moves_nobodys_answer(house: House, channel: str):
    house.script("price", "AAPL is at 213.55.")
    faults = house.omni.gate.refuse("*", status=500, count=3)
    ts = await house.slack.say("ana", channel, "@Omni the price?")
    await house.answered(channel, ts, "AAPL is at 213.55.")
    assert len(faults.calls) == 3
    assert len(house.shown(channel, ts)) == 1
    assert in_dm(house, "ana", FINISHED) == []
    assert house.asked() == ["the price?"]


@pytest.mark.parametrize("house", ["2026-10"], indirect=True)
async def test_where_it_stays_unknown_what_the_api_enables_members_are_answered_in_private_and_guests_wait(
    house: House, tmp_path: Path
):
    house.script("price", "AAPL is at 213.55.")
    policy(house, tmp_path, '[access]\nguests = "everybody"\nshared_key = ["U0ANA00001", "U0CLEO0001"]\n')
    await house.restart()
    unknown = house.omni.gate.refuse(STATUS, status=500, count=1_000)
    ts = await house.slack.say("ana", "research", "@Omni the price?")
    guest = await house.slack.say("cleo", "research", "@Omni the price?")
    await house.slack.wait_for(lambda: in_dm(house, "ana", "AAPL is at 213.55."), timeout=90)
    assert house.shown("research", ts) == [ELSEWHERE]
    assert len(unknown.calls) > 3
    # Later Clear Street says it, and it is about no account: the guest, never turned away, is answered here.
    house.omni.gate.clear()
    await house.answered("research", guest, "AAPL is at 213.55.", timeout=90)
    assert NO_ACCOUNT_DATA not in whispers(house, "cleo")
    assert accounts_asked_about(house) == [ACCOUNT, None]


async def test_the_policy_says_who_asks_where_and_guests_hear_nothing_of_accounts(house: House, tmp_path: Path):
    house.script("hello", "Hi there.")
    policy(
        house,
        tmp_path,
        '[access]\nguests = "everybody"\nshared_key = ["U0ANA00001", "U0CLEO0001"]\n'
        'where = ["C0TRADING1", "C0RESEARCH", "C0ADVISERS"]\n'
        '[channels]\ndesk = ["C0RESEARCH"]\nfollow_ups = "mention"\n',
    )
    await grant(house)
    await house.restart()
    people = {name: house.slack.workspace.user(name) for name in ("ana", "ben", "cleo", "dan")}
    assert people["cleo"].id == "U0CLEO0001"

    ts = await house.slack.say("ana", "research", "@Omni hello")
    await house.answered("research", ts, "Hi there.")
    await house.slack.say("ana", "client-desk", "@Omni hello")
    await house.slack.wait_for(lambda: NOT_HERE in whispers(house, "ana"))
    await house.slack.say("cleo", "advisers", "@Omni hello")
    await house.slack.wait_for(lambda: NO_ACCOUNT_DATA in whispers(house, "cleo"))
    await house.slack.say("dan", "client-desk", "@Omni hello")
    await house.slack.wait_for(lambda: NOT_A_MEMBER in whispers(house, "dan"))
    await house.slack.say("ben", "trading", "@Omni hello")
    await house.slack.wait_for(lambda: "may not use the shared" in whispers(house, "ben"))

    # Follow-ups need a mention here.
    await house.slack.say("ana", "research", "hello hello", thread_ts=ts)
    await house.slack.say("ana", "research", "@Omni hello once more", thread_ts=ts)
    await house.answered("research", ts, count=2)
    assert house.asked() == ["hello", "hello once more"]

    # A changed file counts within seconds; a bad one does not, and the one before stays in force.
    file = tmp_path / "policy.toml"
    file.write_text('version = 1\n[access]\npeople = "nobody"')
    await house.slack.wait_for(lambda: "policy_refused" in house.bot.logged())
    file.write_text('version = 1\n[access]\nrefused = ["U0ANA00001"]')
    await house.slack.wait_for(lambda: house.bot.logged().count("policy_read") == 2)
    await house.slack.say("ana", "research", "@Omni hello")
    await house.slack.wait_for(lambda: "closed Omni to you" in whispers(house, "ana"))


async def test_trouble_with_the_policy_is_said_in_the_ops_channel_and_a_missing_file_stops_the_start(
    house: House, tmp_path: Path
):
    policy(house, tmp_path, "")
    house.bot.environment["OMNIBOT_OPS_CHANNEL"] = "C0TRADING1"
    await house.restart()
    (tmp_path / "policy.toml").write_text("version = 1\n[acess]\n")
    await house.slack.wait_for(
        lambda: [m for m in house.slack.history("trading") if "acess" in house.slack.visible_text(m)]
    )
    await house.bot.terminate()
    (tmp_path / "policy.toml").unlink()
    await house.bot.start()
    assert house.bot.process is not None
    assert await house.bot.process.wait() == 1
    assert "policy.toml" in house.bot.logged()


async def test_each_click_is_authorised_as_the_one_who_clicks(house: House):
    """Ana's answer below, and everybody who can see it: a guest, a colleague, somebody of another company."""
    house.script("hello", "Hi there.", seconds=0.2)
    ts = await house.slack.say("ana", "client-desk", "@Omni hello")
    await house.answered("client-desk", ts, FINISHED)
    answer = house.replies("client-desk", ts)[-1]
    await house.slack.click("dan", "client-desk", answer.ts, label="Regenerate")
    await house.slack.wait_for(lambda: NOT_A_MEMBER in whispers(house, "dan"))
    await house.slack.click("ben", "client-desk", answer.ts, label="Regenerate")
    await house.answered("client-desk", ts, count=2)
    assert house.asked() == ["hello", "hello"]
