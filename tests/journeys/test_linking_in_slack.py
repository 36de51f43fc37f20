"""People and their keys, through Slack's own surfaces: modals, nudges, the one-time page, and leaving."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import aiohttp
import pytest
from omnibot_sandbox.clearstreet.accounts import account

from omnibot.encryption import new_key
from omnibot.telemetry import KEY_FIELD
from tests.journeys.conftest import Deployment, furnished
from tests.journeys.test_http import free_port

#: Ana's first key sees two accounts, her next one and Ben's one each.
ANAS, ANAS_NEXT, BENS = "anas-key-0123456789", "anas-next-key-012345", "bens-key-0123456789"
WRONG = "nobodys-key-0123456789"
ACCOUNTS = "GET /v1/accounts"
CREATE = "POST /v1/omni-ai/threads"


@dataclass
class Desk:
    """A person's way through the modals."""

    deployment: Deployment
    folder: Path
    port: int

    async def type(self, user: str, words: str, channel: str = "trading") -> Any:
        return await self.deployment.slack.command(user, channel, "/omni", words)

    async def modal(self, user: str, *words: str) -> dict[str, Any]:
        """The uppermost modal, once it says all this."""

        def showing() -> dict[str, Any] | None:
            modals = self.deployment.slack.modals(user)
            return modals[-1] if modals and all(word in self.read(modals[-1]) for word in words) else None

        found = await self.deployment.slack.wait_for(showing)
        assert found is not None
        return found

    def read(self, view: dict[str, Any]) -> str:
        """Its words, without the asterisks around what is bold."""
        return self.deployment.slack.visible_text({"text": "", "blocks": view["blocks"]}).replace("*", "")

    async def enter(self, user: str, key: str) -> Any:
        """Put a key into the form that is open, and send it."""
        view = await self.modal(user, "The key passes through Slack")
        block = next(b["block_id"] for b in view["blocks"] if b["type"] == "input")
        return await self.deployment.slack.submit(
            user, view["id"], {block: {KEY_FIELD: {"type": "plain_text_input", "value": key}}}
        )

    async def link(self, user: str, key: str, *said: str) -> dict[str, Any]:
        """`/omni link`, the key, and what comes of it."""
        await self.type(user, "link")
        await self.enter(user, key)
        return await self.modal(user, *said)

    async def choose(self, user: str, name: str, scope: str | None = None) -> dict[str, Any]:
        """Choose an account in the modal that is open."""
        view = await self.modal(user, "Ask about")
        await self.deployment.slack.submit(user, view["id"], account_chosen(view, name, scope))
        return await self.modal(user, f"are about {name}")

    async def press_in_modal(self, user: str, view: dict[str, Any], action: str) -> None:
        block, name = next(
            (b["block_id"], e["action_id"])
            for b in view["blocks"]
            for e in (b.get("elements") or [b.get("accessory") or {}])
            if e.get("action_id", "").partition(":")[0] == action
        )
        assert await self.deployment.slack.press(user, view_id=view["id"], block_id=block, action_id=name)

    def open_dialog(self, user: str, tell_privately: dict[str, Any], action: str) -> dict[str, Any]:
        """Press a button that asks first, and leave its dialog open. Returns what confirms it."""
        block, name = next(
            (b["block_id"], e["action_id"])
            for b in tell_privately["blocks"]
            for e in b.get("elements", [])
            if e.get("action_id", "").partition(":")[0] == action
        )
        where = {"channel": tell_privately["channel"], "ts": tell_privately["ts"], "block_id": block, "action_id": name}
        return {**where, "dialog": self.deployment.slack.open_dialog(user, **where)}

    async def close(self, user: str) -> None:
        view = self.deployment.slack.modals(user)[-1]
        await self.deployment.slack.close_view(user, view["id"], clear=True)

    async def nudge(self, user: str, *words: str, count: int = 1) -> dict[str, Any]:
        """The latest thing that only this person was shown, once `count` of those say all this."""
        slack = self.deployment.slack

        def told() -> list[dict[str, Any]]:
            said = [e for e in slack.ephemerals(user) if all(w in slack.visible_text(e) for w in words)]
            return said if len(said) >= count else []

        return (await slack.wait_for(told))[-1]

    async def press(self, user: str, tell_privately: dict[str, Any], action: str) -> None:
        assert await self.deployment.slack.click(
            user, tell_privately["channel"], tell_privately["ts"], action_id=action
        )

    async def in_dm(self, user: str, *words: str) -> str:
        """What omnibot wrote to this person directly, once it says all this."""
        slack = self.deployment.slack

        def written() -> str:
            text = "\n".join(slack.visible_text(m) for m in slack.history(slack.dm(user)) if m.user != user)
            return text if all(word in text for word in words) else ""

        return await slack.wait_for(written)

    def asked(self) -> list[tuple[str, int]]:
        """Key and account of each new Omni thread."""
        calls = [call for call in self.deployment.omni.calls if call.name == CREATE]
        return [(c.headers["Authorization"].removeprefix("Bearer "), c.args["account_id"]) for c in calls]

    def links(self) -> int:
        with closing(sqlite3.connect(self.folder / "omnibot.sqlite3")) as database:
            return int(database.execute("SELECT count(*) FROM links").fetchone()[0])


def account_chosen(view: dict[str, Any], name: str, scope: str | None = None) -> dict[str, Any]:
    """The form of accounts filled in."""
    block_id, menu = next(
        (b["block_id"], b["element"]) for b in view["blocks"] if str(b.get("block_id")).startswith("account:")
    )
    option = next(o for o in menu["options"] if o["text"]["text"].removesuffix(" (now)") == name)
    values = {block_id: {"omni_account": {"type": "static_select", "selected_option": option}}}
    if scope is not None:
        radios = next(b["element"] for b in view["blocks"] if b.get("block_id") == "scope")
        chosen = next(o for o in radios["options"] if o["value"] == scope)
        values["scope"] = {"omni_scope": {"type": "radio_buttons", "selected_option": chosen}}
    return values


Furnish = Callable[..., Awaitable[Desk]]


@pytest.fixture
async def furnish(tmp_path: Path, migrated: Path) -> AsyncIterator[Furnish]:
    """Start a deployment in which people can link keys; keywords are settings, "" takes one away."""
    async with furnished(tmp_path, migrated) as deployment:

        async def start(**settings: str) -> Desk:
            deployment.omni.keys[ANAS] = [account(30001, "Growth"), account(30002, "Retirement")]
            deployment.omni.keys[ANAS_NEXT] = [account(30003, "Ana's next")]
            deployment.omni.keys[BENS] = [account(40001, "Ben's own")]
            port = free_port()
            deployment.bot.environment |= {"OMNIBOT_ENCRYPTION_KEYS": new_key(), "PORT": str(port), **settings}
            deployment.script("hello", "Hi there.")
            await deployment.start()
            return Desk(deployment, tmp_path, port)

        yield start


async def test_a_key_goes_in_is_used_checked_replaced_and_forgotten_and_is_nowhere_to_be_found(furnish: Furnish):
    port = free_port()
    desk = await furnish(OMNIBOT_LOG_LEVEL="debug", PORT=str(port), OMNIBOT_PUBLIC_URL=f"http://127.0.0.1:{port}")
    deployment = desk.deployment

    await desk.type("ana", "link")
    refused = await desk.enter("ana", "two words")
    assert "space or a line break" in str(refused.errors)
    await desk.enter("ana", WRONG)
    await desk.modal("ana", "Not done", "does not accept this key", "(request ")
    await desk.enter("ana", f" {ANAS}\n")
    await desk.modal("ana", "Your key is linked", "2 accounts: Growth, Retirement")
    await desk.choose("ana", "Retirement")
    await desk.close("ana")
    ts = await deployment.slack.say("ana", "trading", "@Omni hello")
    await deployment.answered("trading", ts, "Hi there.")
    assert desk.asked() == [(ANAS, 30002)]

    # What is linked can be checked again, and another key takes its place.
    await desk.type("ana", "link")
    form = await desk.modal("ana", "You linked a key on", "and it works", "in its place")
    await desk.press_in_modal("ana", form, "omni_mend_key")
    checked = await desk.modal("ana", "Clear Street accepts your key", "about Retirement")
    assert checked["submit"]["text"] == "Save"
    await desk.close("ana")
    await desk.link("ana", ANAS_NEXT, "in place of the earlier one", "one account, Ana's next")
    await desk.close("ana")
    ts = await deployment.slack.say("ana", "trading", "@Omni hello again")
    await deployment.answered("trading", ts, "Hi there.")
    assert desk.asked()[-1] == (ANAS_NEXT, 30003)

    # Ben enters his on the page, past Slack, and hears of it in his own messages.
    await desk.type("ben", "link")
    form = await desk.modal("ben", "Keep the key out of Slack")
    page = re.findall(r"http://127\.0\.0\.1:\d+/link/[\w-]+", str(form))[0]
    async with aiohttp.ClientSession() as browser:
        async with browser.get(page) as answer:
            assert "ben at Clear" in await answer.text()
        async with browser.post(page, data={KEY_FIELD: BENS}) as answer:
            assert answer.status == 200, await answer.text()
        async with browser.post(page, data={KEY_FIELD: BENS}) as answer:
            assert answer.status == 410
        async with browser.get(f"http://127.0.0.1:{port}/metrics") as answer:
            metrics = await answer.text()
    await desk.in_dm("ben", "was linked for you on omnibot's page", "/omni unlink")
    ts = await deployment.slack.say("ben", "trading", "@Omni hello")
    await deployment.answered("trading", ts, "Hi there.")
    assert desk.asked()[-1] == (BENS, 40001)

    said = await desk.type("ana", "unlink")
    assert "Forget your Clear Street API key?" in str(said.ack_payload)
    await desk.press("ana", await desk.nudge("ana", "Forget your Clear Street API key?"), "omni_unlink_key")
    await desk.nudge("ana", "Forgotten: your Clear Street API key", "shared key")
    assert desk.links() == 1
    assert "have not linked" in str((await desk.type("ana", "unlink")).ack_payload)

    calls = str([(call.name, call.args) for call in deployment.slack.calls])
    await deployment.bot.terminate()
    logged, kept = deployment.bot.logged(), b"".join(f.read_bytes() for f in desk.folder.glob("omnibot.sqlite3*"))
    # The search would find them: what may be there is there.
    assert "DEBUG" in logged
    assert "event=key_linked" in logged
    assert KEY_FIELD in calls
    assert b"U0BEN00001" in kept
    assert "omnibot_slack_calls_total" in metrics
    for key in (ANAS, ANAS_NEXT, BENS, WRONG, "two words"):
        assert key not in logged
        assert key not in calls
        assert key not in metrics
        assert key.encode() not in kept
    assert page.rsplit("/", 1)[1] not in logged
    assert deployment.slack.refusals == [r for r in deployment.slack.refusals if r.answer["error"] == "not_found"]


@pytest.mark.parametrize("reading", ["as_shown", "as_now"])
async def test_a_dialog_about_one_key_does_not_forget_the_next(
    furnish: Furnish, reading: Literal["as_shown", "as_now"]
):
    desk = await furnish()
    desk.deployment.slack.held_dialogs = reading
    await desk.link("ana", ANAS, "Your key is linked")
    await desk.close("ana")
    await desk.type("ana", "unlink")
    dialog = desk.open_dialog("ana", await desk.nudge("ana", "Forget your Clear Street API key?"), "omni_unlink_key")
    await desk.link("ana", ANAS_NEXT, "in place of the earlier one")
    await desk.close("ana")

    assert await desk.deployment.slack.press("ana", **dialog)
    await desk.nudge("ana", "Your key changed since this was shown, so nothing was done")
    assert desk.links() == 1
    await desk.type("ana", "unlink")
    await desk.press("ana", await desk.nudge("ana", "Forget your Clear Street API key?"), "omni_unlink_key")
    await desk.nudge("ana", "Forgotten: your Clear Street API key")
    assert desk.links() == 0


@pytest.mark.parametrize("reading", ["as_shown", "as_now"])
async def test_a_form_for_a_key_held_open_while_another_is_linked_links_nothing_and_keeps_what_was_typed(
    furnish: Furnish, reading: Literal["as_shown", "as_now"]
):
    port = free_port()
    desk = await furnish(PORT=str(port), OMNIBOT_PUBLIC_URL=f"http://127.0.0.1:{port}")
    slack = desk.deployment.slack
    slack.held_dialogs = reading
    await desk.type("ana", "link")
    form = await desk.modal("ana", "Keep the key out of Slack")
    page = re.findall(r"http://127\.0\.0\.1:\d+/link/[\w-]+", str(form))[0]
    block = next(b["block_id"] for b in form["blocks"] if b["type"] == "input")
    held = slack.hold_form("ana", form["id"], {block: {KEY_FIELD: {"type": "plain_text_input", "value": ANAS}}})
    async with aiohttp.ClientSession() as browser, browser.post(page, data={KEY_FIELD: ANAS_NEXT}) as answer:
        assert answer.status == 200, await answer.text()
    await desk.in_dm("ana", "was linked for you on omnibot's page")

    came = await slack.submit("ana", form["id"], {}, held=held)
    assert "Your key changed since this was shown" in str(came.errors)
    assert slack.modals("ana")[-1]["state"]["values"][block][KEY_FIELD]["value"] == ANAS
    assert ANAS not in str([(call.name, call.args) for call in slack.calls])
    await desk.close("ana")
    await slack.say("ana", slack.dm("ana"), "hello")
    await slack.wait_for(lambda: desk.asked() == [(ANAS_NEXT, 30003)])


async def test_a_key_that_is_linked_while_another_is_being_checked_stays(furnish: Furnish):
    port = free_port()
    desk = await furnish(PORT=str(port), OMNIBOT_PUBLIC_URL=f"http://127.0.0.1:{port}")
    deployment = desk.deployment
    await desk.type("ana", "link")
    form = await desk.modal("ana", "Keep the key out of Slack")
    page = re.findall(r"http://127\.0\.0\.1:\d+/link/[\w-]+", str(form))[0]
    held = deployment.omni.gate.hold(ACCOUNTS)
    await desk.enter("ana", ANAS)
    await held.reached()
    async with aiohttp.ClientSession() as browser, browser.post(page, data={KEY_FIELD: ANAS_NEXT}) as answer:
        assert answer.status == 200, await answer.text()
    held.release()
    await desk.modal("ana", "Not done", "Your key changed since this was shown")
    await desk.close("ana")
    ts = await deployment.slack.say("ana", "trading", "@Omni hello")
    await deployment.answered("trading", ts, "Hi there.")
    assert desk.asked() == [(ANAS_NEXT, 30003)]


@pytest.mark.parametrize("reading", ["as_shown", "as_now"])
async def test_a_choice_of_accounts_held_open_while_what_it_shows_changes_chooses_nothing_and_comes_back(
    furnish: Furnish, reading: Literal["as_shown", "as_now"]
):
    desk = await furnish()
    slack = desk.deployment.slack
    slack.held_dialogs = reading
    await desk.link("ana", ANAS, "Your key is linked", "Choose the one")
    first = slack.modals("ana")[-1]
    # In another window of hers.
    with closing(sqlite3.connect(desk.folder / "omnibot.sqlite3", timeout=20)) as database, database:
        database.execute(
            "INSERT INTO account_choices (org, user, principal, channel, thread_ts, team, account_id, chosen_at) "
            "SELECT org, user, 'link:' || org || ':' || user, '', '', team, 30001, created_at FROM links"
        )
    held = slack.hold_form("ana", first["id"], account_chosen(first, "Retirement"))
    await slack.submit("ana", first["id"], {}, held=held)
    again = await desk.modal("ana", "This changed since it was shown", "are about Growth")
    (menu,) = [b for b in again["blocks"] if b.get("block_id", "").startswith("account:")]
    assert menu["element"]["initial_option"]["text"]["text"] == "Retirement"
    await desk.close("ana")
    await desk.type("ana", "account")
    await desk.modal("ana", "are about Growth")
    await desk.choose("ana", "Retirement")


async def test_keys_and_accounts_that_slack_delivers_twice_at_once_are_taken_once(furnish: Furnish):
    desk = await furnish()
    deployment = desk.deployment
    deployment.slack.doubled = True
    await desk.link("ana", ANAS, "Your key is linked", "2 accounts: Growth, Retirement")
    await desk.choose("ana", "Retirement")
    await desk.close("ana")
    await desk.type("ana", "unlink")
    await desk.press("ana", await desk.nudge("ana", "Forget your Clear Street API key?"), "omni_unlink_key")
    await desk.nudge("ana", "Forgotten: your Clear Street API key")
    assert desk.links() == 0
    assert "have not linked" not in str(deployment.slack.ephemerals("ana"))
    assert [m for m in deployment.slack.history(deployment.slack.dm("ana")) if m.user != "U0ANA00001"] == []


async def test_clear_street_may_be_slow_or_away_and_the_modal_says_so(furnish: Furnish):
    desk = await furnish()
    deployment = desk.deployment
    deployment.omni.gate.refuse(ACCOUNTS, status=503, count=100)
    await desk.link("ana", ANAS, "Not done", "not answering right now", "not stored", "(request ")
    deployment.omni.gate.clear()
    assert desk.links() == 0

    # Longer than Slack waits for an answer: the modal says what is going on, then what came of it.
    held = deployment.omni.gate.hold(ACCOUNTS)
    result = await desk.enter("ana", ANAS)
    assert result.acked
    await desk.modal("ana", "Asking Clear Street about this key")
    await held.reached()
    held.release()
    await desk.modal("ana", "Your key is linked")
    await desk.close("ana")

    # Who closes the modal meanwhile hears of it all the same.
    held = deployment.omni.gate.hold(ACCOUNTS)
    await desk.type("ben", "link")
    await desk.enter("ben", BENS)
    await held.reached()
    await desk.close("ben")
    held.release()
    await desk.in_dm("ben", "Your key is linked")
    assert desk.links() == 2


async def test_a_question_waits_for_a_key_and_an_account_and_is_answered_once(furnish: Furnish):
    desk = await furnish(CLEAR_STREET_API_KEY="")
    deployment = desk.deployment
    ts = await deployment.slack.say("ana", "trading", "@Omni hello")
    await desk.press("ana", await desk.nudge("ana", "You have not linked"), "omni_link_key")
    await desk.enter("ana", ANAS)
    await desk.modal("ana", "Your key is linked", "waiting question goes on once you have chosen")
    await desk.choose("ana", "Growth")
    await deployment.answered("trading", ts, "Hi there.")

    # With one account there is nothing to choose: the question goes on at once.
    root = await deployment.slack.say("ben", "trading", "@Omni hello")
    await desk.press("ben", await desk.nudge("ben", "You have not linked"), "omni_link_key")
    await desk.enter("ben", BENS)
    await desk.modal("ben", "one account, Ben's own", "Your waiting question goes on now")
    await deployment.answered("trading", root, "Hi there.")
    assert desk.asked() == [(ANAS, 30001), (BENS, 40001)]
    assert len(deployment.replies("trading", ts)) == len(deployment.replies("trading", root)) == 1


async def test_an_account_is_chosen_for_one_conversation_and_another_one_for_the_rest(furnish: Furnish):
    desk = await furnish(CLEAR_STREET_API_KEY="")
    deployment = desk.deployment
    await desk.link("ana", ANAS, "Your key is linked")
    await desk.close("ana")
    deployment.omni.gate.refuse(ACCOUNTS, status=503, count=100)
    await desk.type("ana", "account")
    view = await desk.modal("ana", "Clear Street does not say right now", "(request ")
    deployment.omni.gate.clear()
    await desk.press_in_modal("ana", view, "omni_choose_account")
    await desk.modal("ana", "Ask about")
    await desk.close("ana")

    ts = await deployment.slack.say("ana", "trading", "@Omni hello")
    nudge = await desk.nudge("ana", "2 open accounts")
    await desk.press("ana", nudge, "omni_choose_account")
    await desk.choose("ana", "Growth", "here")
    await deployment.answered("trading", ts, "Hi there.")
    await desk.close("ana")

    await desk.type("ana", "account")
    assert "In this conversation only" not in desk.read(await desk.modal("ana", "Ask about"))
    await desk.choose("ana", "Retirement")
    await desk.close("ana")
    root = await deployment.slack.say("ana", "research", "@Omni hello")
    await deployment.answered("research", root, "Hi there.")
    assert desk.asked() == [(ANAS, 30001), (ANAS, 30002)]

    # The button still knows its conversation: there it is changed, and a new Omni thread begins.
    await desk.press("ana", nudge, "omni_choose_account")
    await desk.modal("ana", "Your questions in this conversation are about Growth")
    await desk.choose("ana", "Retirement", "here")
    await deployment.slack.say("ana", "trading", "hello once more", thread_ts=ts)
    await deployment.answered("trading", ts, count=2)
    assert desk.asked() == [(ANAS, 30001), (ANAS, 30002), (ANAS, 30002)]
    assert "about another account" in deployment.shown("trading", ts)[-1]


async def test_below_each_answer_its_account_is_named_and_changed_by_each_for_themselves(furnish: Furnish):
    desk = await furnish()
    deployment = desk.deployment
    await desk.link("ana", ANAS, "Your key is linked")
    await desk.choose("ana", "Growth")
    await desk.close("ana")
    ts = await deployment.slack.say("ana", "trading", "@Omni hello")
    await deployment.answered("trading", ts, "Hi there.", "Account: Growth")
    (answer,) = deployment.replies("trading", ts)

    # Ben's own questions use the shared key, whose accounts are none of Ana's.
    await deployment.slack.click("ben", "trading", answer.ts, label="Change account")
    said = await desk.modal("ben", "sees no other open account")
    assert "Growth" not in desk.read(said)

    await deployment.slack.click("ana", "trading", answer.ts, label="Change account")
    await desk.choose("ana", "Retirement")
    await desk.close("ana")
    # What was sent is what stood there: in this conversation only.
    await desk.type("ana", "account")
    assert "about Growth" in desk.read(await desk.modal("ana", "Ask about"))
    await desk.close("ana")
    await deployment.slack.say("ana", "trading", "hello again", thread_ts=ts)
    await deployment.answered("trading", ts, "Account: Retirement", "about another account", count=2)

    # And back: that conversation goes on, and says what it has not seen.
    await deployment.slack.click("ana", "trading", deployment.replies("trading", ts)[-1].ts, label="Change account")
    await desk.choose("ana", "Growth")
    await desk.close("ana")
    await deployment.slack.say("ana", "trading", "hello once more", thread_ts=ts)
    await deployment.answered("trading", ts, "said in between", count=3)
    assert desk.asked() == [(ANAS, 30001), (ANAS, 30002)]

    # Outside a channel for account data nobody reads which accounts she has.
    public = await deployment.slack.say("ana", "research", "@Omni hello")
    text = await deployment.answered("research", public, "Hi there.")
    assert "Account:" not in text
    assert "Change account" not in str([m.blocks for m in deployment.replies("research", public)])


async def test_a_conversation_goes_on_with_another_key_about_an_account_that_key_sees(furnish: Furnish):
    desk = await furnish(CLEAR_STREET_API_KEY="")
    deployment = desk.deployment
    await desk.link("ana", ANAS, "Your key is linked")
    await desk.choose("ana", "Growth")
    await desk.close("ana")
    ts = await deployment.slack.say("ana", "trading", "@Omni hello")
    await deployment.answered("trading", ts, "Hi there.")
    await desk.link("ana", ANAS_NEXT, "in place of the earlier one")
    await desk.close("ana")
    await deployment.slack.say("ana", "trading", "hello again", thread_ts=ts)
    await deployment.answered("trading", ts, "about another account", count=2)
    assert desk.asked() == [(ANAS, 30001), (ANAS_NEXT, 30003)]


async def test_who_links_a_key_with_several_accounts_is_asked_once_which_one_a_waiting_question_is_about(
    furnish: Furnish,
):
    desk = await furnish(CLEAR_STREET_API_KEY="")
    deployment = desk.deployment
    first = await deployment.slack.say("ana", "trading", "@Omni hello")
    await desk.nudge("ana", "You have not linked")
    await desk.link("ana", ANAS, "Your key is linked")
    # She closes the form without choosing, so her question asks.
    await desk.close("ana")
    nudge = await desk.nudge("ana", "2 open accounts")
    second = await deployment.slack.say("ana", "client-desk", "@Omni hello")
    other = await desk.nudge("ana", "2 open accounts", count=2)
    # A choice for one conversation answers that one, and leaves the other in peace.
    await desk.press("ana", nudge, "omni_choose_account")
    await desk.choose("ana", "Growth", "here")
    await desk.close("ana")
    await deployment.answered("trading", first, "Hi there.")
    await desk.press("ana", other, "omni_choose_account")
    await desk.choose("ana", "Retirement", "here")
    # Two looks for what may go on lie between the first choice and this.
    await deployment.answered("client-desk", second, "Hi there.")
    said = [e for e in deployment.slack.ephemerals("ana") if "2 open accounts" in str(e["text"])]
    assert len(said) == 2


async def test_who_has_a_broken_key_is_told_privately_once_and_can_put_another_in_its_place(furnish: Furnish):
    desk = await furnish()
    deployment = desk.deployment
    deployment.script("slow", "Never seen. " * 20, seconds=60)
    await desk.link("ben", BENS, "Your key is linked")
    await desk.close("ben")
    ts = await deployment.slack.say("ben", "trading", "@Omni slow")
    await deployment.slack.wait_for(deployment.omni.active)
    del deployment.omni.keys[BENS]
    await deployment.answered("trading", ts, "no longer accepts your API key")
    nudge = await desk.nudge("ben", "while Omni was answering you")

    root = await deployment.slack.say("ben", "trading", "@Omni hello")
    await desk.nudge("ben", "no longer accepts your API key", "Your question waits")
    await desk.press("ben", nudge, "omni_link_key")
    form = await desk.modal("ben", "Clear Street refused it on", "in its place")
    await desk.press_in_modal("ben", form, "omni_mend_key")
    await desk.modal("ben", "Not done", "does not accept this key")
    await desk.enter("ben", ANAS_NEXT)
    await desk.modal("ben", "in place of the earlier one", "Your waiting question goes on now")
    await deployment.answered("trading", root, "Hi there.")
    assert desk.asked()[-1] == (ANAS_NEXT, 30003)
    await desk.close("ben")
    assert len([e for e in deployment.slack.ephemerals("ben") if "while Omni was answering you" in str(e)]) == 1

    # Forgetting it drops what waits for it.
    del deployment.omni.keys[ANAS_NEXT]
    await deployment.slack.say("ben", "trading", "@Omni hello")
    await desk.nudge("ben", "Your question waits", count=2)
    await desk.type("ben", "link")
    await desk.press_in_modal("ben", await desk.modal("ben", "Clear Street refused it"), "omni_unlink_key")
    await desk.modal("ben", "Forgotten: your Clear Street API key", "Dropped with it: 1 waiting question.")
    assert desk.links() == 0


async def test_a_guest_who_may_use_the_shared_key_hears_nothing_of_its_accounts(furnish: Furnish, tmp_path: Path):
    policy = tmp_path / "policy.toml"
    policy.write_text('version = 1\n[access]\nguests = "everybody"\nshared_key = ["U0ANA00001", "U0CLEO0001"]\n')
    desk = await furnish(OMNIBOT_POLICY=str(policy))
    await desk.type("ana", "account")
    await desk.modal("ana", "Your questions are about Main")
    await desk.type("cleo", "account", "research")
    view = await desk.modal("cleo", "full members")
    assert view["submit"] is None
    assert "Main" not in desk.read(view)


async def test_who_may_not_link_or_choose_hears_why(furnish: Furnish):
    desk = await furnish(OMNIBOT_ENCRYPTION_KEYS="", CLEAR_STREET_ACCOUNT_ID="19816")
    await desk.type("ana", "link")
    view = await desk.modal("ana", "OMNIBOT_ENCRYPTION_KEYS", "omnibot keys new")
    assert view["submit"] is None
    await desk.close("ana")
    await desk.type("cleo", "link", "research")
    assert (await desk.modal("cleo", "full members"))["submit"] is None
    await desk.type("ana", "account")
    await desk.modal("ana", "Whoever runs omnibot has chosen the account")
    assert "have not linked" in str((await desk.type("ana", "unlink")).ack_payload)


async def test_keys_of_people_who_leave_and_of_a_workspace_that_uninstalls_are_forgotten(furnish: Furnish):
    desk = await furnish()
    for user, key in (("ana", ANAS), ("ben", BENS)):
        await desk.link(user, key, "Your key is linked")
    assert desk.links() == 2
    desk.deployment.slack.deactivate("ben")
    await desk.deployment.slack.wait_for(lambda: desk.links() == 1)
    desk.deployment.slack.uninstall()
    await desk.deployment.slack.wait_for(lambda: desk.links() == 0)
    assert "event=team_forgotten" in desk.deployment.bot.logged()
