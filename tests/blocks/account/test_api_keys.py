"""The modals about keys and accounts: within Slack's limits, by name, and without a key in them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from omnibot_sandbox.slack.views import validate_view

from omnibot.accounts.model import Linked
from omnibot.blocks.account.account_choice import account_labels, account_view
from omnibot.blocks.account.api_keys import (
    MEND_ACTION,
    PAGE_ACTION,
    UNLINK_ACTION,
    Known,
    Trouble,
    key_mark,
    link_view,
    linked_elsewhere_page,
    linked_view,
    unlink_page,
)
from omnibot.blocks.account.prompts import ACCOUNT_ACTION, prompt_page
from omnibot.blocks.layout.modals import ActionPrompt, failed, gist, moment_view, words_view
from omnibot.blocks.markdown.render import pings
from omnibot.clearstreet.models import Account
from omnibot.clearstreet.models.enums import AccountStatus
from tests.blocks import hostile_text
from tests.blocks.slack_limits import check, strings

THEN = datetime.fromisoformat("2026-11-20T12:30")


def account(number: int, name: str) -> Account:
    return Account(id=number, status=AccountStatus.ACTIVE, full_name=name)


def linked(*names: str, default: int | None = None, **more: Any) -> Linked:
    accounts = tuple(account(number, name) for number, name in enumerate(names, start=1))
    return Linked("link:T1:U1", accounts, default, **more)


def known(**over: Any) -> Known:
    return Known(**{"since": THEN, "checked": THEN, "broken": None, "readable": True, **over})


def read(view: dict[str, Any]) -> str:
    return "\n".join(strings(view["blocks"]))


def ids(view: dict[str, Any]) -> set[str]:
    elements = [e for b in view["blocks"] for e in [*b.get("elements", []), b.get("accessory"), b.get("element")] if e]
    names = {element["action_id"] for element in elements if "action_id" in element}
    return {name if name == PAGE_ACTION else name.partition(":")[0] for name in names}


names = st.lists(hostile_text.texts, min_size=2, max_size=5)


@given(names, hostile_text.texts)
@settings(max_examples=60, deadline=None)
def test_slack_takes_every_view_whatever_accounts_and_errors_are_called(names: list[str], words: str):
    accounts = [account(number, name) for number, name in enumerate(names, start=1)]
    views = [
        account_view(accounts, 1, place="C1:1.2"),
        account_view(accounts, None),
        linked_view(linked(*names, default=1), waiting=1),
        link_view("n", trouble=Trouble(words or "?", words), known=known(), page="https://example.com/link/x"),
        words_view("Account", words or "?", prompt=ActionPrompt(ACCOUNT_ACTION, "Try again")),
    ]
    for view in views:
        assert validate_view(view, "modal") == []
        texts = [text for text in strings(view["blocks"]) if "<!date^" not in text]
        assert not [text for text in texts if pings(text)]


@pytest.mark.parametrize("count", [2, 100, 101, 10_500])
def test_any_number_of_accounts_can_be_chosen_from(count: int):
    accounts = [account(number, f"Account of the fund number {number}") for number in range(count)]
    view = account_view(accounts, 1)
    assert [problem for problem in validate_view(view, "modal")] == []
    menu = view["blocks"][1]["element"]
    offered = menu.get("options") or [option for group in menu["option_groups"] for option in group["options"]]
    assert len(offered) == min(count, 10_000)
    assert menu["initial_option"]["text"]["text"] == "Account of the fund number 1 (now)"


def test_accounts_of_one_name_are_told_apart_by_number_and_others_have_none():
    labels = account_labels([account(7, "Main"), account(8, "Main"), account(9, "Growth"), account(10, " ")])
    assert labels == {7: "Main (7)", 8: "Main (8)", 9: "Growth", 10: "Account 10"}


def test_the_scope_is_asked_for_only_where_there_is_a_conversation():
    accounts = [account(1, "Growth"), account(2, "Retirement")]
    assert "In this conversation only" in read(account_view(accounts, 1, place="C1:1.2"))
    assert account_view(accounts, 1, place="C1:1.2")["private_metadata"] == "C1:1.2"
    assert "In this conversation only" not in read(account_view(accounts, 1))


def test_the_first_form_says_that_the_key_passes_through_slack_and_offers_the_page_where_there_is_one():
    view = link_view("n")
    assert "passes through Slack" in read(view)
    assert ids(view) == {"clear_street_key"}
    with_page = link_view("n", page="https://omnibot.example.com/link/x")
    assert ids(with_page) == {"clear_street_key", PAGE_ACTION}
    assert validate_view(view, "modal") == validate_view(with_page, "modal") == []


@pytest.mark.parametrize(
    ("link", "said", "offered"),
    [
        (known(), "it works", {MEND_ACTION, UNLINK_ACTION}),
        (known(broken=THEN), "Clear Street refused it", {MEND_ACTION, UNLINK_ACTION}),
        (known(readable=False), "can no longer read it", {UNLINK_ACTION}),
    ],
)
def test_the_form_says_how_the_linked_key_is_and_offers_what_can_be_done(link: Known, said: str, offered: set[str]):
    view = link_view("n", known=link)
    assert said in read(view)
    assert "2026-11-20" in read(view)
    assert ids(view) == {"clear_street_key", *offered}


def test_forms_never_share_a_block_so_slack_shows_no_earlier_entry():
    blocks = [link_view(nonce)["blocks"][-1]["block_id"] for nonce in ("a", "b")]
    assert len(set(blocks)) == 2


def test_what_came_of_linking_names_the_accounts_and_says_what_happens_to_waiting_questions():
    one = linked_view(linked("Main", default=1), waiting=2)
    assert "*Main*" in read(one)
    assert "Your 2 waiting questions go on now." in read(one)
    assert "submit" not in one
    several = linked_view(linked("Growth", "Retirement", others=2), waiting=1)
    assert "Growth, Retirement" in read(several)
    assert "Your waiting question goes on once you have chosen." in read(several)
    assert "2 other people have linked the same key." in read(several)
    assert several["submit"]["text"] == "Save"


@pytest.mark.parametrize(
    ("more", "mended", "said"),
    [
        ({}, False, "Your key is linked."),
        ({"replaced": True}, False, "in place of the earlier one"),
        ({"same_key": True}, False, "linked already"),
        ({"same_key": True}, True, "Clear Street accepts your key."),
    ],
)
def test_what_came_of_it_is_said_first(more: dict[str, bool], mended: bool, said: str):
    assert said in gist(linked_view(linked("Main", default=1, **more), mended=mended))


def test_a_key_linked_on_the_page_is_told_with_what_to_do_if_it_was_somebody_else():
    page = linked_elsewhere_page(linked("Growth", "Retirement"))
    check(page)
    assert "/omni unlink" in page.text
    assert page.blocks[-1]["elements"][0]["action_id"] == ACCOUNT_ACTION
    assert len(linked_elsewhere_page(linked("Main", default=1)).blocks) == 1


def test_forgetting_asks_first():
    page = unlink_page(THEN)
    check(page)
    button = page.blocks[-1]["elements"][0]
    mark = key_mark(THEN)
    assert (button["action_id"], button["style"]) == (f"{UNLINK_ACTION}:{mark}", "danger")
    assert (button["value"], page.blocks[-1]["block_id"]) == (f"link~{mark}", f"omni_key:{mark}")
    assert key_mark(THEN + timedelta(microseconds=1)) != mark
    assert button["confirm"]["confirm"]["text"] == "Forget it"


def test_the_button_of_a_nudge_knows_the_turn_that_waits():
    assert prompt_page("Why.", ACCOUNT_ACTION, "turn-1").blocks[-1]["elements"][0]["value"] == "turn-1"


def test_a_failure_names_the_request():
    assert "(request r-1)" in str(failed("No.", "r-1"))
    assert "request" not in str(failed("No."))


def test_a_stand_in_has_a_name_of_its_own():
    view = moment_view("Account", "One moment…", external_id="x")
    assert view["external_id"] == "x"
    assert validate_view(view, "modal") == []
