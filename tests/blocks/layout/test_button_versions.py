"""A form belongs to the version it was opened for: its name and what it carries say so together."""

from typing import Any

import pytest

from omnibot.blocks.layout.button_versions import ClickedButton, pattern, read_form_click

FORM = {"callback_id": "order_edit:1.0.ab", "private_metadata": "token~1.0.ab"}


def test_a_form_says_what_it_was_opened_for():
    assert read_form_click(FORM) == ClickedButton("token", "1.0.ab")


@pytest.mark.parametrize(
    "hostile",
    [
        {"callback_id": None},
        {"callback_id": "order_edit"},
        {"callback_id": "order_edit:2.0.ab"},
        {"private_metadata": None},
        {"private_metadata": ""},
        {"private_metadata": "token"},
        {"private_metadata": "token~2.0.ab"},
        {"private_metadata": "token~1.0.ab,other~1.0.ab"},
        {"callback_id": None, "private_metadata": None},
    ],
)
def test_a_form_of_two_versions_or_that_makes_no_sense_was_opened_for_nothing(hostile: dict[str, Any]):
    assert read_form_click(FORM | hostile) is None


def test_a_button_is_known_by_its_name_in_any_version_and_another_is_not():
    known = pattern("order_approve")
    assert all(known.match(name) for name in ("order_approve", "order_approve:1.0.ab", "order_approve:2.0.cd"))
    assert not any(known.match(name) for name in ("order_approve_all:1.0.ab", "order_decline:1.0.ab", "order_approve:"))
