"""The workspace itself: what one sees of messages, unread marks, two tabs, keys, colours and times."""

from __future__ import annotations

import re
from typing import Any

import aiohttp
import pytest
from omnibot_sandbox.slack import sessions
from omnibot_sandbox.slack.composer import rich_text
from omnibot_sandbox.slack.payloads import permalink
from omnibot_sandbox.slack.workspace import Message
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import OpenPage, until
from tests.browser.open_page import Stage

TRADING = "C0TRADING1"
#: What one reads, and what it stands on.
COLOURS = "(one) => [getComputedStyle(one).color, getComputedStyle(one).backgroundColor]"


def post(stage: Stage, who: str, text: str, *, channel: str = "trading", thread_ts: str | None = None) -> str:
    workspace = stage.slack.workspace
    conversation, user = workspace.channel(channel), workspace.user(who)
    blocks = None if user.is_bot else rich_text(text, "b")
    return stage.do(lambda: workspace.post(conversation, user, text, blocks=blocks, thread_ts=thread_ts).ts)


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
    # The page learns of it with the next frame, and then no longer keeps to the end.
    up = "log => { log.scrollTop = 0; return getComputedStyle(log).overflowAnchor === 'auto'; }"
    until(lambda: log.evaluate(up))
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
    until(lambda: page.evaluate("document.documentElement.scrollWidth <= innerWidth"))
    until(lambda: page.locator(".thread .log").evaluate("log => log.scrollWidth <= log.clientWidth"))
    if width == 800:
        page.locator(".backstage-button").click()
        expect(page.locator(".sidebar")).not_to_be_visible()
        page.get_by_role("button", name="Show the channels").click()
        page.locator("[data-channel=C0RESEARCH]").click()
        expect(page.locator(".sidebar")).not_to_be_visible()


BACKGROUND = "getComputedStyle(document.querySelector('.channel')).backgroundColor"
LIGHT, DARK = "rgb(255, 255, 255)", "rgb(26, 29, 33)"


def background(page: Page, colour: str) -> None:
    expect(page.locator("#composer")).to_be_visible()
    expect(page.locator(".channel")).to_have_css("background-color", colour)


def test_what_is_chosen_can_be_read_under_the_pointer(stage: Stage, open_page: OpenPage):
    page = open_page(stage.address, color_scheme="light")
    for chosen in (page.locator("[data-person=ana]"), page.locator(f"[data-channel={TRADING}]")):
        page.mouse.move(600, 400)
        plain = chosen.evaluate(COLOURS)
        chosen.hover()
        assert chosen.evaluate(COLOURS) == plain
    other = page.locator("[data-channel=C0RESEARCH]")
    plain = other.evaluate(COLOURS)
    other.hover()
    assert other.evaluate(COLOURS) != plain


def test_a_link_to_a_message_leads_to_it_here(stage: Stage, open_page: OpenPage):
    root = post(stage, "ana", "the first", channel="research")
    reply = post(stage, "ben", "the answer", channel="research", thread_ts=root)
    hidden = post(stage, "ana", "not for Ben", channel="boardroom")
    workspace = stage.slack.workspace
    links = [
        f"<{permalink(workspace.message(channel, ts))}|to {words}>"
        for channel, ts, words in (
            ("C0RESEARCH", root, "a post"),
            ("C0RESEARCH", reply, "a reply"),
            (workspace.channel("boardroom").id, hidden, "a secret"),
        )
    ]
    bot = workspace.user("omni")
    stage.do(lambda: workspace.post(workspace.channel("trading"), bot, " ".join(links)))
    page = open_page(f"{stage.address}#ben/{TRADING}")
    for words in ("to a post", "to a reply"):
        page.locator(f"[data-channel={TRADING}]").click()
        page.get_by_role("link", name=words).click()
        expect(page.get_by_role("main")).to_have_attribute("aria-label", "#research")
        expect(page.locator(".thread .message").last).to_contain_text("the answer")
    page.locator(f"[data-channel={TRADING}]").click()
    page.get_by_role("link", name="to a secret").click()
    expect(page.locator(".toast")).to_contain_text("You are not in the channel of this message.")
    expect(page.get_by_role("main")).to_have_attribute("aria-label", "#trading")
    assert len(page.context.pages) == 1


def test_light_and_dark_are_kept(stage: Stage, open_page: OpenPage):
    page = open_page(stage.address, color_scheme="light")
    background(page, LIGHT)
    page.get_by_role("button", name="Colours: As the system").click()
    page.get_by_role("button", name="Colours: Light").click()
    background(page, DARK)
    page.reload()
    background(page, DARK)
    page.get_by_role("button", name="Colours: Dark").click()
    background(page, LIGHT)


@pytest.mark.parametrize(("system", "colour"), [("light", LIGHT), ("dark", DARK)])
def test_what_nobody_chose_follows_the_system(stage: Stage, open_page: OpenPage, system: Any, colour: str):
    page = open_page(stage.address, color_scheme=system)
    background(page, colour)
    other: Any = "dark" if system == "light" else "light"
    page.emulate_media(color_scheme=other)
    background(page, DARK if other == "dark" else LIGHT)
    page.get_by_role("button", name="Colours: As the system").click()
    background(page, LIGHT)  # chosen
    page.emulate_media(color_scheme="dark")
    background(page, LIGHT)


@pytest.mark.parametrize(
    ("zone", "locale", "clock", "day"),
    [
        ("UTC", "en-US", "11:30 PM", "November 20, 2025"),
        ("Asia/Tokyo", "en-US", "8:30 AM", "November 21, 2025"),
        ("America/New_York", "en-US", "6:30 PM", "November 20, 2025"),
        ("Asia/Kolkata", "en-GB", "5:00", "21 November 2025"),
    ],
)
def test_times_are_the_viewers_own(stage: Stage, open_page: OpenPage, zone: str, locale: str, clock: str, day: str):
    workspace = stage.slack.workspace
    conversation, ana = workspace.channel("trading"), workspace.user("ana")
    ts = "1763681400.000100"  # 2025-11-20 23:30 UTC, a year ago
    said = Message(conversation.id, ts, ana.id, "late", rich_text("late", "b"), posted_at=float(ts))
    stage.do(lambda: conversation.messages.update({ts: said}))
    page = open_page(f"{stage.address}#ana/{TRADING}", timezone_id=zone, locale=locale)
    time = page.locator(".message time")
    expect(time).to_have_text(clock)
    expect(time).to_have_attribute("datetime", "2025-11-20T23:30:00.000Z")
    expect(page.locator(".day")).to_contain_text(day)


LOST = r"Failed to load resource"


def test_a_page_that_cannot_look_says_so_tries_again_and_has_missed_nothing(stage: Stage, open_page: OpenPage):
    page = open_page(f"{stage.address}#ana/{TRADING}", expected=LOST)
    post(stage, "ben", "before")
    expect(page.locator(".message")).to_have_count(1)
    failed: list[str] = []

    def fail(route: Route) -> None:
        failed.append(route.request.url)
        if len(failed) % 3 == 0:
            route.fulfill(body="{", content_type="application/json")  # broken off
        elif len(failed) % 3 == 1:
            route.abort()
        else:
            route.fulfill(status=500)

    page.route("**/state?*", fail)
    page.locator("[data-person=ben]").click()
    banner = page.locator(".banner", has_text="Disconnected")
    expect(banner).to_be_visible()
    post(stage, "ana", "meanwhile")
    until(lambda: bool(page.title()) and len(failed) >= 3)  # while the page is asked something, requests are routed
    post(stage, "ana", "and more")
    page.unroute("**/state?*")
    expect(page.locator(".message .body")).to_have_text(["before", "meanwhile", "and more"])
    expect(banner).to_have_count(0)
    post(stage, "ben", "after all")
    expect(page.locator(".message").last).to_contain_text("after all")


def test_a_new_channel_is_looked_up_again_when_the_first_look_fails(stage: Stage, open_page: OpenPage):
    page = open_page(f"{stage.address}#dan/C0CLIENTS1", expected=LOST)
    asked: list[str] = []

    def fail_once(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) == 1:
            route.abort()
        else:
            route.continue_()

    page.route("**/state?*", fail_once)
    workspace = stage.slack.workspace

    def write_to_dan() -> None:
        workspace.post(workspace.dm("dan"), workspace.user("omni"), "Only members may ask.")

    stage.do(write_to_dan)
    expect(page.locator(".sidebar .name")).to_have_text(["Threads", "client-desk", "Omni"])
    until(lambda: bool(page.title()) and len(asked) >= 2)
    expect(page.locator(".banner", has_text="Disconnected")).to_have_count(0)
