"""Orders of the real bot, in a real browser: Omni proposes, people decide, and the card follows the order."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.serving import Served

#: Milliseconds in which an order is sent, filled, and seen to be.
FILLED = 60_000


def card_of(page: Page, *words: str) -> Locator:
    """The newest card of an order in the open thread that says all that."""
    cards = page.locator(".thread .message", has_text="Proposed by Omni")
    for word in words:
        cards = cards.filter(has_text=word)
    return cards.last


def propose(page: Page, say: Any, question: str, decision: str) -> Locator:
    """Ask for an order and have its card shown."""
    say(page, question)
    expect(page.locator(".thread .message").last).to_contain_text("Omni AI can be wrong", timeout=FILLED)
    page.locator(".thread").get_by_role("button", name="Review the order").click()
    card = card_of(page, decision)
    expect(card).to_contain_text("Waiting for approval.")
    return card


def approve(page: Page, card: Locator, sentence: str) -> None:
    """Press Approve, read what is asked, and mean it."""
    card.get_by_role("button", name=re.compile("^Approve")).click()
    dialog = page.get_by_role("dialog", name="Approve?")
    expect(dialog).to_contain_text(sentence)
    dialog.get_by_role("button", name="Approve", exact=True).click()
    expect(dialog).to_have_count(0)


def test_an_order_is_reviewed_edited_approved_and_seen_filled(demo: Served, open_page: OpenPage, say: Any):
    page = open_page(f"{demo.address}#ana/C0TRADING1")
    card = propose(page, say, "@Omni buy 20 KO at $75", "Buy 20 KO at a limit of $75.00")
    expect(card).to_contain_text("Notional: $1,500.00")

    card.get_by_role("button", name="Edit").click()
    form = page.get_by_role("dialog", name="Edit this order")
    quantity = form.get_by_label("Quantity")
    quantity.fill("-3")
    quantity.press("Enter")
    expect(form).to_contain_text("This must be more than zero.")
    quantity.fill("5000")
    quantity.press("Enter")
    expect(form).to_contain_text("may be $100,000.00 at most")
    quantity.fill("12")
    quantity.press("Enter")
    expect(form).to_contain_text("Buy 12 KO at a limit of $75.00")
    expect(form).to_contain_text("Changes quantity 20 → 12")
    form.get_by_role("button", name="Use this").click()
    expect(form).to_have_count(0)

    card = card_of(page, "Buy 12 KO")
    expect(card).to_contain_text("quantity 20 → 12")
    card.get_by_role("button", name=re.compile("^Approve")).click()
    page.get_by_role("dialog", name="Approve?").get_by_role("button", name="Not yet").click()
    expect(card).to_contain_text("Waiting for approval.")
    approve(page, card, "Buy 12 KO at a limit of $75.00")
    expect(card).to_contain_text("Filled: 12 of 12", timeout=FILLED)
    expect(card.get_by_role("button", name=re.compile("Approve|Edit|Decline|order…"))).to_have_count(0)
    expect(page.locator(".thread .message").last).to_contain_text("@Ana Filled: 12 of 12", timeout=FILLED)


def test_a_dialog_that_stood_open_through_an_edit_approves_nothing(demo: Served, open_page: OpenPage, say: Any):
    page = open_page(f"{demo.address}#ana/C0TRADING1")
    card = propose(page, say, "@Omni buy 10 KO at $75", "Buy 10 KO at a limit of $75.00")
    card.get_by_role("button", name=re.compile("^Approve")).click()
    dialog = page.get_by_role("dialog", name="Approve?")
    expect(dialog).to_contain_text("Buy 10 KO")

    bens = open_page(f"{demo.address}#ben/C0TRADING1")
    bens.locator(".channel .replies").last.click()
    card_of(bens, "Buy 10 KO").get_by_role("button", name="Edit").click()
    form = bens.get_by_role("dialog", name="Edit this order")
    form.get_by_label("Quantity").fill("300")
    form.get_by_role("button", name="Use this").click()
    expect(form).to_have_count(0)

    changed = page.locator(".thread .message", has_text="Buy 300 KO")
    expect(changed.first).to_contain_text("Waiting for approval.")
    expect(dialog).to_contain_text("Buy 10 KO")
    dialog.get_by_role("button", name="Approve", exact=True).click()
    expect(dialog).to_have_count(0)
    said = page.locator(".thread .only-you").last
    expect(said).to_contain_text("This order changed, read it again")
    expect(said).to_contain_text("Buy 300 KO")
    expect(changed.first).to_contain_text("Waiting for approval.")


def test_the_second_of_two_people_approves_as_themselves(demo: Served, open_page: OpenPage, say: Any):
    page = open_page(f"{demo.address}#ana/C0TRADING1")
    card = propose(page, say, "@Omni buy 400 KO at $75", "Buy 400 KO")
    approve(page, card, "Buy 400 KO")
    expect(card).to_contain_text("Approved so far by @Ana")
    expect(page.locator(".thread .only-you").last).to_contain_text("Your approval counts.")

    page.locator("[data-person=ben]").click()
    expect(page.locator(".workspace")).to_have_attribute("aria-busy", "false")
    page.locator(".channel .replies").last.click()
    expect(page.locator(".thread")).to_contain_text("@Ben A second person has to approve this order.")
    card = card_of(page, "Buy 400 KO")
    approve(page, card, "Buy 400 KO")
    expect(card).to_contain_text("Filled: 400 of 400", timeout=FILLED)
    expect(card).to_contain_text("Approved by @Ana and @Ben")


def test_a_scenario_moves_the_exchange_before_it_asks(demo: Served, open_page: OpenPage, say: Any):
    page = open_page(f"{demo.address}#ben/C0RESEARCH")
    page.locator(".backstage-button").click()
    page.get_by_role("tab", name="Try").click()
    page.get_by_role("button", name="Try: @Omni buy 20 ORCL at $222").click()
    drawer = page.locator(".backstage")
    page.get_by_role("tab", name="Exchange").click()
    expect(drawer).to_contain_text("ORCL: orders are refused: BUYING_POWER")
    expect(page.locator(".thread .message").last).to_contain_text("Omni AI can be wrong", timeout=FILLED)
    drawer.get_by_role("button", name="As usual again").first.click()
    expect(drawer).to_contain_text("Orders meet the market, and prices move as usual.")
