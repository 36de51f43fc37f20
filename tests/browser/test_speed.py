"""What the page costs: to open, and to keep up with two thousand messages of which one grows.

Seconds by the clock say more of who else uses the machine than of the page, so they are noted and not judged. Judged is
the page's own thread time, against that of a bare page: the same content as plain HTML, without a script.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from omnibot_sandbox.demo.initial_workspace import furnish
from omnibot_sandbox.slack.composer import rich_text
from playwright.sync_api import Browser, CDPSession, Page, expect

from tests.browser.conftest import OpenPage, until
from tests.browser.open_page import Stage

Measurement = Callable[[str], None]
#: How much more of its thread's time than a bare page one of ours may take.
TIMES_BARE = 20
#: Milliseconds of a tenth of a second that a change may take, so that one can scroll and type meanwhile.
SMOOTH = 50


def fill(stage: Stage, count: int) -> list[str]:
    """Put so many messages into #trading, a third of them an app's with lists and tables; gives their ts."""
    workspace = stage.slack.workspace
    trading, people = workspace.channel("trading"), [workspace.user(name) for name in ("ana", "ben", "omni")]

    def all_of_them() -> list[str]:
        for number in range(count):
            user, text = people[number // 2 % 3], f"Message {number}, and some words to fill the line"
            table = f"**{text}**\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |"
            markdown = {"type": "markdown", "block_id": "b", "text": table}
            workspace.post(trading, user, text, blocks=[markdown] if user.is_bot else rich_text(text, "b"))
        return list(trading.messages)

    return stage.do(all_of_them)


class Thread:
    """The time of a page's main thread: its own, whatever else runs on this machine."""

    def __init__(self, page: Page) -> None:
        self._session: CDPSession = page.context.new_cdp_session(page)
        self._session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def busy(self) -> float:
        """Seconds so far."""
        metrics: list[dict[str, Any]] = self._session.send("Performance.getMetrics")["metrics"]
        return float(next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration"))


def costs(page: Page, thread: Thread, act: Callable[[], None]) -> tuple[float, float]:
    """Seconds of the page's thread, and by the clock, until it is done and two frames are drawn."""
    before, began = thread.busy(), time.monotonic()
    act()
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return thread.busy() - before, time.monotonic() - began


#: A page of the same site that holds next to nothing: from there to ours the browser keeps its process and our count.
NEARLY_NOTHING = "styles/tokens.css"
STILL = """() => {
    for (const it of document.querySelectorAll("script")) it.remove();
    for (const it of document.querySelectorAll("[style]")) it.removeAttribute("style");
    return `<!doctype html>${document.documentElement.outerHTML}`;
}"""


def test_the_page_opens_soon(stage: Stage, browser: Browser, measured: Measurement):
    stage.do(lambda: furnish(stage.slack.workspace))
    loads, bares = [], []
    for _ in range(3):
        context = browser.new_context(viewport={"width": 1280, "height": 800})  # nobody was here before
        page = context.new_page()
        page.goto(stage.address + NEARLY_NOTHING)
        thread = Thread(page)

        def load(page: Page = page) -> None:
            page.goto(stage.address)
            expect(page.locator(".message").last).to_be_in_viewport()

        loads.append(costs(page, thread, load))
        still = page.evaluate(STILL)

        def bare(page: Page = page, still: str = still) -> None:
            page.set_content(still)
            expect(page.locator(".message").last).to_be_visible()

        page.goto(stage.address + NEARLY_NOTHING)
        bares.append(costs(page, thread, bare))
        context.close()
    own, clock = min(loads)
    least, _ = min(bares)
    measured(
        f"a first load costs {own * 1000:.0f} ms of the page's thread, {own / least:.1f} times a bare page's "
        f"{least * 1000:.0f} ms; {clock:.2f} s by the clock"
    )
    assert least > 0
    assert own < 1
    assert own < TIMES_BARE * least


def test_two_thousand_messages_open_soon_and_stay_smooth_while_one_changes_ten_times_a_second(
    stage: Stage, open_page: OpenPage, measured: Measurement
):
    page = open_page(stage.address, expected="Failed to load resource")  # an icon for a page that has none
    few = growing(stage, page, fill(stage, 20)[-1])
    last = fill(stage, 1980)[-1]
    newest = page.locator(f".message[data-ts='{last}']")
    page.goto(stage.address + NEARLY_NOTHING)
    thread = Thread(page)

    def load() -> None:
        page.goto(stage.address)
        expect(newest).to_be_in_viewport()

    own, clock = costs(page, thread, load)
    until(lambda: page.locator(".message").count() == 2000, seconds=120)
    many = growing(stage, page, last)
    measured(
        f"of 2,000 messages the newest is seen after {own * 1000:.0f} ms of the page's thread, {clock:.2f} s by the "
        f"clock; a change costs {many * 1000:.1f} ms, among twenty messages {few * 1000:.1f} ms"
    )
    assert 0 < own < 1
    assert 0 < many * 1000 < SMOOTH


def growing(stage: Stage, page: Page, ts: str) -> float:
    """Let a message change ten times a second for a while; what each change costs of the page's thread, in seconds."""
    thread, changes, workspace = Thread(page), 30, stage.slack.workspace
    message = workspace.message("trading", ts)
    shown = page.locator(f".message[data-ts='{ts}']")
    expect(shown).to_be_in_viewport()
    before = thread.busy()
    for number in range(changes):
        grown = [{"type": "markdown", "block_id": "b", "text": f"Version {number} " + "word " * number}]
        stage.do(partial(workspace.change, message, by=message.user, text="", blocks=grown))
        page.wait_for_timeout(100)
    expect(shown).to_contain_text(f"Version {changes - 1}")
    return (thread.busy() - before) / changes
