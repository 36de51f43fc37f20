"""Buttons, menus and inputs: what a person does to them is what Slack would report."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.block_gallery import Gallery

JSON = dict[str, Any]


def plain(text: str) -> JSON:
    return {"type": "plain_text", "text": text}


def option(text: str, value: str, **more: Any) -> JSON:
    return {"text": plain(text), "value": value, **more}


def button(text: str = "Send", **more: Any) -> JSON:
    return {"type": "button", "action_id": "press", "text": plain(text), **more}


def actions(*elements: JSON) -> JSON:
    return {"type": "actions", "block_id": "row", "elements": list(elements)}


def asks(element: JSON, **more: Any) -> JSON:
    return {"type": "input", "block_id": "ask", "label": plain("Question"), "element": element, **more}


CONFIRM = {
    "title": plain("Send this order?"),
    "text": {"type": "mrkdwn", "text": "*100 AAPL* at market"},
    "confirm": plain("Send order"),
    "deny": plain("Not yet"),
}
APPLE, NVIDIA, EXXON = option("Apple", "AAPL"), option("NVIDIA", "NVDA"), option("Exxon", "XOM")
SELECT: JSON = {"type": "static_select", "action_id": "pick", "options": [APPLE, NVIDIA, EXXON]}


def dialog(gallery: Gallery) -> Locator:
    return gallery.page.get_by_role("dialog")


def test_a_button_reports_its_press_with_its_block(gallery: Gallery):
    gallery.show(actions(button(value="v", accessibility_label="Send the order")))
    gallery.root.get_by_role("button", name="Send the order").click()
    assert gallery.acted(1) == [["row", "press", {}]]


def test_a_confirm_dialog_holds_the_press_until_agreed(gallery: Gallery):
    gallery.show(actions(button(confirm=CONFIRM)))
    send = gallery.root.get_by_role("button", name="Send")
    for refuse in ("Not yet", "Close"):
        send.click()
        expect(dialog(gallery)).to_contain_text("100 AAPL at market")
        dialog(gallery).get_by_role("button", name=refuse).click()
        expect(dialog(gallery)).to_have_count(0)
    send.click()
    expect(dialog(gallery)).to_be_visible()
    gallery.page.keyboard.press("Escape")
    expect(dialog(gallery)).to_have_count(0)
    expect(send).to_be_focused()
    gallery.acted(0)
    send.click()
    dialog(gallery).get_by_role("button", name="Send order").click()
    gallery.acted(1)


def test_a_button_is_busy_while_its_press_is_under_way(gallery: Gallery):
    gallery.show(actions(button()), hold=True)
    send = gallery.root.get_by_role("button", name="Send")
    send.click()
    expect(send).to_have_attribute("aria-busy", "true")
    expect(send).to_be_disabled()
    send.dispatch_event("click")
    gallery.acted(1)
    gallery.release()
    expect(send).to_have_attribute("aria-busy", "false")


def test_a_button_that_another_tab_presses_is_busy_too(gallery: Gallery):
    gallery.show(actions(button()), busy=["press"])
    expect(gallery.root.get_by_role("button", name="Send")).to_be_disabled()


def test_what_went_wrong_is_said_beside_the_button(gallery: Gallery):
    gallery.show(actions(button()), answer={"ok": False, "error": "The bot is away."})
    gallery.root.get_by_role("button", name="Send").click()
    expect(gallery.root.get_by_role("alert")).to_contain_text("The bot is away.")


def test_a_link_button_opens_its_address_and_reports(gallery: Gallery):
    gallery.show(actions(button(url="https://docs.example/")))
    link = gallery.root.get_by_role("link", name="Send")
    expect(link).to_have_attribute("href", "https://docs.example/")
    expect(link).to_have_attribute("rel", "noopener noreferrer")
    gallery.page.context.route("https://docs.example/**", lambda route: route.fulfill(body="docs"))
    with gallery.page.context.expect_page() as opened:
        link.click()
    opened.value.close()
    assert gallery.acted(1)[0][1] == "press"


def test_what_is_for_others_is_not_shown(gallery: Gallery):
    others = button("Theirs", visible_to_user_ids=["U0BEN00001"])
    mine = button("Mine", visible_to_user_ids=["U0ANA00001"], action_id="mine")
    gallery.show(actions(others, mine))
    expect(gallery.root.get_by_role("button")).to_have_text(["Mine"])


def test_feedback_reports_its_value_and_stays_pressed(gallery: Gallery):
    sides = {f"{side}_button": {"text": plain(side), "value": f"{side}!"} for side in ("positive", "negative")}
    feedback = {"type": "feedback_buttons", "action_id": "rate", **sides}
    gallery.show({"type": "context_actions", "block_id": "row", "elements": [feedback]})
    good = gallery.root.get_by_role("button", name="positive")
    good.click()
    expect(good).to_have_attribute("aria-pressed", "true")
    assert gallery.acted(1) == [["row", "rate", {"value": "positive!", "text": plain("positive")}]]


def test_an_icon_button_has_words_and_reports(gallery: Gallery):
    bin_ = {"type": "icon_button", "icon": "trash", "text": plain("Delete"), "action_id": "bin", "confirm": CONFIRM}
    gallery.show({"type": "context_actions", "elements": [bin_]})
    gallery.root.get_by_role("button", name="Delete").click()
    dialog(gallery).get_by_role("button", name="Send order").click()
    assert gallery.acted(1)[0][1] == "bin"


def test_an_overflow_menu_is_worked_by_keyboard(gallery: Gallery):
    menu = {"type": "overflow", "action_id": "more", "options": [option("Edit", "e"), option("Delete", "d")]}
    gallery.show(actions(menu))
    dots = gallery.root.get_by_role("button", name="More actions")
    dots.press("Enter")
    expect(gallery.root.get_by_role("menuitem", name="Edit")).to_be_focused()
    gallery.page.keyboard.press("Escape")
    expect(dots).to_be_focused()
    dots.press("Enter")
    expect(gallery.root.get_by_role("menuitem", name="Edit")).to_be_focused()
    gallery.page.keyboard.press("ArrowDown")
    gallery.page.keyboard.press("Enter")
    assert gallery.acted(1) == [["row", "more", {"selected_option": option("Delete", "d")}]]


def test_a_select_filters_as_one_types(gallery: Gallery):
    gallery.show(actions(SELECT))
    box = gallery.root.get_by_role("combobox")
    box.click()
    expect(gallery.root.get_by_role("option")).to_have_text(["Apple", "NVIDIA", "Exxon"])
    box.press_sequentially("nvi")
    expect(gallery.root.get_by_role("option")).to_have_text(["NVIDIA"])
    box.press("Enter")
    expect(box).to_have_value("NVIDIA")
    expect(box).to_have_attribute("aria-expanded", "false")
    assert gallery.acted(1) == [["row", "pick", {"selected_option": NVIDIA}]]
    assert gallery.values()["row"]["pick"] == {"type": "static_select", "selected_option": NVIDIA}


def test_a_select_is_worked_by_mouse_and_closes_without_choice(gallery: Gallery):
    gallery.show(actions({**SELECT, "initial_option": EXXON}))
    box = gallery.root.get_by_role("combobox")
    expect(box).to_have_value("Exxon")
    box.click()
    gallery.page.keyboard.press("Escape")
    expect(gallery.root.get_by_role("listbox")).to_have_count(0)
    box.click()
    gallery.page.mouse.click(900, 700)
    expect(gallery.root.get_by_role("listbox")).to_have_count(0)
    gallery.acted(0)
    box.click()
    gallery.root.get_by_role("option", name="Apple").click()
    assert gallery.acted(1)[0][2] == {"selected_option": APPLE}
    expect(gallery.root.get_by_role("listbox")).to_have_count(0)


def test_a_refused_selection_changes_nothing(gallery: Gallery):
    gallery.show(actions({**SELECT, "initial_option": APPLE, "confirm": CONFIRM}))
    box = gallery.root.get_by_role("combobox")
    box.click()
    gallery.root.get_by_role("option", name="Exxon").click()
    dialog(gallery).get_by_role("button", name="Not yet").click()
    expect(box).to_have_value("Apple")
    gallery.acted(0)


def test_groups_of_options_have_headings(gallery: Gallery):
    groups = [{"label": plain("Cash"), "options": [APPLE]}, {"label": plain("Margin"), "options": [EXXON]}]
    gallery.show(asks({"type": "static_select", "action_id": "pick", "option_groups": groups}), surface="modal")
    gallery.root.get_by_role("combobox", name="Question").press("ArrowDown")
    expect(gallery.root.get_by_role("listbox").locator("li")).to_have_text(["Cash", "Apple", "Margin", "Exxon"])


def test_several_are_chosen_up_to_the_most_allowed(gallery: Gallery):
    many = {**SELECT, "type": "multi_static_select", "max_selected_items": 2, "initial_options": [APPLE]}
    gallery.show(asks(many), surface="modal")
    box = gallery.root.get_by_role("combobox", name="Question")
    box.click()
    for name in ("NVIDIA", "Exxon"):
        gallery.root.get_by_role("option", name=name).click()
    assert gallery.values()["ask"]["pick"]["selected_options"] == [APPLE, NVIDIA]
    box.press("Backspace")
    gallery.root.get_by_role("button", name="Remove Apple").click()
    assert gallery.values()["ask"]["pick"]["selected_options"] == []
    gallery.acted(0)


@pytest.mark.parametrize(
    ("kind", "offered", "chosen", "entry"),
    [
        ("users_select", ["Ana", "Ben", "Omni"], "Ben", {"selected_user": "U0BEN00001"}),
        ("channels_select", ["#research", "#trading"], "#trading", {"selected_channel": "C0TRADING1"}),
        (
            "conversations_select",
            ["#research", "#trading", "Ana", "Ben", "Omni"],
            "Ana",
            {"selected_conversation": "U0ANA00001"},
        ),
        ("multi_users_select", ["Ana", "Ben", "Omni"], "Ana", {"selected_users": ["U0ANA00001"]}),
    ],
)
def test_people_and_channels_are_offered_but_no_secret_ones(
    gallery: Gallery, kind: str, offered: list[str], chosen: str, entry: JSON
):
    gallery.show(asks({"type": kind, "action_id": "who"}), surface="modal")
    gallery.root.get_by_role("combobox").click()
    expect(gallery.root.get_by_role("option")).to_have_text(offered)
    gallery.root.get_by_role("option", name=chosen).click()
    assert gallery.values()["ask"]["who"] == {"type": kind, **entry}


@pytest.mark.parametrize(
    ("element", "typed", "entry"),
    [
        ({"type": "plain_text_input"}, "some words", {"value": "some words"}),
        ({"type": "plain_text_input", "multiline": True}, "two\nlines", {"value": "two\nlines"}),
        ({"type": "plain_text_input", "initial_value": "x"}, "", {"value": None}),
        ({"type": "number_input", "is_decimal_allowed": True}, "-10.5", {"value": "-10.5"}),
        ({"type": "email_text_input"}, "ana@example.com", {"value": "ana@example.com"}),
        ({"type": "url_text_input"}, "https://example.com", {"value": "https://example.com"}),
        ({"type": "datepicker"}, "2026-12-31", {"selected_date": "2026-12-31"}),
        ({"type": "timepicker"}, "09:30", {"selected_time": "09:30"}),
        ({"type": "datetimepicker"}, "1970-01-02T00:00", {"selected_date_time": 86_400}),
        (
            {"type": "rich_text_input"},
            "words",
            {
                "rich_text_value": {
                    "type": "rich_text",
                    "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "words"}]}],
                }
            },
        ),
    ],
    ids=lambda value: value.get("type") if isinstance(value, dict) else None,
)
def test_what_is_typed_is_what_slack_reports(gallery: Gallery, element: JSON, typed: str, entry: JSON):
    gallery.show(asks({**element, "action_id": "say"}), surface="modal")
    field = gallery.root.get_by_label("Question")
    field.fill(typed)
    field.dispatch_event("change")
    assert gallery.values()["ask"]["say"] == {"type": element["type"], **entry}
    gallery.acted(0)


def test_an_untouched_form_reports_what_it_began_with(gallery: Gallery):
    gallery.show(
        asks({"type": "plain_text_input", "action_id": "a", "initial_value": "words"}),
        {"type": "section", "block_id": "side", "text": plain("x"), "accessory": {**SELECT, "initial_option": APPLE}},
        actions({"type": "checkboxes", "action_id": "c", "options": [APPLE]}, button()),
        {"type": "container", "title": plain("In"), "child_blocks": [{**actions(SELECT), "block_id": "inner"}]},
        surface="modal",
    )
    assert gallery.values() == {
        "ask": {"a": {"type": "plain_text_input", "value": "words"}},
        "side": {"pick": {"type": "static_select", "selected_option": APPLE}},
        "row": {"c": {"type": "checkboxes", "selected_options": []}},
        "inner": {"pick": {"type": "static_select", "selected_option": None}},
    }


def test_checkboxes_and_radio_buttons_report_their_options(gallery: Gallery):
    boxes = {"type": "checkboxes", "action_id": "boxes", "options": [APPLE, NVIDIA], "initial_options": [APPLE]}
    radios = {"type": "radio_buttons", "action_id": "radios", "options": [APPLE, NVIDIA]}
    gallery.show(asks(boxes), actions(radios), surface="modal")
    gallery.root.get_by_role("checkbox", name="NVIDIA").check()
    gallery.root.get_by_role("checkbox", name="Apple").uncheck()
    gallery.root.get_by_role("radio", name="Apple").check()
    gallery.root.get_by_role("radio", name="NVIDIA").check()
    assert gallery.values()["ask"]["boxes"]["selected_options"] == [NVIDIA]
    assert gallery.values()["row"]["radios"]["selected_option"] == NVIDIA
    assert gallery.acted(2) == [
        ["row", "radios", {"selected_option": APPLE}],
        ["row", "radios", {"selected_option": NVIDIA}],
    ]


def test_a_refused_tick_is_taken_back(gallery: Gallery):
    boxes = {"type": "checkboxes", "action_id": "boxes", "options": [APPLE], "confirm": CONFIRM}
    gallery.show(actions(boxes))
    tick = gallery.root.get_by_role("checkbox", name="Apple")
    tick.click()
    expect(gallery.root.locator("input")).not_to_be_checked()
    dialog(gallery).get_by_role("button", name="Not yet").click()
    expect(tick).not_to_be_checked()
    gallery.acted(0)


def test_an_input_tells_the_app_at_enter_only_if_it_is_to(gallery: Gallery):
    field = {"type": "plain_text_input", "action_id": "say"}
    gallery.show(asks(field, dispatch_action=True), surface="modal")
    gallery.root.get_by_label("Question").fill("words")
    gallery.acted(0)
    gallery.root.get_by_label("Question").press("Enter")
    assert gallery.acted(1) == [["ask", "say", {"value": "words"}]]
    config = {"trigger_actions_on": ["on_character_entered"]}
    gallery.show(asks({**field, "dispatch_action_config": config}, dispatch_action=True), surface="modal")
    gallery.root.get_by_label("Question").press_sequentially("ab")
    assert [value for _, _, value in gallery.acted(2)] == [{"value": "a"}, {"value": "ab"}]


def test_an_input_has_its_label_hint_and_error(gallery: Gallery):
    block = asks(
        {"type": "plain_text_input", "action_id": "say", "max_length": 20}, hint=plain("A hint."), optional=True
    )
    gallery.show(block, surface="modal", errors={"ask": "Not like that."})
    field = gallery.root.get_by_label("Question (optional)")
    expect(field).to_have_accessible_description("A hint. Not like that.")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_attribute("maxlength", "20")
    field.fill("four")
    expect(gallery.root).to_contain_text("16 characters left")


def test_focus_begins_where_the_app_wants_it(gallery: Gallery):
    first = asks({"type": "plain_text_input", "action_id": "a"})
    second = {**asks({"type": "plain_text_input", "action_id": "b", "focus_on_load": True}), "block_id": "two"}
    gallery.show(first, second, surface="modal")
    expect(gallery.root.locator("[data-action=b]")).to_be_focused()


def test_what_is_entered_survives_an_update_of_the_message(gallery: Gallery):
    gallery.show(asks({"type": "plain_text_input", "action_id": "say"}), actions(SELECT))
    gallery.root.get_by_label("Question").fill("half a tho")
    gallery.change(asks({"type": "plain_text_input", "action_id": "say"}), actions(SELECT), actions(button()))
    expect(gallery.root.get_by_label("Question")).to_have_value("half a tho")
    expect(gallery.root.get_by_label("Question")).to_be_focused()
