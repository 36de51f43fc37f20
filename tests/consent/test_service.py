"""Signing and revoking: by whom, once, and what becomes of it when the API is not heard."""

import asyncio
from datetime import timedelta

import pytest
from omnibot_sandbox.clearstreet.entitlements import CODE
from sqlalchemy import text, update

from omnibot.accounts.model import SHARED
from omnibot.consent.model import CannotSign, Consent, ConsentState, ConsentStatus, Unconfirmed
from omnibot.consent.service import NOT_MADE, OutOfDate
from omnibot.consent.store import forget_consents
from omnibot.db.tables import consents
from omnibot.policy.identities import AccessResult
from omnibot.turns.model import HeldFor, Surface
from omnibot.turns.model import TurnState as TurnState
from tests.consent.conftest import ANA, BEN, FIRST, SECOND, Bench

GRANT, LIST = "POST /v1/omni-ai/entitlements", "GET /v1/omni-ai/entitlements"
ALL = pytest.mark.parametrize("bench", ["2026-04", "2026-08", "2026-10"], indirect=True)


def posted(bench: Bench) -> int:
    return len([call for call in bench.omni.calls if call.name == GRANT and call.accepted])


async def test_the_question_waits_with_its_consent_and_goes_on_once_it_is_given(bench: Bench):
    turn, consent = await bench.answered()
    waiting = await bench.again(turn)
    assert (waiting.state, waiting.held_for, waiting.surface) == (TurnState.HELD, HeldFor.CONSENT, Surface.PRESS)
    assert (waiting.question, waiting.person, waiting.channel) == (turn.question, turn.person, turn.channel)
    assert (waiting.thread_ts, waiting.event, waiting.conversation_id) == (turn.thread_ts, turn.event, None)
    assert await bench.turns.release() == []
    signed = await bench.service.sign(consent.id, ANA, await bench.shown(consent), [FIRST])
    assert (signed.state, signed.signed_by, signed.signed_accounts) == (ConsentState.GRANTED, ANA.user, (FIRST,))
    assert await bench.turns.release() == [waiting.id]
    assert await bench.turns.release() == []
    assert (await bench.again(turn)).state is TurnState.ACCEPTED


@pytest.mark.parametrize("how", [ConsentState.DECLINED, ConsentState.CLOSED])
async def test_the_question_is_dropped_when_consent_is_refused(bench: Bench, how: ConsentState):
    turn, consent = await bench.answered()
    assert (await bench.service.refuse(consent.id, ANA, how)).state is how
    assert await bench.turns.release() == []
    assert (await bench.again(turn)).state is TurnState.CANCELED
    with pytest.raises(CannotSign, match="no longer open"):
        await bench.service.read(consent.id, ANA)


async def test_what_is_forgotten_with_a_link_drops_the_question_that_waited_for_it(bench: Bench):
    turn, consent = await bench.answered()
    async with bench.database.transaction() as connection:
        assert await forget_consents(connection, ["link:T1:U0BEN"]) == {"consents": 0}
        assert await forget_consents(connection, [SHARED]) == {"consents": 1}
    assert await bench.turns.release() == []
    assert (await bench.again(turn)).state is TurnState.CANCELED
    with pytest.raises(CannotSign, match="no longer open"):
        await bench.service.read(consent.id, ANA)


async def test_a_question_asked_in_private_is_asked_again_in_private(bench: Bench):
    turn, _ = await bench.answered(surface=Surface.PRIVATE)
    assert (await bench.again(turn)).surface is Surface.PRIVATE


async def test_signed_twenty_times_at_once_it_is_granted_once(bench: Bench):
    _, consent = await bench.answered()
    shown = await bench.shown(consent)
    tries = [bench.service.sign(consent.id, ANA, shown, [FIRST]) for _ in range(20)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert len([r for r in results if not isinstance(r, Exception)]) == 1
    assert all(isinstance(r, CannotSign) for r in results if isinstance(r, Exception))
    assert posted(bench) == 1


async def test_nobody_signs_for_somebody_else_or_without_leave_or_for_accounts_not_their_own(bench: Bench):
    _, consent = await bench.answered()
    shown = await bench.shown(consent)
    with pytest.raises(CannotSign) as refusal:
        await bench.service.sign(consent.id, BEN, shown, [FIRST])
    assert refusal.value.ask == (ANA.user,)
    with pytest.raises(CannotSign):
        await bench.service.refuse(consent.id, BEN, ConsentState.DECLINED)
    for accounts in ([], [FIRST, 19816]):
        with pytest.raises(CannotSign, match="not yours"):
            await bench.service.sign(consent.id, ANA, shown, accounts)
    bench.refused[ANA] = AccessResult(False, "Only the desk head signs.", ("U0HEAD",))
    with pytest.raises(CannotSign, match="Only the desk head") as refusal:
        await bench.service.sign(consent.id, ANA, shown, [FIRST])
    assert refusal.value.ask == ("U0HEAD",)
    assert posted(bench) == 0
    assert await bench.state(consent) is ConsentState.ASKED


async def test_what_was_not_shown_is_not_signed(bench: Bench):
    _, consent = await bench.answered()
    shown = await bench.shown(consent)
    bench.omni.entitlements.publish("# Other rules")
    with pytest.raises(OutOfDate) as refusal:
        await bench.service.sign(consent.id, ANA, shown, [FIRST])
    assert refusal.value.reading.document.content == "# Other rules"
    bench.omni.entitlements.falsify()
    with pytest.raises(CannotSign, match="fingerprint"):
        await bench.service.sign(consent.id, ANA, shown, [FIRST])
    assert posted(bench) == 0


@ALL
async def test_a_signature_whose_answer_was_lost_is_looked_up(bench: Bench):
    _, consent = await bench.answered()
    shown = await bench.shown(consent)
    bench.omni.gate.drop(GRANT, "after", matches=lambda call: call.accepted)
    assert (await bench.service.sign(consent.id, ANA, shown, [FIRST, SECOND])).state is ConsentState.GRANTED
    assert posted(bench) == 1


async def test_a_signature_that_never_arrived_can_be_made_again_but_not_before_that_is_certain(bench: Bench):
    _, consent = await bench.answered()
    shown = await bench.shown(consent)
    bench.omni.gate.refuse(GRANT, "before", status=503)
    with pytest.raises(Unconfirmed):
        await bench.service.sign(consent.id, ANA, shown, [FIRST])
    await bench.service.sweep()
    assert await bench.state(consent) is ConsentState.SIGNING
    with pytest.raises(CannotSign, match="on its way"):
        await bench.service.sign(consent.id, ANA, shown, [FIRST])
    await _grow_old(bench)
    bench.omni.gate.refuse(LIST, "before", status=503, count=10)
    await bench.service.sweep()
    assert await bench.state(consent) is ConsentState.SIGNING
    bench.omni.gate.clear()
    await bench.service.sweep()
    assert await bench.state(consent) is ConsentState.ASKED
    card = await bench.service.card(consent.turn_id)
    assert card is not None
    assert card.failed
    assert (await bench.service.sign(consent.id, ANA, shown, [FIRST])).state is ConsentState.GRANTED


async def test_a_signature_left_behind_by_a_crash_is_found_by_the_sweep_and_told(bench: Bench):
    turn, consent = await bench.answered()
    shown = await bench.shown(consent)
    bench.omni.gate.drop(GRANT, "after")
    bench.omni.gate.refuse(LIST, "before", status=503, count=10)
    with pytest.raises(Unconfirmed):
        await bench.service.sign(consent.id, ANA, shown, [FIRST])
    bench.omni.gate.clear()
    told: list[str] = []

    async def changed(consent: Consent) -> None:
        told.append(consent.turn_id)

    bench.service._changed = changed
    await bench.service.sweep()
    assert await bench.state(consent) is ConsentState.GRANTED
    await bench.service.sweep()
    assert told == [turn.id]


async def two_pending(bench: Bench) -> tuple[Consent, Consent]:
    """Two that were signed, of which nobody has been told yet."""
    both = []
    for number in (1, 2):
        _, consent = await bench.answered(source_key=f"message:C1:{number}.1", message_ts=f"{number}.1")
        both.append(await bench.service.sign(consent.id, ANA, await bench.shown(consent), [FIRST]))
    return both[0], both[1]


@pytest.mark.parametrize("spoiled", ["state", "codes", "telling"])
async def test_a_consent_that_cannot_be_read_or_told_holds_no_other_up(bench: Bench, spoiled: str):
    poison, healthy = await two_pending(bench)
    tried: list[str] = []

    async def changed(consent: Consent) -> None:
        tried.append(consent.id)
        if spoiled == "telling" and consent.id == poison.id:
            raise TypeError("a turn with a field of a later version")

    bench.service._changed = changed
    async with bench.database.transaction() as connection:
        if spoiled == "state":
            await connection.execute(update(consents).where(consents.c.id == poison.id).values(state="notarised"))
        elif spoiled == "codes":
            await connection.execute(text("UPDATE consents SET codes = '5' WHERE id = :id"), {"id": poison.id})
    for _ in range(3):
        await bench.service.sweep()
    assert tried.count(healthy.id) == 1
    assert tried.count(poison.id) == (1 if spoiled == "telling" else 0), "it is left alone for a while"


async def _grow_old(bench: Bench) -> None:
    async with bench.database.transaction() as connection:
        earlier = bench.database.after(-NOT_MADE - 5)
        await connection.execute(update(consents).values(signing_at=earlier))


async def test_a_signature_that_clear_street_refuses_can_be_made_again_at_once(bench: Bench):
    _, consent = await bench.answered()
    shown = await bench.shown(consent)
    bench.omni.gate.refuse(GRANT, "before", status=403)
    with pytest.raises(CannotSign, match="does not let this API key"):
        await bench.service.sign(consent.id, ANA, shown, [FIRST])
    assert (await bench.service.sign(consent.id, ANA, shown, [FIRST])).state is ConsentState.GRANTED


async def test_the_card_names_the_accounts_and_once_signed_who_signed_what(bench: Bench):
    turn, consent = await bench.answered()
    card = await bench.service.card(turn.id)
    assert card is not None
    assert (card.state, card.accounts, card.signed_by) == (ConsentState.ASKED, ("First",), None)
    await bench.service.sign(consent.id, ANA, await bench.shown(consent), [SECOND])
    card = await bench.service.card(turn.id)
    assert card is not None
    assert (card.state, card.accounts, card.signed_by, card.version) == (ConsentState.GRANTED, ("Second",), ANA.user, 3)
    assert await bench.service.card("no such turn") is None


@ALL
async def test_what_is_shared_is_listed_and_revoked(bench: Bench):
    newest = bench.omni.revision == "2026-10"
    before = await bench.service.overview(ANA)
    assert {one.status for one in before.accounts} == {ConsentStatus.BY_DEFAULT if newest else ConsentStatus.OFF}
    _, consent = await bench.answered()
    await bench.service.sign(consent.id, ANA, await bench.shown(consent), [FIRST])
    first, second = (await bench.service.overview(ANA)).accounts
    assert (first.status, first.grants[0].version, second.grants) == (ConsentStatus.GRANTED, 3, ())
    # A version that can no longer be signed is known still.
    bench.omni.entitlements.publish()
    assert (await bench.service.overview(ANA)).accounts[0].grants[0].version == 3
    if newest:
        await bench.service.opt_out(ANA, FIRST)
    else:
        await bench.service.revoke(ANA, first.grants[0].entitlement_id)
    after = (await bench.service.overview(ANA)).accounts[0]
    assert (after.status, after.grants) == (ConsentStatus.OPTED_OUT if newest else ConsentStatus.OFF, ())
    end = bench.service.opt_out(ANA, FIRST) if newest else bench.service.revoke(ANA, first.grants[0].entitlement_id)
    with pytest.raises(CannotSign, match="not enabled any more"):
        await end


async def test_who_may_not_sign_sees_what_is_shared_and_revokes_nothing(bench: Bench):
    _, consent = await bench.answered()
    await bench.service.sign(consent.id, ANA, await bench.shown(consent), [FIRST])
    bench.refused[BEN] = AccessResult(False, "Only named people.", (ANA.user,))
    seen = await bench.service.overview(BEN)
    assert not seen.may_sign
    grant = seen.accounts[0].grants[0]
    with pytest.raises(CannotSign, match="Only named people") as refusal:
        await bench.service.revoke(BEN, grant.entitlement_id)
    assert refusal.value.ask == (ANA.user,)
    with pytest.raises(CannotSign, match="Only named people"):
        await bench.service.opt_out(BEN, FIRST)
    assert len(bench.omni.entitlements.grants) == 1


async def test_who_is_to_hear_nothing_about_accounts_hears_nothing(bench: Bench):
    bench.strangers.add(BEN)
    with pytest.raises(CannotSign, match="for members"):
        await bench.service.overview(BEN)
    assert bench.omni.calls == []


async def test_whether_the_question_still_waits_is_known(bench: Bench):
    turn, consent = await bench.answered()
    assert await bench.service.waits(consent)
    assert await bench.turns.request_cancel(ANA, turn.channel)
    assert not await bench.service.waits(consent)
    # It can be signed all the same.
    assert (
        await bench.service.sign(consent.id, ANA, await bench.shown(consent), [FIRST])
    ).state is ConsentState.GRANTED


async def test_in_time_what_nobody_signed_is_forgotten_and_what_somebody_did_is_kept_without_its_reason(bench: Bench):
    turn, signed = await bench.answered()
    await bench.service.sign(signed.id, ANA, await bench.shown(signed), [FIRST])
    _, unsigned = await bench.answered(source_key="message:C1:2.2", message_ts="2.2")
    await bench.store.prune(signed.asked_at - timedelta(days=1))
    assert await bench.store.get(unsigned.id) is not None
    await bench.store.prune(unsigned.asked_at + timedelta(days=1))
    assert await bench.store.get(unsigned.id) is None
    kept = await bench.store.get(signed.id)
    assert kept is not None
    assert (kept.state, kept.reason, kept.codes) == (ConsentState.GRANTED, "", (CODE,))
    assert turn.id == kept.turn_id
