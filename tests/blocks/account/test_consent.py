"""The card, the stub and the list of what is shared: Slack takes them, whatever is in them, and they tell the truth."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from omnibot_sandbox.slack import SlackEmulator
from omnibot_sandbox.slack.views import checked

from omnibot.blocks.account.consent import (
    card_page,
    card_unit,
    manage_page,
    refusal_unit,
    stub_unit,
    told_view,
)
from omnibot.blocks.layout.button_versions import read_click
from omnibot.blocks.layout.types import Page
from omnibot.consent.model import AccountConsent, Card, ConsentState, ConsentStatus, Granted, Overview
from omnibot.policy.identities import YES, AccessResult
from omnibot.turns.model import Person
from tests.blocks.slack_limits import check, elements

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
CARD = Card("a token", Person("T1", "U0ANA"), ConsentState.ASKED, "To list your positions.", ("Growth", "Retirement"))
HOSTILE = "<!channel> <@U0BEN> <https://evil.example|Sign here> *bold* " + "x" * 4_000


def words(page: Page) -> str:
    return str(page.blocks)


@pytest.mark.parametrize("state", list(ConsentState))
@pytest.mark.parametrize("reason", ["To list your positions.", "", HOSTILE])
def test_slack_takes_the_card_and_the_stub_in_every_state(state: ConsentState, reason: str):
    card = replace(
        CARD, state=state, reason=reason, accounts=(HOSTILE, "B") * 30, signed_by="U0ANA", version=3, ended_at=NOW
    )
    for blocks in (card_unit(card), stub_unit(card)):
        check(Page(blocks, "words"))
        assert "<!channel>" not in str(blocks)
        assert "<@U0BEN>" not in str(blocks)
        assert "<https" not in str(blocks)


def test_only_an_open_card_has_buttons_and_they_carry_nothing_but_its_token():
    buttons = {state: elements(card_page(replace(CARD, state=state))) for state in ConsentState}
    assert {state for state, found in buttons.items() if found} == {ConsentState.ASKED}
    assert {button["value"].partition("~")[0] for button in buttons[ConsentState.ASKED]} == {CARD.id}


def test_the_stub_names_the_asked_person_and_no_account():
    for state in ConsentState:
        said = str(stub_unit(replace(CARD, state=state)))
        assert "<@U0ANA>" in said
        assert "Growth" not in said


def test_a_signed_card_says_who_when_which_version_and_which_accounts():
    said = words(card_page(replace(CARD, state=ConsentState.GRANTED, signed_by="U0ANA", version=3, ended_at=NOW)))
    for part in ("<@U0ANA>", f"<!date^{int(NOW.timestamp())}^", "version 3", "Growth", "Retirement"):
        assert part in said


def test_a_signature_that_failed_is_said_on_the_card_that_can_be_signed_again():
    assert "did not take your signature" in words(card_page(replace(CARD, failed=True)))
    assert "did not take your signature" not in words(card_page(CARD))


def test_a_refusal_names_those_to_ask_and_only_people():
    said = str(refusal_unit({"why": "Ask one of them. " + HOSTILE, "ask": ["U0HEAD", "<!here>", "U0DESK"]}))
    assert "<@U0HEAD> <@U0DESK>" in said
    assert "<!here>" not in said
    assert "<!channel>" not in said
    assert "<@U0BEN>" not in said


def test_the_list_says_what_is_enabled_and_why_and_offers_to_end_only_what_can_be_ended():
    grants = (Granted("e1", "code", NOW, 3), Granted("e2", "code", None, None))
    accounts = (
        AccountConsent(1, "Signed", ConsentStatus.GRANTED, grants),
        AccountConsent(2, "Default", ConsentStatus.BY_DEFAULT, (), ("code",)),
        AccountConsent(3, "Out", ConsentStatus.OPTED_OUT, ()),
        AccountConsent(4, "Off", ConsentStatus.OFF, ()),
        AccountConsent(5, "Both", ConsentStatus.BY_DEFAULT, grants[:1], ("code", "more")),
    )
    page = manage_page(Overview(accounts, YES, shared=False), "Done.")
    check(page)
    said = words(page)
    for part in ("version 3", "an earlier version", "nobody signed for it", "in part signed", "opted out", "Done."):
        assert part in said
    ends = [block["accessory"] for block in page.blocks if "accessory" in block]
    assert [end["value"].partition("~")[0] for end in ends] == ["grant:e1", "grant:e2", "account:2", "account:5"]
    assert all("confirm" in end for end in ends)
    refused = manage_page(Overview(accounts, AccessResult(False, "Not you.", ("U0HEAD",)), shared=True))
    assert not [block for block in refused.blocks if "accessory" in block]
    assert "<@U0HEAD>" in words(refused)


def ends_of(*accounts: AccountConsent) -> list[dict[str, Any]]:
    """What Slack sends of a press on each button of the list."""
    blocks = manage_page(Overview(accounts, YES, shared=False)).blocks
    shown = [(block["block_id"], block["accessory"]) for block in blocks if "accessory" in block]
    return [{"block_id": id, "action_id": end["action_id"], "value": end["value"]} for id, end in shown]


@pytest.mark.parametrize("mixed", ["block_id", "action_id", "value"])
def test_a_button_that_ends_one_grant_ends_no_other_that_stands_in_its_place_by_now(mixed: str):
    main = AccountConsent(1, "Main", ConsentStatus.GRANTED, (Granted("e1", "code", NOW, 3),))
    roth = AccountConsent(2, "Roth", ConsentStatus.BY_DEFAULT, (), ("code",))
    [old, _], [new] = ends_of(main, roth), ends_of(roth)

    assert read_click(old) is not None
    assert (read_click(new) or old) != old
    assert read_click(new | {mixed: old[mixed]}) is None


@given(st.integers(0, 60), st.text(max_size=100))
def test_slack_takes_a_list_of_any_length(count: int, name: str):
    grants = (Granted("e1", "code", NOW, 3),)
    accounts = tuple(AccountConsent(n, name, ConsentStatus.GRANTED, grants) for n in range(count))
    check(manage_page(Overview(accounts, YES, shared=True)))


@given(st.text(max_size=8_000))
def test_slack_takes_a_form_that_says_anything(sentence: str):
    assert checked(SlackEmulator().workspace, told_view(sentence, ("U0ANA",)), "modal")
