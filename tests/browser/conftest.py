"""A browser, the demo as a process of its own, and pages that may not complain."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, expect, sync_playwright

from tests.browser.block_gallery import Gallery, open_gallery
from tests.browser.chromium import chromium
from tests.browser.open_page import Stage
from tests.browser.serving import Served, served

#: Milliseconds that a page may take for anything: this machine may be slow, and loaded.
PATIENCE = 20_000

expect.set_options(timeout=PATIENCE)

OpenPage = Callable[..., Page]


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """One Chromium for all tests; where there is none they fail, and say how to get one."""
    # As root, in containers, Chromium's own sandbox does not start; the pages are ours.
    browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-dev-shm-usage"])
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One demo, with its bot, for all tests that leave it as they found it."""
    with served("demo", "--port", "0", "--pace", "0.5", cwd=tmp_path_factory.mktemp("demo")) as demo:
        yield demo


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A workspace of one's own, without a bot."""
    with Stage() as stage:
        yield stage


@pytest.fixture(scope="session")
def opened_gallery(browser: Browser) -> Iterator[Gallery]:
    """The renderer of blocks, alone."""
    with open_gallery(browser, PATIENCE) as gallery:
        yield gallery


@pytest.fixture
def gallery(opened_gallery: Gallery) -> Iterator[Gallery]:
    """The same, which may not complain while this test lasts."""
    opened_gallery.complaints.clear()
    yield opened_gallery
    assert opened_gallery.complaints == []


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Open a page of a fresh visitor, or with `beside=` another tab of the same. No page may log an error.

    `expected` is a regex for what it may complain of all the same. What else is given is the visitor's: a
    `timezone_id`, a `color_scheme`.
    """
    complaints: list[str] = []
    contexts = []

    def open_page(
        address: str,
        *,
        beside: Page | None = None,
        width: int = 1280,
        height: int = 800,
        expected: str | None = None,
        **visitor: Any,
    ) -> Page:
        if beside is None:
            context = browser.new_context(viewport={"width": width, "height": height}, **{"locale": "en-US", **visitor})
            context.set_default_timeout(PATIENCE)
            contexts.append(context)
        else:
            context = beside.context
        page = context.new_page()

        def hear(said: ConsoleMessage) -> None:
            if said.type in ("error", "warning") and not (expected and re.search(expected, said.text)):
                complaints.append(said.text)

        page.on("console", hear)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address)
        expect(page.locator(".workspace")).to_have_attribute("aria-busy", "false")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


class Witness:
    """Sees every text that an element shows from now on, also one that stands there for a moment only."""

    def __init__(self, page: Page, selector: str) -> None:
        self._page = page
        self._seen = page.evaluate_handle(
            """(selector) => {
                const seen = new Set();
                const look = () => { for (const it of document.querySelectorAll(selector)) seen.add(it.textContent); };
                look();
                new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true });
                return seen;
            }""",
            selector,
        )

    def texts(self) -> list[str]:
        """In the order in which they came."""
        seen: list[str] = self._seen.evaluate("(seen) => [...seen]")
        return seen

    def saw(self, words: str) -> None:
        """Wait until one had these words in it, if none had yet."""
        until(lambda: any(words in text for text in self.texts()))


def until(condition: Callable[[], bool], seconds: float = PATIENCE / 1000) -> None:
    """Wait until it is so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.05)


@pytest.fixture
def measured(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Note something measured, to be read at the end of the run."""
    return lambda sentence: record_property("figure", sentence)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, sentence in report.user_properties:
            if name == "figure" and report.when == "call":
                terminalreporter.write_line(f"measured: {sentence}")


@pytest.fixture
def say() -> Callable[..., None]:
    """Type into the message box and send."""

    def say(page: Page, words: str, *, box: str = "#composer") -> None:
        page.locator(box).fill(words)
        page.locator(box).press("Enter")

    return say
