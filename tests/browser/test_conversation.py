"""A person and Omni: the real bot, in a real browser."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage, Witness
from tests.browser.serving import Served

CARD = ".thread .message"


def answer(page: Page, index: int = -1) -> Any:
    """An answer of the bot in the open thread, once it is finished."""
    message = page.locator(f"{CARD}:has(.badge:text('APP'))").nth(index)
    expect(message).to_contain_text("Omni AI can be wrong")
    return message


def test_a_question_is_answered_in_a_thread_that_opens_and_its_suggestions_can_be_pressed(
    demo: Served, open_page: OpenPage, say: Any
):
    page = open_page(demo.address)
    say(page, "@Omni what is the price of AAPL?")
    expect(page.locator(".thread")).to_contain_text("@Omni what is the price of AAPL?")
    expect(answer(page)).to_contain_text("AAPL is currently trading at")
    expect(page.locator(".channel .replies").last).to_contain_text("1 reply")
    answer(page).get_by_role("button", name="Compare to AMD").click()
    expect(page.locator(CARD).nth(2)).to_be_visible()
    expect(answer(page)).to_contain_text("AMD")
    expect(page.locator("[data-step=press]")).to_have_class(re.compile("done"))


def test_an_answer_grows_before_ones_eyes(demo: Served, open_page: OpenPage, say: Any):
    page = open_page(f"{demo.address}#ana/C0RESEARCH")
    thread = Witness(page, ".thread .log")
    say(page, "@Omni write a long report on the market")
    expect(page.locator(".thread .log")).to_contain_text("Omni AI can be wrong", timeout=60_000)
    growing = [words for words in thread.texts() if "Omni AI can be wrong" not in words]
    assert any("This report walks through every sector" in words for words in growing), "words show before the last"
    expect(page.locator(CARD).nth(2)).to_be_visible()  # thirty kilobytes are several messages


def test_a_reload_loses_nothing(demo: Served, open_page: OpenPage, say: Any):
    page = open_page(f"{demo.address}#ben/C0RESEARCH")
    say(page, "@Omni how are the markets doing today?")
    expect(answer(page)).to_contain_text("S&P 500")
    page.locator("#composer").fill("half a thought")
    page.locator("#thread-composer").fill("half a reply")
    shown = page.locator(CARD).last.inner_text()
    page.reload()
    expect(page.locator(".thread")).to_contain_text("S&P 500")
    expect(page.locator(CARD).last).to_have_text(shown, use_inner_text=True)
    expect(page.locator("#composer")).to_have_value("half a thought")
    expect(page.locator("#thread-composer")).to_have_value("half a reply")
    expect(page.locator("[data-person=ben]")).to_have_attribute("aria-checked", "true")


def test_a_command_is_completed_and_answered_to_one_person_only(demo: Served, open_page: OpenPage):
    page = open_page(demo.address)
    box = page.locator("#composer")
    box.press_sequentially("/om")
    expect(page.get_by_role("option")).to_contain_text("research TICKER")
    box.press("Tab")
    expect(page.locator(".usage")).to_contain_text("private [question]")
    box.press_sequentially("help")
    box.press("Enter")
    mine = page.locator(".only-you")
    expect(mine).to_contain_text("Only visible to you")
    expect(mine).to_contain_text("/omni research")
    page.locator("[data-person=ben]").click()
    expect(page.locator(".workspace")).to_have_attribute("aria-busy", "false")
    expect(page.locator(".message").last).to_be_visible()
    expect(mine).to_have_count(0)
    page.locator("[data-person=ana]").click()
    mine.get_by_role("button", name="Dismiss message").click()
    expect(mine).to_have_count(0)


def test_who_one_is_decides_what_one_sees(demo: Served, open_page: OpenPage, say: Any):
    page = open_page(demo.address)
    places = page.locator(".sidebar .name")
    expect(places).to_have_text(
        [
            "Threads",
            "trading",
            "research",
            "lobby",
            "client-desk",
            "advisers",
            "boardroom",
            "Ben",
            "Cleo",
            "Dan",
            "Omni",
        ]
    )
    page.locator("[data-person=ben]").click()
    expect(places).to_have_text(["Threads", "trading", "research", "lobby", "client-desk", "advisers", "Ana", "Omni"])
    page.locator("[data-person=cleo]").click()
    expect(places).to_have_text(["Threads", "research", "lobby", "advisers", "Ana"])
    expect(page.locator(".sidebar")).to_contain_text("Guests cannot use agent apps")
    page.locator("[data-person=dan]").click()
    expect(places).to_have_text(["Threads", "client-desk", "Ana"])
    expect(page.locator(".workspace-name")).to_have_text("Northwind Partners")
    expect(page.locator(".shared-note")).to_contain_text("Clear & Co is in this channel too.")
    expect(page.locator(".message").last.locator(".badge")).to_have_text("Clear & Co")
    say(page, "/omni help")
    expect(page.locator(".toast")).to_contain_text("/omni is not a valid command")
    say(page, "@Omni what is the price of AAPL?")
    expect(page.locator(".only-you")).to_be_visible()


def test_two_people_talk_without_anybody_else(demo: Served, open_page: OpenPage, say: Any):
    page = open_page(f"{demo.address}#ben/C0RESEARCH")
    other = open_page(f"{demo.address}#ana/C0RESEARCH")
    other.locator("[data-channel=D0ANABEN01]").click()
    expect(other.get_by_role("main")).to_have_attribute("aria-label", "Ben")
    expect(other.locator(".beginning")).to_contain_text("This is between you and Ben. No app reads along.")
    say(other, "only for you")
    talk = page.locator("[data-channel=D0ANABEN01]")
    expect(talk.locator(".name")).to_have_text("Ana")
    expect(talk.locator(".count")).to_have_text("1")
    talk.click()
    expect(page.locator(".message").last).to_contain_text("only for you")
    expect(talk.locator(".count")).to_have_count(0)
    # A question typed there is answered where Omni is.
    say(page, "/omni what is the price of AAPL?")
    expect(page.locator(".sidebar").get_by_role("button", name="Omni").locator(".count")).to_be_visible()
    expect(other.locator(".message").last).to_contain_text("only for you")


def test_the_apps_messages_take_questions_without_a_mention(demo: Served, open_page: OpenPage):
    page = open_page(demo.address)
    page.locator(".sidebar").get_by_role("button", name="Omni", exact=False).click()
    page.get_by_role("group", name="Suggested questions").get_by_role("button").nth(1).click()
    expect(answer(page)).to_contain_text("AAPL is currently trading at")
