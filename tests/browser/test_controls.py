"""Behind the scenes: faults that show, a bot that dies and comes back, calls as they happen."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import aiohttp
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage, Witness
from tests.browser.open_page import Stage
from tests.browser.serving import Served


def controls(page: Page, tab: str) -> Any:
    """The drawer, open at a tab."""
    if not page.locator(".backstage").is_visible():
        page.locator(".backstage-button").click()
    page.get_by_role("tab", name=tab).click()
    return page.locator(".backstage")


def started_again(drawer: Any, act: Callable[[], None]) -> None:
    """Do what makes the demo start the bot again, and wait until it runs; other tests may have done so before."""
    state = drawer.locator(".bot-state")
    expect(state).to_contain_text("It runs")
    before = re.search(r"started again (\d+)", state.inner_text())
    act()
    times = int(before[1]) + 1 if before else 1
    expect(state).to_contain_text(f"started again {times} time", timeout=60_000)
    expect(state).to_contain_text("It runs", timeout=60_000)


def test_calls_are_listed_with_what_was_sent_and_answered(demo: Served, open_page: OpenPage):
    page = open_page(demo.address)
    drawer = controls(page, "Try")
    drawer.get_by_role("button", name="Try: @Omni what is the price of AAPL?").click()
    controls(page, "Calls")
    posted = drawer.locator(".call.slack", has_text="chat.startStream").first
    expect(posted.locator(".outcome")).to_have_text("200")
    asking = drawer.locator(".call.clear-street", has_text="POST threads")
    created = asking.filter(has_text="what is the price of AAPL?").first
    created.get_by_role("button").click()
    expect(created.locator(".detail")).to_contain_text("Request id")
    expect(created.locator(".detail")).to_contain_text("what is the price of AAPL?")
    drawer.get_by_label("Filter the calls").fill("POST threads")
    expect(drawer.locator(".call.slack")).to_have_count(0)
    page.reload()
    expect(page.locator(".backstage .call").first).to_be_visible()


def test_a_fault_takes_effect_and_can_be_taken_away(demo: Served, open_page: OpenPage, say: Any):
    page = open_page(f"{demo.address}#ana/C0RESEARCH")
    drawer = controls(page, "Faults")
    form = drawer.locator(".fault-form")
    form.get_by_label("Calls").fill("POST *threads*")
    form.get_by_label("Status").fill("403")
    form.get_by_label("When").select_option("always")
    form.get_by_role("button", name="Put in force").click()
    rule = drawer.locator("[data-rule='POST *threads*']")
    expect(rule).to_contain_text("0 hits")
    expect(page.locator(".backstage-button .count")).to_have_text("1")
    say(page, "@Omni what is the price of MSFT?")
    expect(rule).to_contain_text(re.compile(r"\b[1-9]\d* hits?"))
    expect(page.locator(".thread .message").last).to_contain_text("request", ignore_case=True)
    rule.get_by_role("switch").uncheck()
    expect(page.locator(".backstage-button .count")).to_have_count(0)
    rule.get_by_role("button", name="Remove").click()
    expect(rule).to_have_count(0)


def test_every_kind_of_fault_can_be_put_in_force_and_all_taken_away_at_once(stage: Stage, open_page: OpenPage):
    page = open_page(stage.address)
    drawer = controls(page, "Faults")
    form = drawer.locator(".fault-form")
    mend = drawer.get_by_role("button", name="Make everything work again")
    expect(mend).to_be_disabled()
    kinds = form.get_by_label("What").locator("option")
    expect(kinds).to_have_count(7)
    for number, words in enumerate(kinds.all_text_contents()):
        form.get_by_label("Side").select_option("Slack")
        form.get_by_label("Calls").fill("chat.update")
        form.get_by_label("What").select_option(words)
        if words == "cut the answer off":
            form.get_by_label("After, bytes").fill("7")
        form.get_by_role("button", name="Put in force").click()
        expect(drawer.locator(".rule")).to_have_count(number + 1)
    faults = ["never answer", "drop", "reset the connection", "cut the answer off after 7 bytes", "refuse with 200"]
    for fault in ("refuse with 500", "delay by 2 s", *faults):
        expect(drawer.locator(".rule strong", has_text=fault)).to_have_count(1)
    for name in ("rate_limits", "duplicates", "out_of_order", "hold_events"):
        drawer.locator(f"[data-switch={name}]").check()
    for side in ("Slack", "Clear Street"):
        line = drawer.get_by_label(f"The line to {side}")
        for words in ("breaks off", "is reset", "swallows everything", "refuses connections", "is slow"):
            line.select_option(words)
        expect(drawer.locator(".line.bad", has_text=side)).to_contain_text("Every piece arrives late")
    expect(page.locator(".backstage-button .count")).to_have_text("9")
    mend.click()
    expect(drawer.locator(".rule")).to_have_count(0)
    expect(drawer.locator(".line.bad")).to_have_count(0)
    expect(drawer.get_by_role("switch", checked=True)).to_have_count(0)
    expect(page.locator(".backstage-button .count")).to_have_count(0)
    expect(mend).to_be_disabled()


def test_a_call_that_is_never_answered_shows_and_can_be_let_go(stage: Stage, open_page: OpenPage):
    page = open_page(stage.address)
    drawer = controls(page, "Faults")
    drawer.get_by_role("button", name="Slack never answers a new message").click()
    rule = drawer.locator("[data-rule='chat.postMessage']")
    expect(rule).to_contain_text("the next 1")

    async def speak() -> bool:
        headers = {"Authorization": f"Bearer {stage.slack.bot_token}"}
        said = {"channel": "C0TRADING1", "text": "hello?"}
        url = f"{stage.slack.api_url}chat.postMessage"
        async with aiohttp.ClientSession(headers=headers) as bot, bot.post(url, json=said) as answer:
            return bool((await answer.json())["ok"])

    speaking = stage.start(speak())
    expect(page.locator(".message")).to_contain_text("hello?")  # it took effect, and only its answer waits
    expect(rule).to_contain_text("1 call waits.")
    assert not speaking.done()
    rule.get_by_role("button", name="Let go on").click()
    expect(rule).to_have_count(0)  # it was for one call
    assert speaking.result(60)


def test_a_line_that_is_torn_is_noticed_and_mended(demo: Served, open_page: OpenPage, say: Any):
    # In a public channel the API is asked first whether it may be answered there.
    page = open_page(f"{demo.address}#ben/C0TRADING1")
    drawer = controls(page, "Faults")
    line = drawer.get_by_label("The line to Clear Street")
    line.select_option("is reset")
    say(page, "@Omni what is the price of NFLX?")
    expect(page.locator(".thread .message").nth(1)).to_be_visible(timeout=60_000)
    drawer.get_by_role("button", name="Make everything work again").click()
    expect(line).to_have_value("pass")
    expect(page.locator(".thread .message").last).to_contain_text("Omni AI can be wrong", timeout=90_000)


def test_switches_are_the_same_in_every_tab(demo: Served, open_page: OpenPage):
    page = open_page(demo.address)
    drawer = controls(page, "Faults")
    drawer.locator("[data-switch=duplicates]").check()
    other = open_page(demo.address, beside=page)
    expect(controls(other, "Faults").locator("[data-switch=duplicates]")).to_be_checked()
    other.locator("[data-switch=duplicates]").uncheck()
    expect(drawer.locator("[data-switch=duplicates]")).not_to_be_checked()


def test_a_bot_killed_in_the_middle_comes_back_and_answers(demo: Served, open_page: OpenPage, say: Any):
    page = open_page(f"{demo.address}#ben/C0TRADING1")
    drawer = controls(page, "Bot & API")
    expect(drawer.locator(".bot-state")).to_contain_text("It runs")
    drawer.get_by_label("slow", exact=True).check()
    say(page, "@Omni compare AAPL to AMD")
    expect(page.locator(".thread .message").nth(1)).to_be_visible()
    banner = Witness(page, ".banner")
    started_again(drawer, lambda: drawer.get_by_role("button", name="kill -9 the bot").click())
    banner.saw("starting it again")
    expect(page.locator(".banner")).to_have_count(0)
    finished = page.locator(".thread .message", has_text="Omni AI can be wrong")
    expect(finished).to_have_count(1, timeout=60_000)
    drawer.get_by_label("quick", exact=True).check()


def test_another_revision_of_the_api_answers_too(demo: Served, open_page: OpenPage, say: Any):
    page = open_page(f"{demo.address}#ben/C0RESEARCH")
    drawer = controls(page, "Bot & API")
    started_again(drawer, lambda: drawer.get_by_label("2026-08").check())
    say(page, "@Omni what is the price of TSLA?")
    expect(page.locator(".thread .message").last).to_contain_text("Omni AI can be wrong", timeout=60_000)
    started_again(drawer, lambda: drawer.get_by_label("2026-10").check())
