"""The shapes of elements, and where each may stand."""

from __future__ import annotations

import pytest
from omnibot_sandbox.slack.blocks import validate_message
from omnibot_sandbox.slack.views import validate_view

from sandbox.tests.slack.builders import (
    actions,
    button,
    modal,
    option,
    plain,
    question,
    rich_text,
    section,
    select,
)

TEXT = {"type": "plain_text_input"}
NUMBER = {"type": "number_input", "is_decimal_allowed": False}
RICH = {"type": "rich_text_input", "action_id": "a"}
WORDS = rich_text("section", {"type": "text", "text": "words"})
MULTI = {"type": "multi_static_select", "options": [option()]}
TICKS = {"type": "checkboxes", "options": [option(), option("p", "q")]}

EVERYWHERE = [
    select(),
    {"type": "users_select", "initial_user": "U0ANA00001", "focus_on_load": True},
    {"type": "conversations_select", "default_to_current_conversation": True, "filter": {"include": ["im"]}},
    {"type": "channels_select", "initial_channel": "C0TRADING1", "response_url_enabled": False},
    {"type": "radio_buttons", "options": [option()], "initial_option": option()},
    {**TICKS, "initial_options": [option("p", "q")]},
    {"type": "datepicker", "initial_date": "2026-11-21"},
    {"type": "timepicker", "initial_time": "23:59", "timezone": "America/New_York"},
]
MULTIS = [
    {**MULTI, "initial_options": [option()], "max_selected_items": 1},
    {"type": "multi_users_select", "initial_users": ["U0ANA00001"]},
    {"type": "multi_conversations_select", "filter": {"exclude_bot_users": True}},
    {"type": "multi_channels_select", "placeholder": plain("Which?")},
]
MOMENT = {"type": "datetimepicker", "initial_date_time": 1628633820}
TYPED = [
    {**TEXT, "multiline": True, "min_length": 0, "max_length": 3_000, "initial_value": ""},
    {"type": "email_text_input", "dispatch_action_config": {"trigger_actions_on": ["on_enter_pressed"]}},
    {"type": "url_text_input", "placeholder": plain("https://…")},
    {**NUMBER, "min_value": "-1.5", "max_value": "1e3", "initial_value": "0"},
    {**RICH, "initial_value": WORDS, "min_lines": 1, "max_lines": 100},
]


def refused(block):
    return validate_message([block], "words") != []


@pytest.mark.parametrize("element", EVERYWHERE, ids=lambda element: element["type"])
def test_pickers_of_one_stand_in_rows_beside_sections_and_in_inputs(element):
    assert validate_message([actions(element), section(accessory=element), question(element)], "words") == []
    assert validate_view(modal(actions(element), section(accessory=element), question(element))) == []


@pytest.mark.parametrize("element", MULTIS, ids=lambda element: element["type"])
def test_pickers_of_several_stand_in_no_rows(element):
    assert validate_message([section(accessory=element), question(element)], "words") == []
    assert refused(actions(element))


def test_a_moment_is_picked_in_rows_and_inputs():
    assert validate_message([actions(MOMENT), question(MOMENT)], "words") == []
    assert refused(section(accessory=MOMENT))


@pytest.mark.parametrize("element", TYPED, ids=lambda element: element["type"])
def test_what_is_typed_into_stands_in_inputs_only(element):
    assert validate_message([question(element)], "words") == []
    assert refused(actions(element))
    assert refused(section(accessory=element))


def test_buttons_stand_in_no_inputs():
    assert refused(question(button()))


@pytest.mark.parametrize(
    ("element", "pointer"),
    [
        ({"type": "hologram"}, "/type"),
        ({**TEXT, "min_length": -1}, "/min_length"),
        ({**TEXT, "multiline": "yes"}, "/multiline"),
        ({**TEXT, "dispatch_action_config": {"trigger_actions_on": ["on_blur"]}}, ""),
        ({"type": "number_input"}, ""),
        ({**NUMBER, "min_value": 1}, "/min_value"),
        ({**NUMBER, "max_value": "many"}, "/max_value"),
        ({**NUMBER, "min_value": "2", "max_value": "1"}, "/min_value"),
        ({**NUMBER, "initial_value": "Infinity"}, "/initial_value"),
        ({"type": "rich_text_input"}, ""),
        ({**RICH, "initial_value": "words"}, "/initial_value"),
        ({**RICH, "min_lines": 0}, "/min_lines"),
        ({"type": "datepicker", "initial_date": "2026-13-01"}, "/initial_date"),
        ({"type": "datepicker", "initial_time": "12:00"}, ""),
        ({"type": "timepicker", "initial_time": "24:00"}, "/initial_time"),
        ({"type": "datetimepicker", "initial_date_time": 1_628_633}, "/initial_date_time"),
        ({"type": "datetimepicker", "initial_date_time": "1628633820"}, "/initial_date_time"),
        ({"type": "datetimepicker", "placeholder": plain("When?")}, ""),
        (select(initial_option=option("other")), "/initial_option"),
        ({**MULTI, "initial_options": []}, "/initial_options"),
        ({**MULTI, "initial_options": [option("other")]}, "/initial_options"),
        ({**MULTI, "initial_option": option()}, ""),
        ({**MULTI, "max_selected_items": 0}, "/max_selected_items"),
        ({**TICKS, "placeholder": plain("x")}, ""),
        ({**TICKS, "initial_option": option()}, ""),
        ({"type": "radio_buttons", "options": [option()], "initial_options": [option()]}, ""),
        (select(options=[{**option(), "url": "https://x.test"}]), "/options/0"),
        (select(options=[{**option(), "type": "option"}]), "/options/0"),
        (select(option_groups=[]), ""),
        ({"type": "users_select", "initial_users": ["U0ANA00001"]}, ""),
        ({"type": "users_select", "filter": {"include": ["im"]}}, ""),
        ({"type": "multi_users_select", "initial_users": "U0ANA00001"}, "/initial_users"),
        ({"type": "conversations_select", "filter": {}}, "/filter"),
        ({"type": "conversations_select", "filter": {"include": ["dm"]}}, "/filter/include/0"),
        ({**TEXT, "confirm": {"title": plain("t")}}, "/confirm"),
    ],
)
def test_malformed_elements_are_refused_where_they_are_wrong(element, pointer):
    pointers = [problem.pointer for problem in validate_message([question(element)], "words")]
    assert any(at.startswith("/blocks/0/element" + pointer) for at in pointers), pointers


def test_composition_objects_have_no_type():
    dialog = {name: plain(name) for name in ("title", "text", "confirm", "deny")}
    assert not refused(actions(button(confirm=dialog)))
    assert refused(actions(button(confirm={**dialog, "type": "confirm"})))
