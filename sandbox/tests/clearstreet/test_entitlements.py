"""Agreements and entitlements, in the words of each revision."""

import hashlib

import pytest
from omnibot_sandbox.clearstreet.entitlements import long_document

from sandbox.tests.clearstreet.conftest import MAIN, OTHER, middle, new, old

PATH, CODE = "/omni-ai/entitlements", "omni.account_data"
NAMES = {
    "2026-04": ("trading_account_ids", "requested_entitlement_codes", "trading_account_id"),
    "2026-08": ("account_ids", "entitlement_codes", "account_id"),
    "2026-10": ("account_ids", "entitlement_codes", "account_id"),
}


def consent(agreement, revision, *accounts):
    accounts_name, codes_name, _ = NAMES[revision]
    return {"agreement_id": agreement, codes_name: [CODE], accounts_name: list(accounts)}


@pytest.fixture
async def agreement(call):
    _, answer = await call("GET", "/omni-ai/entitlement-agreements")
    return answer["data"][0]


async def test_the_agreement_is_a_whole_document_that_matches_its_hash(agreement):
    assert agreement["agreement_key"] == "omni_account_data_access"
    assert agreement["entitlement_codes"] == [CODE]
    assert agreement["document_content"].count("\n\n") > 8
    assert hashlib.sha256(agreement["document_content"].encode()).hexdigest() == agreement["document_sha256"]


async def test_consent_is_recorded_for_each_account_and_may_be_repeated(call, agreement, revision):
    body = consent(agreement["agreement_id"], revision, MAIN, OTHER)

    status, first = await call("POST", PATH, json=body)
    _, second = await call("POST", PATH, json=body)
    _, listed = await call("GET", PATH)
    _, one = await call("GET", PATH, **{NAMES[revision][2]: OTHER})

    assert status == 200
    assert first["data"] == second["data"] == listed["data"]
    assert [grant[NAMES[revision][2]] for grant in listed["data"]] == [MAIN, OTHER]
    assert one["data"] == listed["data"][1:]


async def test_the_names_of_another_revision_are_refused_naming_the_missing_field(call, agreement, revision):
    other = "2026-10" if revision == "2026-04" else "2026-04"

    status, answer = await call("POST", PATH, json=consent(agreement["agreement_id"], other, MAIN))

    assert status == 422
    assert f"missing field `{NAMES[revision][1]}`" in answer["error"]["message"]
    assert (await call("GET", PATH))[1]["data"] == []


@pytest.mark.parametrize(
    ("agreement_id", "accounts", "status"), [("unknown", [MAIN], 400), (None, [], 400), (None, [20001], 403)]
)
async def test_consent_that_makes_no_sense_is_refused(call, agreement, revision, agreement_id, accounts, status):
    body = consent(agreement_id or agreement["agreement_id"], revision, *accounts)

    assert (await call("POST", PATH, json=body))[0] == status


async def test_a_revoked_entitlement_is_gone(call, stranger, agreement, revision):
    _, answer = await call("POST", PATH, json=consent(agreement["agreement_id"], revision, MAIN))
    path = f"{PATH}/{answer['data'][0]['entitlement_id']}"

    assert (await stranger("DELETE", path))[0] == 404
    _, revoked = await call("DELETE", path)

    assert revoked["data"] == {"entitlement_id": answer["data"][0]["entitlement_id"], "revoked": True}
    assert (await call("DELETE", path))[0] == (409 if revision == "2026-08" else 404)
    assert (await stranger("DELETE", path))[0] == 404
    assert (await call("GET", PATH))[1]["data"] == []


async def test_an_account_can_be_granted_again_after_it_was_revoked(call, agreement, revision):
    body = consent(agreement["agreement_id"], revision, MAIN)
    _, first = await call("POST", PATH, json=body)
    await call("DELETE", f"{PATH}/{first['data'][0]['entitlement_id']}")

    _, second = await call("POST", PATH, json=body)

    assert (await call("GET", PATH))[1]["data"] == second["data"]
    assert second["data"][0]["entitlement_id"] != first["data"][0]["entitlement_id"]


async def test_no_agreement_to_sign_is_an_empty_list_or_in_the_middle_revision_404(call, omni, revision):
    omni.entitlements.agreements.clear()

    status, answer = await call("GET", "/omni-ai/entitlement-agreements")

    assert (status, answer.get("data")) == ((404, None) if revision == "2026-08" else (200, []))


@middle
async def test_the_middle_revision_lists_by_the_new_name_and_ignores_the_old_one(call, agreement, revision):
    await call("POST", PATH, json=consent(agreement["agreement_id"], revision, MAIN, OTHER))

    _, one = await call("GET", PATH, account_id=OTHER)
    _, all_of_them = await call("GET", PATH, trading_account_id=OTHER)

    assert [grant["account_id"] for grant in one["data"]] == [OTHER]
    assert len(all_of_them["data"]) == 2
    assert all("trading_account_id" not in grant for grant in all_of_them["data"])


@new
async def test_an_account_nobody_chose_for_is_enabled_until_opted_out(call, agreement, revision):
    async def status():
        _, answer = await call("GET", "/omni-ai/entitlement-status")
        return {row["account_id"]: row["enabled"] for row in answer["data"]}

    assert await status() == {MAIN: True, OTHER: True}
    opted = await call("POST", f"{PATH}/opt-out", json={"account_ids": [MAIN], "entitlement_codes": [CODE]})
    assert opted[1]["data"] == [{"account_id": MAIN, "enabled": False, "entitlement_code": CODE}]
    assert await status() == {MAIN: False, OTHER: True}
    await call("POST", PATH, json=consent(agreement["agreement_id"], revision, MAIN))
    assert await status() == {MAIN: True, OTHER: True}


@old
async def test_status_and_opt_out_are_unknown_to_older_revisions(call):
    assert (await call("GET", "/omni-ai/entitlement-status"))[0] == 404
    assert (await call("POST", f"{PATH}/opt-out", json={}))[0] == 404


async def test_of_a_new_version_only_the_new_one_can_be_signed(call, omni, agreement, revision):
    after = omni.entitlements.publish(long_document())
    other = omni.entitlements.publish("# Notes", key="omni_research_notes", title="Research notes")
    _, listed = await call("GET", "/omni-ai/entitlement-agreements")

    assert [one["agreement_id"] for one in listed["data"]] == [after["agreement_id"], other["agreement_id"]]
    assert (after["version"], after["title"], other["version"]) == (agreement["version"] + 1, agreement["title"], 1)
    assert after["agreement_id"] != agreement["agreement_id"]
    assert len(after["document_content"].encode()) > 30_000
    assert hashlib.sha256(after["document_content"].encode()).hexdigest() == after["document_sha256"]
    assert (await call("POST", PATH, json=consent(agreement["agreement_id"], revision, MAIN)))[0] == 400
    assert (await call("POST", PATH, json=consent(after["agreement_id"], revision, MAIN)))[0] == 200


async def test_a_falsified_agreement_does_not_match_its_hash(call, omni):
    omni.entitlements.falsify()
    _, listed = await call("GET", "/omni-ai/entitlement-agreements")

    (one,) = listed["data"]
    assert hashlib.sha256(one["document_content"].encode()).hexdigest() != one["document_sha256"]


async def test_only_a_caller_who_can_show_an_agreement_is_asked_for_consent(call, omni):
    omni.entitlements.withhold("demo-key", MAIN)

    async def kinds(*capabilities):
        asked = await call.ask("What are my current positions?", capabilities=list(capabilities))
        await call.finish(asked["response_id"])
        return [part["type"] for part in (await call.messages(asked["thread_id"]))[-1]["content"]["parts"]]

    assert "structured_action" in await kinds("OPEN_ENTITLEMENT_CONSENT")
    assert "structured_action" not in await kinds("OPEN_CHART")
