"""After a whole journey: where account data may be found, byte for byte, and where it may not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
from omnibot_sandbox.clearstreet.accounts import account
from omnibot_sandbox.clearstreet.entitlements import CODE

from omnibot.blocks.account.consent import ACCOUNTS_BLOCK, AGREE_BLOCK, AGREED, CHOICE_ACTION
from omnibot.encryption import new_key
from omnibot.telemetry import KEY_FIELD
from tests.journeys.conftest import Deployment, furnished
from tests.journeys.test_http import free_port

KEY = "anas-key-0123456789"
GROWTH, RETIREMENT = "Quillfeather Growth", "Quillfeather Retirement"
#: What the agreement, Omni's reason, the question and the answer say; "7,731" is a holding.
CLAUSE, REASON, QUESTION, HOLDING = "Clause of the marmot", "To weigh the marmots", "what do I hold in marmots", "7,731"
ASK = {
    "open_entitlement_consent": {
        "agreement_key": "omni_account_data_access",
        "reason": REASON,
        "entitlement_codes": [CODE],
        "account_ids": [30001],
    }
}
#: Where everybody in the workspace, or another company, reads along.
OPEN_CHANNELS = ("research", "client-desk")


async def fill(deployment: Deployment, values: Callable[[dict[str, Any]], dict[str, Any]], *words: str) -> None:
    """Submit Ana's uppermost form, once it says all that."""

    def ready() -> list[dict[str, Any]]:
        return [v for v in deployment.slack.modals("ana")[-1:] if all(word in str(v["blocks"]) for word in words)]

    view = (await deployment.slack.wait_for(ready))[0]
    result = await deployment.slack.submit("ana", view["id"], values(view))
    assert not result.errors


def key_values(view: dict[str, Any]) -> dict[str, Any]:
    block = next(b["block_id"] for b in view["blocks"] if b["type"] == "input")
    return {block: {KEY_FIELD: {"type": "plain_text_input", "value": KEY}}}


def account_values(view: dict[str, Any]) -> dict[str, Any]:
    menu = next(b for b in view["blocks"] if b["block_id"].startswith("account:"))
    chosen = {"type": "static_select", "selected_option": menu["element"]["options"][0]}
    return {menu["block_id"]: {"omni_account": chosen}}


def consent_values(view: dict[str, Any]) -> dict[str, Any]:
    chosen = {ACCOUNTS_BLOCK: ["30001"], AGREE_BLOCK: [AGREED]}
    inputs = {b["block_id"]: b["element"] for b in view["blocks"] if b["type"] == "input"}
    return {
        block_id: {
            CHOICE_ACTION: {
                "type": element["type"],
                "selected_options": [o for o in element["options"] if o["value"] in chosen[block_id.partition(":")[0]]],
            }
        }
        for block_id, element in inputs.items()
    }


async def journey(deployment: Deployment) -> str:
    """Ana links, chooses, asks, signs, is answered; asks in public; manages. Returns the metrics."""
    slack = deployment.slack
    await slack.command("ana", "research", "/omni", "link")
    await fill(deployment, key_values, "The key passes through Slack")
    await fill(deployment, account_values, GROWTH)
    await slack.wait_for(lambda: "are about" in str(slack.modals("ana")[-1]["blocks"]))
    await slack.close_view("ana", slack.modals("ana")[-1]["id"], clear=True)
    ts = await slack.say("ana", "trading", f"@Omni {QUESTION}")
    await deployment.answered("trading", ts, GROWTH)
    (card,) = await slack.wait_for(lambda: [m for m in slack.history(slack.dm("ana")) if REASON in str(m.blocks)])
    deployment.script("marmots", f"You hold {HOLDING} of them.")
    await slack.click("ana", slack.dm("ana"), card.ts, action_id="omni_consent_read")
    await fill(deployment, consent_values, CLAUSE)
    await deployment.answered("trading", ts, HOLDING, count=2)
    for conversation in OPEN_CHANNELS:
        await slack.say("ana", conversation, f"@Omni {QUESTION}")
        said = await slack.say("ben", conversation, "@Omni hello")
        await deployment.answered(conversation, said, "Hi there.")
    for word in ("account", "consent", "threads"):
        await slack.command("ana", "research", "/omni", word)
    dm = slack.dm("ana")
    await slack.wait_for(lambda: sum(HOLDING in slack.visible_text(m) for m in slack.history(dm)) == len(OPEN_CHANNELS))
    await slack.open_home("ana")
    await slack.wait_for(lambda: GROWTH in str(slack.home("ana")))
    url = f"http://127.0.0.1:{deployment.bot.environment['PORT']}/metrics"
    async with aiohttp.ClientSession() as browser, browser.get(url) as answer:
        return await answer.text()


def database(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.glob("omnibot.sqlite3*"))


async def test_account_data_is_where_the_person_reads_it_and_nowhere_else(tmp_path: Path, migrated: Path):
    async with furnished(tmp_path, migrated, revision="2026-08") as deployment:
        deployment.omni.keys[KEY] = [account(30001, GROWTH), account(30002, RETIREMENT)]
        deployment.omni.entitlements.publish(f"# Rules\n\n{CLAUSE}.\n")
        deployment.script("hello", "Hi there.")
        part = {"type": "structured_action", "action_id": "019e5c1a-7d20-7090-9a41-5b8c0d2e4f64", "action": ASK}
        final = {"at": 1, "status": "succeeded", "parts": [{"type": "text", "text": "I may not see them."}, part]}
        deployment.omni.add_script({"name": "asks", "pattern": "marmots", "snapshots": [], "final": final})
        deployment.bot.environment |= {
            "OMNIBOT_ENCRYPTION_KEYS": new_key(),
            "OMNIBOT_LOG_LEVEL": "debug",
            "PORT": str(free_port()),
        }
        await deployment.start()
        metrics = await journey(deployment)
        await deployment.bot.terminate()
        logged, slack = deployment.bot.logged(), deployment.slack
        kept = database(tmp_path)
        ana, open_conversations = (
            slack.workspace.user("ana").id,
            {slack.workspace.channel(conversation).id for conversation in OPEN_CHANNELS},
        )
        posted = [call for call in slack.calls if call.args.get("channel") in open_conversations]
        public = str([(c.name, c.args) for c in posted if c.args.get("user") != ana])
        others = str([slack.ephemerals(user) for user in ("ben", "cleo", "dan")])

    private = (GROWTH, RETIREMENT, HOLDING, REASON, CLAUSE)
    # The search would find them: what may be there is there.
    assert "DEBUG" in logged
    assert "event=consent_granted" in logged
    assert "Hi there." in public
    assert HOLDING.encode() in kept
    assert QUESTION.encode() in kept
    for words in (*private, QUESTION, KEY, str(987_000_000 + 30001)):
        assert words not in logged
        assert words not in metrics
        assert words not in others
    for words in (*private, "30001", KEY):
        assert words not in public
    # Of the key nothing is kept in clear, of accounts no more than the name that stands below an answer.
    for secret in (KEY, RETIREMENT, CLAUSE, str(987_000_000 + 30001)):
        assert secret.encode() not in kept
    assert KEY not in str([(call.name, call.args) for call in slack.calls])
