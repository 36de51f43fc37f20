"""What a screen reader is told, read from Chromium's own accessibility tree; and where the focus goes."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.open_page import Stage
from tests.browser.test_workspace import TRADING, post


def nodes(page: Page) -> list[tuple[str, str, dict[str, Any]]]:
    """Role, name and properties of everything in the tree."""
    session = page.context.new_cdp_session(page)
    tree = session.send("Accessibility.getFullAXTree")["nodes"]
    session.detach()
    return [
        (
            node["role"]["value"],
            node.get("name", {}).get("value", "").strip(),
            {one["name"]: one["value"].get("value") for one in node.get("properties", [])},
        )
        for node in tree
        if not node["ignored"]
    ]


#: Roles that say nothing without a name.
NAMED = (
    *("button", "link", "textbox", "combobox", "checkbox", "switch", "radio", "radiogroup", "spinbutton", "searchbox"),
    *("dialog", "alertdialog", "log", "article", "tab", "tablist", "tabpanel", "img", "image", "listbox", "option"),
    *("menu", "menuitem", "navigation", "complementary", "main", "heading", "separator", "Canvas"),
)


def has_names(page: Page) -> None:
    """Everything one can act on, and every region, is called something."""
    found = nodes(page)
    assert len(found) > 50
    assert [(role, properties) for role, name, properties in found if role in NAMED and not name] == []


#: In the page's own source: what is named must have a role, and what is pointed at must be there.
LOOSE_ENDS = """() => {
    const found = [];
    for (const it of document.querySelectorAll("span[aria-label]:not([role]), p[aria-label]:not([role]), "
        + "div[aria-label]:not([role])")) found.push(`a name without a role: ${it.outerHTML}`);
    for (const name of ["aria-controls", "aria-labelledby", "aria-describedby", "aria-activedescendant"]) {
        for (const it of document.querySelectorAll(`[${name}]`)) {
            for (const id of it.getAttribute(name).split(" ")) {
                if (!document.getElementById(id)) found.push(`${name} leads nowhere: ${it.outerHTML}`);
            }
        }
    }
    for (const it of document.querySelectorAll("[aria-expanded=true]:not([aria-controls])")) {
        found.push(`open, but what: ${it.outerHTML}`);
    }
    for (const it of document.querySelectorAll("time")) {
        if (!it.dateTime || Number.isNaN(Date.parse(it.dateTime))) found.push(`no moment: ${it.outerHTML}`);
    }
    return found;
}"""


def whole(page: Page) -> None:
    has_names(page)
    assert page.evaluate(LOOSE_ENDS) == []


def furnished(stage: Stage) -> str:
    """A thread, an answer with buttons, reactions, somebody who waits to be read; gives the thread's root."""
    root = post(stage, "ana", "a question")
    workspace = stage.slack.workspace
    trading, omni = workspace.channel("trading"), workspace.user("omni")
    buttons = [
        {"type": "button", "action_id": f"a{n}", "text": {"type": "plain_text", "text": text}}
        for n, text in enumerate(("Compare to AMD", "Show the chart"))
    ]
    blocks: list[dict[str, Any]] = [
        {
            "type": "markdown",
            "block_id": "m",
            "text": "**AAPL** trades at 210 :rocket: 🚀\n\n| a | b |\n|---|---|\n| 1 | 2 |",
        },
        {"type": "actions", "block_id": "b", "elements": buttons},
    ]
    stage.do(lambda: workspace.post(trading, omni, "AAPL trades at 210", blocks=blocks, thread_ts=root))
    stage.run(stage.slack.react("ben", "trading", root, "eyes"))
    post(stage, "ben", f"<@{workspace.user('ana').id}> look", channel="research")
    return root


def test_composer_messages_buttons_and_regions_have_roles_and_names(stage: Stage, open_page: OpenPage):
    root = furnished(stage)
    page = open_page(f"{stage.address}#ana/{TRADING}/{root}")
    expect(page.get_by_role("textbox", name="Message to #trading")).to_be_visible()
    expect(page.get_by_role("textbox", name="Reply in the thread")).to_be_visible()
    expect(page.get_by_role("main", name="#trading")).to_be_visible()
    expect(page.get_by_role("complementary", name="Thread", exact=True)).to_be_visible()
    expect(page.get_by_role("navigation", name="Channels")).to_be_visible()
    expect(page.get_by_role("log", name="Messages in #trading").get_by_role("article")).to_have_count(1)
    answer = page.get_by_role("log", name="Thread with 1 reply").get_by_role("article", name="Omni")
    expect(answer.get_by_role("button", name="Compare to AMD")).to_be_visible()
    expect(answer.get_by_role("img", name="rocket emoji")).to_be_visible()
    expect(page.get_by_role("main").get_by_role("button", name="eyes: Ben")).to_have_attribute("aria-pressed", "false")
    expect(page.get_by_role("button", name=re.compile(r"^research ?, 1 mention$"))).to_be_visible()
    expect(page.get_by_role("img", name="4 members: ")).to_be_visible()
    expect(page.get_by_role("radiogroup", name="You are").get_by_role("radio", name="Ana")).to_be_checked()
    assert "- article" in page.get_by_role("log", name="Messages in #trading").aria_snapshot()
    whole(page)


def test_every_part_of_the_drawer_has_roles_and_names(stage: Stage, open_page: OpenPage):
    furnished(stage)
    page = open_page(stage.address)
    page.get_by_role("button", name="Backstage").click()
    drawer = page.get_by_role("complementary", name="Backstage")
    page.get_by_role("tab", name="Faults").click()
    drawer.get_by_role("button", name="Clear Street never answers a poll").click()
    drawer.get_by_label("The line to Slack").select_option("latency")
    expect(page.get_by_role("button", name="Backstage, 2 faults in force")).to_be_visible()
    for tab in ("Calls", "Try", "Faults", "Bot & API"):
        page.get_by_role("tab", name=tab).click()
        expect(page.get_by_role("tabpanel", name=tab)).to_be_visible()
        whole(page)


def test_completion_dialogs_and_menus_have_roles_and_names(stage: Stage, open_page: OpenPage):
    root = furnished(stage)
    page = open_page(f"{stage.address}#ana/{TRADING}/{root}")
    composer = page.get_by_role("textbox", name="Message to #trading")
    composer.press_sequentially("@be")
    expect(page.get_by_role("listbox", name="Suggestions").get_by_role("option", name="Ben")).to_have_attribute(
        "aria-selected", "true"
    )
    whole(page)
    composer.press("Escape")
    page.keyboard.press("Control+k")
    switcher = page.get_by_role("dialog", name="Go to")
    expect(switcher.get_by_role("combobox", name="Go to")).to_be_focused()
    whole(page)
    page.keyboard.type("nowhere")
    expect(switcher.get_by_role("option")).to_have_text("Nothing of that name")
    page.keyboard.press("Escape")
    expect(composer).to_be_focused()
    message = page.get_by_role("log", name="Messages in #trading").get_by_role("article")
    message.hover()
    message.get_by_role("button", name="Add a reaction").click()
    expect(message.get_by_role("group", name="Reactions").get_by_role("button", name="eyes")).to_be_visible()
    whole(page)


def test_the_focus_comes_back_from_whatever_takes_it(stage: Stage, open_page: OpenPage):
    root = furnished(stage)
    mine = post(stage, "ana", "mine")
    page = open_page(f"{stage.address}#ana/{TRADING}/{root}")
    composer = page.locator("#composer")

    drawer = page.get_by_role("button", name="Backstage")
    drawer.click()
    page.get_by_role("button", name="Close Backstage").press("Enter")
    expect(drawer).to_be_focused()

    message = page.locator(f".channel .message[data-ts='{mine}']")
    message.hover()
    smile = message.get_by_role("button", name="Add a reaction")
    smile.click()
    expect(message.get_by_role("group", name="Reactions").get_by_role("button").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(smile).to_be_focused()
    smile.press("Enter")
    message.get_by_role("button", name="tada").click()
    expect(smile).to_be_focused()

    pencil = message.get_by_role("button", name="Edit message")
    pencil.press("Enter")
    expect(message.get_by_role("textbox", name="Edit message")).to_be_focused()
    page.keyboard.press("Escape")
    expect(pencil).to_be_focused()

    bin_ = message.get_by_role("button", name="Delete message")
    bin_.press("Enter")
    asking = page.get_by_role("alertdialog", name="Delete message")
    expect(asking.get_by_role("button", name="Delete")).to_be_focused()
    page.keyboard.press("Escape")
    expect(bin_).to_be_focused()
    bin_.press("Enter")
    asking.get_by_role("button", name="Delete").click()
    expect(message).to_have_count(0)
    expect(composer).to_be_focused()

    page.get_by_role("button", name="Close thread").press("Enter")
    expect(page.locator(".thread")).to_have_count(0)
    expect(composer).to_be_focused()


def test_arrows_choose_who_one_is_and_stay_there(stage: Stage, open_page: OpenPage):
    page = open_page(stage.address)
    you = page.get_by_role("radiogroup", name="You are")
    you.get_by_role("radio", name="Ana").focus()
    for name in ("Ben", "Cleo", "Dan"):
        page.keyboard.press("ArrowRight")
        expect(you.get_by_role("radio", name=name)).to_be_checked()
        expect(page.locator(".workspace")).to_have_attribute("aria-busy", "false")
        expect(you.get_by_role("radio", name=name)).to_be_focused()
    expect(page.get_by_role("main", name="#client-desk")).to_be_visible()
    page.keyboard.press("Home")
    expect(you.get_by_role("radio", name="Ana")).to_be_checked()
