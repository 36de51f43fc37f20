"""Another author's app on `omnibot emulator`: modals, Home, refused blocks and silence, as people see them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.serving import Served, served

APP = Path(__file__).with_name("modal_app.py")


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("emulator")
    with served("emulator", "--port", "0", cwd=folder) as emulator:
        variables = dict(re.findall(r"export (\w+)=(\S+)", emulator.said))
        with (folder / "app.log").open("w") as log:
            app = subprocess.Popen(
                [sys.executable, str(APP)], env={**os.environ, **variables}, stdout=log, stderr=subprocess.STDOUT
            )
        try:
            yield emulator
        finally:
            app.terminate()
            app.wait(20)


@pytest.fixture
def page(emulator: Served, open_page: OpenPage) -> Page:
    page = open_page(emulator.address)
    expect(page.locator(".banner")).to_have_count(0)  # until the app is connected, the page says that none is
    return page


def test_a_modal_is_opened_checked_updated_and_submitted(page: Page, say: Any):
    say(page, "/omni order")
    modal = page.get_by_role("dialog", name="An order")
    expect(modal.get_by_label("Quantity")).to_be_focused()
    modal.get_by_role("button", name="Review").click()
    expect(modal).to_contain_text("Please complete this required field.")

    modal.get_by_label("Quantity").fill("lots")
    modal.get_by_label("Side").click()
    page.get_by_role("option", name="Buy").click()
    modal.get_by_role("button", name="Review").click()
    expect(modal).to_contain_text("lots is no number")

    modal.get_by_label("Quantity").fill("200")
    modal.get_by_role("button", name="Review").click()
    review = page.get_by_role("dialog", name="Review")
    expect(review).to_contain_text("buy 200, ana?")
    review.get_by_role("button", name="Send").click()
    expect(page.locator(".modal")).to_have_count(0)
    expect(page.locator(".message").last).to_contain_text("@Ana sent an order")
    expect(page.locator("#composer")).to_be_focused()


def test_a_pushed_modal_lies_on_top_and_escape_takes_one_away(page: Page, say: Any):
    say(page, "/omni order")
    page.get_by_role("dialog", name="An order").get_by_label("Quantity").fill("7")
    page.get_by_role("button", name="Terms").click()
    terms = page.get_by_role("dialog", name="Terms")
    expect(terms).to_contain_text("Be careful.")
    page.keyboard.press("Escape")
    order = page.get_by_role("dialog", name="An order")
    expect(order.get_by_label("Quantity")).to_have_value("7")
    # The focus stays inside, whichever way one goes round.
    for _ in range(12):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.closest('.modal') !== null")
    page.reload()
    expect(order.get_by_label("Quantity")).to_have_value("7")
    order.get_by_role("button", name="Close", exact=True).click()
    expect(page.locator(".modal")).to_have_count(0)


def test_what_slack_refuses_is_shown_where_it_would_have_been(page: Page, say: Any):
    say(page, "/omni bad")
    refused = page.locator(".refused")
    expect(refused).to_contain_text("Slack refused chat.postMessage: invalid_blocks")
    expect(refused).to_contain_text("/blocks/0")
    page.locator(".backstage-button").click()
    expect(page.locator(".call.bad", has_text="chat.postMessage")).to_contain_text("invalid_blocks")
    page.locator(".backstage-button").click()
    refused.get_by_role("button", name="Dismiss").click()
    expect(refused).to_have_count(0)


def test_an_app_that_stays_silent_is_said(page: Page, say: Any):
    say(page, "/omni silence")
    expect(page.locator(".toast")).to_contain_text("the app did not respond")


def test_an_apps_home_is_shown(page: Page):
    page.locator(".sidebar").get_by_role("button", name="Omni", exact=False).click()
    page.get_by_role("button", name="Home", exact=True).click()
    expect(page.get_by_role("heading", name="Welcome home")).to_be_visible()
