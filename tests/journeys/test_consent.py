"""Omni needs to see an account: somebody reads an agreement, signs it or not, and takes it back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Literal

import pytest
from omnibot_sandbox.clearstreet.accounts import account
from omnibot_sandbox.clearstreet.entitlements import CODE, long_document
from omnibot_sandbox.slack.workspace import Message

from omnibot.blocks.account.consent import (
    ACCOUNTS_BLOCK,
    AGREE_BLOCK,
    AGREED,
    CHOICE_ACTION,
    DECLINE_ACTION,
    PAGE_ACTION,
    READ_ACTION,
    REVOKE_ACTION,
    SIGN_VIEW,
)
from tests.journeys.conftest import Deployment, furnished

ACCOUNT = 19816
QUESTION = "what are my current positions?"
GRANT = "POST /v1/omni-ai/entitlements"
SEES = "Here is what the account holds now"
BLIND = "I can't see your positions"
JSON = dict[str, Any]


@pytest.fixture
async def deployment(tmp_path: Path, migrated: Path, request: pytest.FixtureRequest) -> AsyncIterator[Deployment]:
    """A running deployment in which Ana signs for the shared key, and nobody has agreed to anything."""
    revision = getattr(request, "param", "2026-08")
    async with furnished(tmp_path, migrated, revision=revision) as deployment:
        policy = tmp_path / "policy.toml"
        ana = deployment.slack.workspace.user("ana").id
        policy.write_text(f'version = 1\n[consent]\nconsent_signers = ["{ana}"]\n')
        deployment.bot.environment |= {"OMNIBOT_POLICY": str(policy), "CLEAR_STREET_ACCOUNT_ID": str(ACCOUNT)}
        if revision == "2026-10":
            # There, what nobody chose is enabled.
            deployment.omni.entitlements.withhold("demo-key", ACCOUNT)
        await deployment.start()
        yield deployment


def text_of(view: JSON) -> str:
    return str(view["blocks"])


def elements(blocks: list[JSON], action: str) -> list[tuple[str, JSON]]:
    found = []
    for block in blocks:
        inside = [*block.get("elements", []), *([block["accessory"]] if "accessory" in block else [])]
        found += [(block["block_id"], e) for e in inside if str(e.get("action_id", "")).startswith(action)]
    return found


class Ana:
    """What Ana does and sees; in a channel her card is in her DM."""

    def __init__(self, deployment: Deployment, channel: str = "trading") -> None:
        self.deployment = deployment
        self.channel = channel
        self.dm = deployment.slack.workspace.dm(deployment.slack.workspace.user("ana").id).id

    async def ask(self, count: int = 1) -> str:
        ts = await self.deployment.slack.say("ana", self.channel, f"@Omni {QUESTION}")
        await self.deployment.answered(self.channel, ts, BLIND, count=count)
        return ts

    def cards(self) -> list[Message]:
        return [m for m in self.deployment.roots(self.dm) if "Omni asks for your consent" in str(m.blocks)]

    async def card(self, *words: str) -> Message:
        """Her newest card, once it says all that."""

        def ready() -> list[Message]:
            return [m for m in self.cards()[-1:] if all(word in str(m.blocks) for word in words)]

        (card,) = await self.deployment.slack.wait_for(ready)
        return card

    async def press(self, action: str, user: str = "ana") -> None:
        card = await self.card(action)
        assert await self.deployment.slack.click(user, self.dm, card.ts, action_id=action)

    async def form(self, *words: str, user: str = "ana") -> JSON:
        """The uppermost form, once it says all that."""

        def ready() -> list[JSON]:
            return [v for v in self.deployment.slack.modals(user)[-1:] if all(word in text_of(v) for word in words)]

        (view,) = await self.deployment.slack.wait_for(ready)
        return view

    async def read(self) -> JSON:
        """Read it all; the form at its last page."""
        await self.press(READ_ACTION)
        view = await self.form("sha256 checked")
        return await self.to_the_end(view)

    async def to_the_end(self, view: JSON, seen: Callable[[JSON], None] = lambda _: None) -> JSON:
        while True:
            seen(view)
            onward = [entry for entry in elements(view["blocks"], PAGE_ACTION) if "Next" in str(entry[1]["text"])]
            if not onward:
                return view
            ((block, button),) = onward
            assert await self.deployment.slack.press(
                "ana", view_id=view["id"], block_id=block, action_id=button["action_id"]
            )
            view = await self.form(f"page {int(button['value']) + 1} of")

    async def sign(self, view: JSON, *accounts: int, agree: bool = True) -> Any:
        return await self.deployment.slack.submit("ana", view["id"], choices(view, accounts or (ACCOUNT,), agree))

    async def signed(self) -> None:
        await self.sign(await self.read())
        await self.card("Signed by")


def choices(view: JSON, accounts: tuple[int, ...], agree: bool) -> JSON:
    def chosen(name: str, values: list[str]) -> JSON:
        ((block_id, element),) = [
            (b["block_id"], b["element"]) for b in view["blocks"] if b["block_id"].startswith(f"{name}:")
        ]
        options = [o for o in element["options"] if o["value"] in values]
        assert len(options) == len(values)
        return {block_id: {CHOICE_ACTION: {"type": element["type"], "selected_options": options}}}

    return chosen(ACCOUNTS_BLOCK, [str(a) for a in accounts]) | chosen(AGREE_BLOCK, [AGREED] if agree else [])


def grants(deployment: Deployment) -> list[JSON]:
    return [call.args for call in deployment.omni.calls if call.name == GRANT and call.accepted]


@pytest.mark.parametrize("deployment", ["2026-04", "2026-08", "2026-10"], indirect=True)
async def test_she_reads_signs_and_is_answered_once_without_asking_again(deployment: Deployment):
    deployment.omni.entitlements.publish(long_document())
    ana = Ana(deployment)
    ts = await ana.ask()
    stub = "\n".join(deployment.shown("trading", ts))
    assert "asked them privately" in stub
    assert "Read and sign" not in str([m.blocks for m in deployment.replies("trading", ts)])
    card = await ana.card("Read and sign", "To list your positions")
    assert "suspended" in {session["status"] for session in deployment.slack.sessions.values()}

    shown: list[str] = []
    await ana.press(READ_ACTION)
    view = await ana.to_the_end(await ana.form("sha256 checked"), lambda page: shown.append(text_of(page)))
    assert len(shown) > 3
    assert "Version 4" in shown[0]
    for words in ("What you allow", "26. Exposure by sector", "Nothing of entry 26 is read in advance"):
        assert words in "".join(shown)

    refused = await ana.sign(view, agree=False)
    assert [name.partition(":")[0] for name in refused.errors or {}] == [AGREE_BLOCK]
    assert grants(deployment) == []
    await ana.sign(view)
    await deployment.answered("trading", ts, SEES, count=2)
    card = await ana.card("Signed by", "version 4")
    assert elements(card.blocks, READ_ACTION) == []
    assert "has given consent" in "\n".join(deployment.shown("trading", ts))
    assert deployment.asked() == [QUESTION, QUESTION]
    (grant,) = grants(deployment)
    accounts = grant.get("account_ids", grant.get("trading_account_ids"))
    assert accounts == [ACCOUNT]
    await deployment.slack.wait_for(lambda: all(s["status"] == "active" for s in deployment.slack.sessions.values()))

    # And takes it back.
    said = await deployment.slack.command("ana", "trading", "/omni", "consent")
    assert said.acked
    listed = await shared(deployment, "ana", "version 4")
    ((block, button),) = elements(listed["blocks"], REVOKE_ACTION)
    assert "confirm" in button
    label = button["text"]["text"]
    await deployment.slack.press(
        "ana", channel="trading", ts=listed["ts"], block_id=block, action_id=button["action_id"]
    )
    after = await shared(deployment, "ana", "Revoked" if label == "Revoke" else "Opted out", "not shared")
    assert elements(after["blocks"], REVOKE_ACTION) == []
    assert deployment.omni.entitlements.grants == {}
    ts = await deployment.slack.say("ana", "trading", f"@Omni {QUESTION}")
    await deployment.answered("trading", ts, BLIND)


@pytest.mark.parametrize("deployment", ["2026-08"], indirect=True)
async def test_of_two_lists_the_older_one_is_brought_up_to_date_instead_of_revoking_twice(deployment: Deployment):
    ana = Ana(deployment)
    await ana.ask()
    await ana.signed()

    def lists(*words: str) -> list[JSON]:
        own = [e for e in deployment.slack.ephemerals("ana") if "What Omni may see" in str(e["blocks"])]
        return [e for e in own if all(word in str(e["blocks"]) for word in words)]

    async def see(count: int, word: str) -> None:
        await deployment.slack.wait_for(lambda: len(lists(word)) == count)

    for count in (1, 2):
        await deployment.slack.command("ana", "trading", "/omni", "consent")
        await see(count, "version")
    for count, listed in enumerate(lists("version"), start=1):
        ((block, button),) = elements(listed["blocks"], REVOKE_ACTION)
        assert await deployment.slack.press(
            "ana", channel="trading", ts=listed["ts"], block_id=block, action_id=button["action_id"]
        )
        await see(count, "not shared")
    assert lists("version") == []
    assert "not enabled any more" in str(deployment.slack.ephemerals("ana"))


async def test_a_press_on_a_card_that_asks_again_since_signs_and_refuses_nothing(deployment: Deployment):
    ana = Ana(deployment)
    await ana.ask()
    card = await ana.card(DECLINE_ACTION)
    row = next(block for block in card.blocks if block["type"] == "actions")
    for element in row["elements"]:
        element["value"] = element["value"].partition("~")[0] + "~1.0123456789abcdef"
    await ana.press(DECLINE_ACTION)
    await deployment.slack.wait_for(lambda: "changed since it was shown" in str(deployment.slack.ephemerals("ana")))
    await ana.press(READ_ACTION)
    view = await ana.form("changed since it was shown")
    assert view["submit"] is None
    assert elements((await ana.card(READ_ACTION)).blocks, READ_ACTION)
    assert grants(deployment) == []


async def test_consent_that_slack_delivers_twice_at_once_is_signed_once(deployment: Deployment):
    ana = Ana(deployment)
    ts = await ana.ask()
    deployment.slack.doubled = True
    view = await ana.read()
    await ana.sign(view)
    await ana.form("Signed. Omni is asked your question again.")
    await deployment.answered("trading", ts)
    assert len(grants(deployment)) == 1
    assert deployment.slack.ephemerals("ana") == []


async def shared(deployment: Deployment, user: str, *words: str) -> JSON:
    """What `/omni consent` shows now."""

    def ready() -> list[JSON]:
        own = [e for e in deployment.slack.ephemerals(user) if "What Omni may see" in str(e["blocks"])]
        return [e for e in own[-1:] if all(word in str(e["blocks"]) for word in words)]

    (listed,) = await deployment.slack.wait_for(ready)
    return listed


async def test_not_now_and_closing_are_remembered_and_asking_again_asks_again(deployment: Deployment):
    ana = Ana(deployment)
    ts = await ana.ask()
    await ana.press(DECLINE_ACTION)
    declined = await ana.card("You said “not now”")
    assert elements(declined.blocks, "omni_consent") == []
    await deployment.slack.wait_for(lambda: "said “not now”" in "\n".join(deployment.shown("trading", ts)))

    await ana.ask()
    await ana.press(READ_ACTION)
    view = await ana.form("sha256 checked")
    assert view["callback_id"].startswith(f"{SIGN_VIEW}:")
    await deployment.slack.close_view("ana", view["id"])
    await ana.card("You closed the agreement without signing")
    assert len(ana.cards()) == 2
    assert grants(deployment) == []
    assert deployment.asked() == [QUESTION, QUESTION]


async def test_a_document_that_is_not_what_its_fingerprint_says_is_neither_shown_nor_signed(deployment: Deployment):
    deployment.omni.entitlements.falsify()
    ana = Ana(deployment)
    await ana.ask()
    await ana.press(READ_ACTION)
    view = await ana.form("not the one its fingerprint")
    assert view["submit"] is None
    assert "What you allow" not in text_of(view)
    # Mended, the same card can be signed.
    await deployment.slack.close_view("ana", view["id"])
    deployment.omni.entitlements.publish()
    await ana.signed()


async def test_a_new_version_while_the_form_is_open_is_shown_and_the_old_one_never_signed(deployment: Deployment):
    ana = Ana(deployment)
    ts = await ana.ask()
    view = await ana.read()
    deployment.omni.entitlements.publish("# New rules\n\nThe rules have changed.\n")
    await ana.sign(view)
    view = await ana.form("new version of this agreement", "The rules have changed", "Version 4")
    assert grants(deployment) == []
    result = await ana.sign(view)
    assert not result.errors
    await deployment.answered("trading", ts, SEES, count=2)
    assert [grant["agreement_id"] for grant in grants(deployment)] == [
        deployment.omni.entitlements.agreements[0]["agreement_id"]
    ]
    await ana.card("version 4")


@pytest.mark.parametrize("reading", ["as_shown", "as_now"])
async def test_a_tick_in_a_document_does_not_sign_the_one_that_takes_its_place_as_she_presses(
    deployment: Deployment, reading: Literal["as_shown", "as_now"]
):
    deployment.slack.held_dialogs = reading
    deployment.omni.entitlements.publish("# Rules\n\nAs they were.\n")
    ana = Ana(deployment)
    await ana.ask()
    view = await ana.read()
    held = deployment.slack.hold_form("ana", view["id"], choices(view, (ACCOUNT,), agree=True))
    deployment.omni.entitlements.publish("# Rules\n\nAs they are now.\n")
    await ana.sign(view)
    now = await ana.form("new version of this agreement", "As they are now")

    came = await deployment.slack.submit("ana", view["id"], {}, held=held)
    now = await ana.form("As they are now") if reading == "as_now" else await ana.form("new version of this")
    assert bool(came.errors) == (reading == "as_now")
    assert [e["selected_options"] for block in now["state"]["values"].values() for e in block.values()][-1] == []
    assert grants(deployment) == []


async def test_accounts_that_change_while_the_form_is_open_are_read_again_before_anything_is_signed(
    deployment: Deployment,
):
    ana = Ana(deployment)
    await ana.ask()
    view = await ana.read()
    deployment.omni.keys["demo-key"] = [account(ACCOUNT, "Somebody else's")]
    await deployment.restart()  # a list of accounts is believed for a minute
    await ana.sign(view)
    view = await ana.to_the_end(await ana.form("accounts that this agreement can be signed for have changed"))
    assert "Somebody else's" in text_of(view)
    assert grants(deployment) == []
    await ana.sign(view)
    await ana.card("Signed by")


@pytest.mark.parametrize("deployment", ["2026-08", "2026-10"], indirect=True)
@pytest.mark.parametrize("reading", ["as_shown", "as_now"])
async def test_a_dialog_held_open_while_what_is_shared_changes_ends_nothing(
    deployment: Deployment, reading: Literal["as_shown", "as_now"]
):
    deployment.slack.held_dialogs = reading
    ana = Ana(deployment)
    await ana.ask()
    await ana.signed()
    await deployment.slack.command("ana", "trading", "/omni", "consent")
    listed = await shared(deployment, "ana", "version")
    ((block, button),) = elements(listed["blocks"], REVOKE_ACTION)
    where = {"channel": "trading", "ts": listed["ts"], "block_id": block, "action_id": button["action_id"]}
    dialog = deployment.slack.open_dialog("ana", **where)
    deployment.omni.keys["demo-key"] = [account(ACCOUNT, "Somebody else's")]
    await deployment.restart()  # a list of accounts is believed for a minute

    assert await deployment.slack.press("ana", **where, dialog=dialog)
    await deployment.slack.wait_for(lambda: "changed since it was shown" in str(deployment.slack.ephemerals("ana")))
    listed = await shared(deployment, "ana", "Somebody else's", "version")
    ((block, button),) = elements(listed["blocks"], REVOKE_ACTION)
    await deployment.slack.press(
        "ana", channel="trading", ts=listed["ts"], block_id=block, action_id=button["action_id"]
    )
    await shared(deployment, "ana", "not shared")


async def test_whoever_revokes_hears_it_when_that_breaks(deployment: Deployment):
    ana = Ana(deployment)
    await ana.ask()
    await ana.signed()
    await deployment.slack.command("ana", "trading", "/omni", "consent")
    listed = await shared(deployment, "ana", "version")
    ((block, button),) = elements(listed["blocks"], REVOKE_ACTION)
    deployment.omni.gate.refuse("GET /v1/omni-ai/entitlements", status=503, count=20)
    await deployment.slack.press(
        "ana", channel="trading", ts=listed["ts"], block_id=block, action_id=button["action_id"]
    )
    await deployment.slack.wait_for(lambda: "not answering right now" in str(deployment.slack.ephemerals("ana")))
    deployment.omni.gate.clear()
    assert len(deployment.omni.entitlements.grants) == 1


async def test_who_may_not_sign_is_not_asked_and_if_asked_all_the_same_is_told_whom_to_ask(deployment: Deployment):
    ts = await deployment.slack.say("ben", "trading", f"@Omni {QUESTION}")
    await deployment.answered("trading", ts, "Somebody with authority")
    assert "OPEN_ENTITLEMENT_CONSENT" not in str([c.args for c in deployment.omni.calls])
    action = {
        "open_entitlement_consent": {
            "agreement_key": "omni_account_data_access",
            "reason": "To see.",
            "entitlement_codes": [CODE],
            "account_ids": [ACCOUNT],
        }
    }
    part = {"type": "structured_action", "action_id": "019e5c1a-7d20-7090-9a41-5b8c0d2e4f64", "action": action}
    words = {"type": "text", "text": "I need to see it."}
    final = {"at": 1, "status": "succeeded", "parts": [words, part]}
    deployment.omni.add_script({"name": "insists", "pattern": "insist", "snapshots": [], "final": final})
    ts = await deployment.slack.say("ben", "trading", "@Omni I insist")
    text = await deployment.answered("trading", ts, "I need to see it.", "signed and revoked by named people")
    assert "ana" in text.lower()
    assert "consent_" not in str([m.blocks for m in deployment.replies("trading", ts)])

    await deployment.slack.command("ben", "trading", "/omni", "consent")
    listed = await shared(deployment, "ben", "not shared")
    assert elements(listed["blocks"], REVOKE_ACTION) == []
    # Somebody who gets hold of Ana's buttons is refused as who they are.
    ana = Ana(deployment)
    await ana.ask()
    await ana.card(READ_ACTION)
    deployment.slack.workspace.channel(ana.dm).members.add(deployment.slack.workspace.user("ben").id)
    await ana.press(READ_ACTION, user="ben")
    refused = await ana.form("asked of somebody else", user="ben")
    assert refused["submit"] is None
    await ana.press(DECLINE_ACTION, user="ben")
    await deployment.slack.wait_for(
        lambda: any("asked of somebody else" in e["text"] for e in deployment.slack.ephemerals("ben"))
    )
    assert elements((await ana.card(READ_ACTION)).blocks, READ_ACTION)


async def test_a_signature_that_clear_street_took_just_before_the_bot_died_is_found_and_answered_once(
    deployment: Deployment,
):
    ana = Ana(deployment)
    ts = await ana.ask()
    view = await ana.read()
    hold = deployment.omni.gate.hold(GRANT, "after")
    await ana.sign(view)
    await hold.reached()
    await deployment.bot.kill()
    hold.release()
    await deployment.start()
    await deployment.answered("trading", ts, SEES, count=2)
    await ana.card("Signed by")
    assert len(grants(deployment)) == 1
    assert deployment.asked() == [QUESTION, QUESTION]


async def test_a_signature_whose_answer_is_lost_is_looked_up_and_nobody_signs_a_second_time(deployment: Deployment):
    """The API takes the signature, and its answer is lost; before that is known, she tries again."""
    ana = Ana(deployment)
    ts = await ana.ask()
    view = await ana.read()
    deployment.omni.gate.drop(GRANT, "after")
    checking = deployment.omni.gate.hold("GET /v1/omni-ai/entitlements")
    await ana.sign(view)
    await checking.reached()
    await ana.press(READ_ACTION)
    await ana.form("Your signature is on its way")
    checking.release()
    await deployment.answered("trading", ts, SEES, count=2)
    await ana.card("Signed by")
    assert len([call for call in deployment.omni.calls if call.name == GRANT]) == 1
    assert deployment.asked() == [QUESTION, QUESTION]


async def test_in_direct_messages_the_card_stands_below_the_answer_itself(deployment: Deployment):
    ana = Ana(deployment)
    ts = await deployment.slack.say("ana", ana.dm, QUESTION)
    await deployment.answered(ana.dm, ts, BLIND)
    (reply,) = deployment.replies(ana.dm, ts)
    assert await deployment.slack.click("ana", ana.dm, reply.ts, action_id=READ_ACTION)
    await deployment.slack.close_view("ana", (await ana.form("sha256 checked"))["id"])
    await deployment.slack.wait_for(lambda: "without signing" in "".join(deployment.shown(ana.dm, ts)))

    ts = await deployment.slack.say("ana", ana.dm, QUESTION)
    await deployment.answered(ana.dm, ts, BLIND)
    (reply,) = deployment.replies(ana.dm, ts)
    # Omni's own button does the same.
    assert await deployment.slack.click("ana", ana.dm, reply.ts, label="Share my account data")
    view = await ana.to_the_end(await ana.form("sha256 checked"))
    await ana.sign(view)
    await deployment.answered(ana.dm, ts, SEES, "Signed by", count=2)
    assert ana.cards() == []
