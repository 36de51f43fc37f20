"""The workspace itself: what one sees of messages, unread marks, two tabs, keys, and two thousand messages."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import aiohttp
import pytest
from playwright.sync_api import expect

from omnibot.emulator.slack import sessions
from omnibot.emulator.slack.composer import rich_text
from tests.browser.conftest import OpenPage, until
from tests.browser.stage import Stage

TRADING = "C0TRADING1"


def post(stage: Stage, who: str, text: str, *, channel: str = "trading", thread_ts: str | None = None) -> str:
    workspace = stage.slack.workspace
    room, user = workspace.channel(channel), workspace.user(who)
    blocks = None if user.is_bot else rich_text(text, "b")
    return stage.do(lambda: workspace.post(room, user, text, blocks=blocks, thread_ts=thread_ts).ts)


def test_two_tabs_agree(stage: Stage, open_page: OpenPage, say: Any):
    page = open_page(stage.address)
    other = open_page(stage.address, beside=page)
    say(page, "hello from the first tab")
    mine = other.locator(".message", has_text="hello from the first tab")
    expect(mine).to_be_visible()
    mine.hover()
    mine.get_by_role("button", name="Edit message").click()
    other.locator(".edit-box textarea").fill("hello from the second tab")
    other.keyboard.press("Enter")
    expect(page.locator(".message").last).to_contain_text("hello from the second tab(edited)")
    mine = other.locator(".message", has_text="hello from the second tab")
    mine.hover()
    mine.get_by_role("button", name="Add a reaction").click()
    other.get_by_role("button", name="eyes").click()
    expect(page.locator(".reaction")).to_have_text("👀1")
    mine.get_by_role("button", name="Delete message").click()
    other.get_by_role("button", name="Delete", exact=True).click()
    expect(page.locator(".message")).to_have_count(0)


def test_unread_marks_are_each_persons_own_and_the_same_in_every_tab(stage: Stage, open_page: OpenPage):
    post(stage, "ana", "before anybody looked", channel="research")
    page = open_page(f"{stage.address}#ben/{TRADING}")
    other = open_page(f"{stage.address}#ben/{TRADING}", beside=page)
    post(stage, "ana", "Ben, look", channel="research")
    research = page.locator("[data-channel=C0RESEARCH]")
    expect(research).to_have_class("bold")
    expect(research.locator(".count")).to_have_count(0)
    root = post(stage, "ana", f"<@{stage.slack.workspace.user('ben').id}> and you", channel="research")
    expect(research.locator(".count")).to_have_text("1")
    expect(page).to_have_title(re.compile(r"^\(1\) "))
    research.click()
    expect(page.get_by_role("separator", name="New messages")).to_be_visible()
    for tab in (page, other):
        expect(tab.locator("[data-channel=C0RESEARCH] .count")).to_have_count(0)
        expect(tab.locator("[data-channel=C0RESEARCH]")).to_have_class("")
    # A reply in a thread one was named in waits under Threads.
    page.locator(f"[data-channel={TRADING}]").click()
    post(stage, "ana", "more of it", channel="research", thread_ts=root)
    threads = page.locator("[data-channel=threads]")
    expect(threads.locator(".count")).to_have_text("1")
    threads.click()
    page.get_by_role("button", name="Open thread").click()
    expect(page.locator(".thread .message").last).to_contain_text("more of it")
    expect(threads.locator(".count")).to_have_count(0)


def test_a_deleted_root_stays_as_a_tombstone_while_it_has_replies(stage: Stage, open_page: OpenPage):
    root = post(stage, "ana", "soon gone")
    reply = post(stage, "ben", "an answer", thread_ts=root)
    page = open_page(f"{stage.address}#ben/{TRADING}")
    stage.run(stage.slack.delete(TRADING, root))
    expect(page.locator(".message.deleted")).to_contain_text("This message was deleted.")
    stage.run(stage.slack.delete(TRADING, reply))
    expect(page.locator(".message")).to_have_count(0)


def test_a_status_line_says_what_the_app_does_and_offers_stop(stage: Stage, open_page: OpenPage):
    root = post(stage, "ana", "a question")
    page = open_page(f"{stage.address}#ana/{TRADING}/{root}")
    channel = stage.slack.workspace.channel("trading")
    said = {"status": "is thinking…", "loading_messages": ["Reading the tape…", "Asking around…"]}
    stage.do(lambda: stage.slack.workspace.set_status(channel, root, said))
    line = page.locator(".status-line")
    expect(line).to_contain_text(re.compile("Reading the tape…|Asking around…"))
    stage.do(lambda: stage.slack.workspace.set_status(channel, root, {"status": ""}))
    expect(line).to_have_text("")


def test_stop_is_offered_while_a_session_is_processing(stage: Stage, open_page: OpenPage):
    root = post(stage, "ana", "a question")
    page = open_page(f"{stage.address}#ana/{TRADING}/{root}")
    workspace = stage.slack.workspace
    channel = workspace.channel("trading")
    stage.do(lambda: sessions.move(workspace, channel, root, "processing", title="Prices"))
    expect(page.locator(".status-line")).to_contain_text("Omni is working…")
    expect(page.locator(".thread").get_by_role("heading", name="Prices")).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Stopping…")).to_be_disabled()
    stage.do(lambda: sessions.move(workspace, channel, root, "active"))
    expect(page.locator(".status-line")).to_have_text("")


def test_a_stream_grows_with_a_caret_until_it_is_stopped(stage: Stage, open_page: OpenPage):
    root = post(stage, "ana", "a question")
    page = open_page(f"{stage.address}#ana/{TRADING}/{root}")
    ana = stage.slack.workspace.user("ana")

    async def call(method: str, **arguments: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {stage.slack.bot_token}"}
        url = stage.slack.api_url + method
        async with aiohttp.ClientSession(headers=headers) as bot, bot.post(url, json=arguments) as answer:
            said: dict[str, Any] = await answer.json()
            assert said["ok"], said
            return said

    to_ana = {"recipient_user_id": ana.id, "recipient_team_id": ana.team_id}
    begun = stage.run(call("chat.startStream", channel=TRADING, thread_ts=root, markdown_text="Once **upon", **to_ana))
    stream = page.locator(".thread .message.streaming")
    expect(stream).to_contain_text("Once")
    stage.run(call("chat.appendStream", channel=TRADING, ts=begun["ts"], markdown_text=" a** time"))
    expect(stream).to_contain_text("Once upon a time")
    stage.run(call("chat.stopStream", channel=TRADING, ts=begun["ts"]))
    expect(stream).to_have_count(0)
    expect(page.locator(".thread .message").last).to_contain_text("Once upon a time")


def test_the_guide_types_for_one_ticks_off_and_stays_away_once_dismissed(stage: Stage, open_page: OpenPage):
    page = open_page(f"{stage.address}#ana/C0RESEARCH")
    guide = page.locator(".guide")
    guide.get_by_role("button", name="Type it for me").click()
    expect(page.get_by_role("main")).to_have_attribute("aria-label", "#trading")
    expect(page.locator("#composer")).to_have_value("@Omni what is the price of AAPL?")
    page.keyboard.press("Enter")
    expect(guide.locator("[data-step=ask]")).to_have_class("done")
    page.reload()
    expect(guide).to_contain_text("1 of 5")
    guide.get_by_role("button", name="Dismiss the guide").click()
    expect(guide).to_have_count(0)
    page.reload()
    expect(page.locator(".message").last).to_contain_text("what is the price of AAPL?")
    expect(guide).to_have_count(0)


def test_a_command_in_a_thread_is_refused_as_slack_does(stage: Stage, open_page: OpenPage, say: Any):
    root = post(stage, "ana", "a question")
    page = open_page(f"{stage.address}#ana/{TRADING}/{root}")
    say(page, "/omni help", box="#thread-composer")
    expect(page.locator(".toast")).to_contain_text("/omni is not supported in threads")
    expect(page.locator("#thread-composer")).to_have_value("/omni help")


def test_new_messages_are_announced_and_one_can_jump_to_the_newest(stage: Stage, open_page: OpenPage):
    for number in range(40):
        post(stage, "ana", f"line {number}")
    page = open_page(f"{stage.address}#ben/{TRADING}")
    log = page.get_by_role("log")
    expect(page.locator(".message").last).to_be_in_viewport()
    log.evaluate("log => { log.scrollTop = 0; }")
    until(lambda: log.evaluate("log => log.scrollHeight - log.scrollTop - log.clientHeight > 200"))
    post(stage, "ana", "something new")
    page.get_by_role("button", name="1 new message").click()
    expect(page.locator(".message").last).to_be_in_viewport()
    expect(page.locator("#announcer")).to_have_text("Ana: something new")


def test_everything_can_be_reached_by_keyboard(stage: Stage, open_page: OpenPage):
    post(stage, "ben", "a message")
    page = open_page(stage.address)
    page.keyboard.press("Control+k")
    page.keyboard.type("resea")
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_have_attribute("aria-label", "#research")
    expect(page.locator("#composer")).to_be_focused()
    page.keyboard.press("Control+k")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.locator("[data-channel=C0RESEARCH]").focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_have_attribute("aria-label", "#trading")
    page.keyboard.press("F6")
    assert page.evaluate("document.activeElement.closest('[data-region]') !== null")
    page.keyboard.type("@be")
    page.keyboard.press("Enter")
    expect(page.locator("#composer")).to_have_value("@Ben ")
    page.keyboard.type("hi")
    page.keyboard.press("Enter")
    expect(page.locator(".message").last).to_contain_text("@Ben hi")
    page.keyboard.press("ArrowUp")
    expect(page.locator(".edit-box textarea")).to_have_value("@Ben hi")
    page.keyboard.press("Escape")
    page.locator(".message").last.focus()
    page.keyboard.press("ArrowUp")
    expect(page.locator(".message").first).to_be_focused()


@pytest.mark.parametrize("width", [1280, 800])
def test_nothing_is_wider_than_the_window(stage: Stage, open_page: OpenPage, width: int):
    root = post(stage, "ana", "word " * 200 + "x" * 300)
    post(stage, "ben", "y" * 300, thread_ts=root)
    page = open_page(f"{stage.address}#ana/{TRADING}/{root}", width=width, height=700)
    page.locator(".backstage-button").click()
    expect(page.locator(".backstage")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator(".thread .log").evaluate("log => log.scrollWidth <= log.clientWidth")
    if width == 800:
        page.locator(".backstage-button").click()
        expect(page.locator(".sidebar")).not_to_be_visible()
        page.get_by_role("button", name="Show the channels").click()
        page.locator("[data-channel=C0RESEARCH]").click()
        expect(page.locator(".sidebar")).not_to_be_visible()


def test_light_and_dark_are_kept(stage: Stage, open_page: OpenPage):
    page = open_page(stage.address)
    background = "getComputedStyle(document.querySelector('.channel')).backgroundColor"
    assert page.evaluate(background) == "rgb(255, 255, 255)"
    page.locator("#theme").click()
    page.locator("#theme").click()
    until(lambda: page.evaluate(background) != "rgb(255, 255, 255)")
    dark = page.evaluate(background)
    page.reload()
    expect(page.locator("#composer")).to_be_visible()
    assert page.evaluate(background) == dark


def fill(stage: Stage, count: int) -> list[str]:
    workspace = stage.slack.workspace
    trading, people = workspace.channel("trading"), [workspace.user(name) for name in ("ana", "ben", "omni")]

    def all_of_them() -> list[str]:
        for number in range(count):
            user, text = people[number // 2 % 3], f"Message {number}, and some words to fill the line"
            markdown = {
                "type": "markdown",
                "block_id": "b",
                "text": f"**{text}**\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |",
            }
            workspace.post(trading, user, text, blocks=[markdown] if user.is_bot else rich_text(text, "b"))
        return list(trading.messages)

    return stage.do(all_of_them)


def test_two_thousand_messages_load_soon_and_stay_smooth_while_one_changes(
    stage: Stage, open_page: OpenPage, figure: Callable[[str], None]
):
    last = fill(stage, 2000)[-1]
    open_page(stage.address)  # what a browser does once is not the page's time
    began = time.monotonic()
    page = open_page(stage.address)
    newest = page.locator(f".message[data-ts='{last}']")
    expect(newest).to_be_in_viewport()
    loading = time.monotonic() - began
    until(lambda: page.locator(".message").count() == 2000)

    measured = page.context.new_cdp_session(page)
    measured.send("Performance.enable", {"timeDomain": "threadTicks"})  # the page's own, whatever else runs here

    def busy() -> float:
        metrics: list[dict[str, Any]] = measured.send("Performance.getMetrics")["metrics"]
        return float(next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration"))

    before, changes = busy(), 30
    workspace = stage.slack.workspace
    message = workspace.message("trading", last)
    for number in range(changes):
        grown = [{"type": "markdown", "block_id": "b", "text": f"Version {number} " + "word " * number}]
        stage.do(partial(workspace.change, message, by=message.user, text="", blocks=grown))
        page.wait_for_timeout(100)
    expect(newest).to_contain_text(f"Version {changes - 1}")
    each = (busy() - before) / changes
    figure(f"2,000 messages are shown after {loading:.2f} s; a change costs {each * 1000:.1f} ms of the page's time")
    assert loading < 10
    assert each < 0.1, "ten changes a second would fill the page's time"
