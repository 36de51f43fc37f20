"""`make screenshots`: writes the README's pictures from a scripted scene, with the real bot and a real browser."""

from __future__ import annotations

import re
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.chromium import chromium
from tests.browser.serving import Served, served

PICTURES = Path(__file__).parents[2] / ".github"
QUESTION = "@Omni how are the markets doing today?"


def tab(browser: Browser, demo: Served, place: str, theme: Literal["light", "dark"]) -> Page:
    context = browser.new_context(
        viewport={"width": 1280, "height": 780},
        device_scale_factor=1.5,
        color_scheme=theme,
        locale="en-US",
        timezone_id=morning(),
        reduced_motion="reduce",
    )
    context.add_init_script("localStorage.setItem('guide', JSON.stringify({ hidden: true }))")
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(f"{demo.address}#{place}")
    return page


def morning() -> str:
    """A time zone in which it is between nine and ten now."""
    ahead = (9 - time.gmtime().tm_hour + 11) % 24 - 11
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"


def answered(page: Page, count: int = 1) -> None:
    """Wait until the open thread has so many finished answers."""
    expect(page.locator(".thread .message", has_text="Omni AI can be wrong")).to_have_count(count, timeout=60_000)


def conversation(browser: Browser, demo: Served) -> None:
    """Ana asks about the markets; her colleagues see it too."""
    page = tab(browser, demo, "ana/C0TRADING1", "light")
    page.locator("#composer").fill(QUESTION)
    page.locator("#composer").press("Enter")
    answered(page)
    ben = tab(browser, demo, "ben/C0TRADING1", "light")
    asked = ben.locator(".channel .message", has_text="how are the markets")
    asked.hover()
    asked.get_by_role("button", name="Add a reaction").click()
    asked.get_by_role("button", name="eyes").click()
    ben.locator(".sidebar").get_by_role("button", name="research").click()
    ben.locator("#composer").fill("@Ana the CPI print is out, 0.1 below consensus.")
    ben.locator("#composer").press("Enter")
    expect(page.locator("[data-channel=C0RESEARCH] .count")).to_have_text("1")
    ben.context.close()
    page.mouse.move(5, 5)
    picture(page, "demo-light.png")
    place = page.url.partition("#")[2]
    page.context.close()
    page = tab(browser, demo, place, "dark")
    answered(page)
    page.wait_for_timeout(500)
    picture(page, "demo-dark.png")
    page.context.close()


def controls(browser: Browser, demo: Served) -> None:
    """The drawer, with a fault in force and the calls it befell."""
    page = tab(browser, demo, "ana/C0RESEARCH", "light")
    page.locator(".backstage-button").click()
    page.get_by_role("tab", name="Faults").click()
    page.get_by_role("button", name="Clear Street fails three times").click()
    page.locator("#composer").fill("@Omni what is the price of AAPL?")
    page.locator("#composer").press("Enter")
    page.get_by_role("tab", name="Calls").click()
    answered(page)
    page.locator(".call", has_text="POST threads").first.wait_for()
    page.locator(".call", has_text="500").last.scroll_into_view_if_needed()
    page.mouse.move(5, 5)
    picture(page, "demo-backstage.png")
    page.context.close()


def order(browser: Browser, demo: Served) -> None:
    """An order worth two people's approval, with Ana's given."""
    page = tab(browser, demo, "ana/C0TRADING1", "light")
    page.locator("#composer").fill("@Omni buy 200 AAPL at $275")
    page.locator("#composer").press("Enter")
    answered(page)
    thread = page.locator(".thread")
    thread.get_by_role("button", name="Review the order").click()
    thread.get_by_role("button", name=re.compile("^Approve")).click()
    page.get_by_role("dialog", name="Approve?").get_by_role("button", name="Approve", exact=True).click()
    expect(thread.locator(".message", has_text="A second person has to approve this order")).to_have_count(1)
    page.mouse.move(5, 5)
    page.wait_for_timeout(500)
    picture(page, "demo-order.png")
    page.context.close()


def picture(page: Page, name: str) -> None:
    page.evaluate("document.activeElement?.blur()")
    page.screenshot(path=PICTURES / name)
    print(PICTURES / name)


def main() -> None:
    with (
        TemporaryDirectory() as folder,
        served("demo", "--port", "0", cwd=Path(folder)) as demo,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        conversation(browser, demo)
        order(browser, demo)
        controls(browser, demo)
        browser.close()


if __name__ == "__main__":
    main()
