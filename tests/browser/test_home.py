"""App Home of the real bot, in a real browser."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.serving import Served


def test_home_says_who_one_is_and_an_example_pressed_there_is_listed_and_can_go_on(demo: Served, open_page: OpenPage):
    page = open_page(f"{demo.address}#ben/home")
    home = page.locator(".home")
    expect(home).to_contain_text("You ask with the Clear Street API key that this workspace shares.")
    expect(home).to_contain_text("Main, asked about by default")
    home.get_by_role("button", name="What is the current price of AAPL?").click()
    page.get_by_role("tab", name="Messages").or_(page.get_by_role("button", name="Messages", exact=True)).first.click()
    expect(page.locator(".channel")).to_contain_text("asks Omni AI")
    page.get_by_role("tab", name="Home").or_(page.get_by_role("button", name="Home", exact=True)).first.click()
    expect(home).to_contain_text("Recent conversations")
    expect(home).to_contain_text("in your messages with me · Open in Slack")
    expect(home).not_to_contain_text("date_short_pretty")
