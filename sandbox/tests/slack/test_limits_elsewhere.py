"""The table of limits held to others' knowledge: Slack's own SDK, and what the bot composes by."""

from __future__ import annotations

import pytest
from omnibot_sandbox.slack.limits import LIMITS
from slack_sdk.models import blocks as sdk
from slack_sdk.models.blocks import basic_components, block_elements
from slack_sdk.models.views import View

from omnibot.blocks import limits
from sandbox.tests.slack.test_limits import EDGES, outcome

#: Where slack_sdk writes down the same limit.
IN_THE_SDK = {
    "message.markdown": sdk.MarkdownBlock.text_max_length,
    "view.blocks": View.blocks_max_length,
    "view.title": View.title_max_length,
    "view.submit": View.submit_max_length,
    "view.close": View.close_max_length,
    "view.callback_id": View.callback_id_max_length,
    "view.private_metadata": View.private_metadata_max_length,
    "input.label": sdk.InputBlock.label_max_length,
    "input.hint": sdk.InputBlock.hint_max_length,
    "block_id": sdk.Block.block_id_max_length,
    "action_id": block_elements.InteractiveElement.action_id_max_length,
    "section.text": sdk.SectionBlock.text_max_length,
    "section.fields": sdk.SectionBlock.fields_max_length,
    "header.text": sdk.HeaderBlock.text_max_length,
    "context.elements": sdk.ContextBlock.elements_max_length,
    "actions.elements": sdk.ActionsBlock.elements_max_length,
    "context_actions.elements": sdk.ContextActionsBlock.elements_max_length,
    "image.image_url": sdk.ImageBlock.image_url_max_length,
    "image.alt_text": sdk.ImageBlock.alt_text_max_length,
    "image.title": sdk.ImageBlock.title_max_length,
    "card.title": sdk.CardBlock.title_max_length,
    "card.subtitle": sdk.CardBlock.subtitle_max_length,
    "card.body": sdk.CardBlock.body_max_length,
    "carousel.elements": sdk.CarouselBlock.elements_max_length,
    "container.title": sdk.ContainerBlock.title_max_length,
    "container.subtitle": sdk.ContainerBlock.subtitle_max_length,
    "container.child_blocks": sdk.ContainerBlock.child_blocks_max_length,
    "button.text": block_elements.ButtonElement.text_max_length,
    "button.value": block_elements.ButtonElement.value_max_length,
    "button.url": block_elements.ButtonElement.url_max_length,
    "button.agent_prompt": block_elements.ButtonElement.agent_prompt_max_length,
    "feedback.text": basic_components.FeedbackButtonObject.text_max_length,
    "feedback.value": basic_components.FeedbackButtonObject.value_max_length,
    "overflow.options": block_elements.OverflowMenuElement.options_max_length,
    "select.options": block_elements.StaticSelectElement.options_max_length,
    "select.option_groups": block_elements.StaticSelectElement.option_groups_max_length,
    "select.placeholder": block_elements.InputInteractiveElement.placeholder_max_length,
    "option.text": basic_components.Option.label_max_length,
    "option.value": basic_components.Option.value_max_length,
    "option_group.label": basic_components.OptionGroup.label_max_length,
    "confirm.title": basic_components.ConfirmObject.title_max_length,
    "confirm.text": basic_components.ConfirmObject.text_max_length,
    "confirm.confirm": basic_components.ConfirmObject.confirm_max_length,
    "confirm.deny": basic_components.ConfirmObject.deny_max_length,
}

#: The same limit by the bot's own table.
IN_THE_BOT = {
    "message.blocks": limits.BLOCKS,
    "message.text in blocks": limits.BLOCK_TEXT,
    "message.markdown": limits.MARKDOWN_TEXT,
    "message.tables": limits.TABLES,
    "message.charts": limits.CHARTS,
    "view.blocks": limits.VIEW_BLOCKS,
    "section.text": limits.SECTION_TEXT,
    "button.text": limits.BUTTON_TEXT,
    "button.value": limits.BUTTON_VALUE,
}

#: Of these there must be one at least.
NOT_EMPTY = (
    *("section.fields", "context.elements", "actions.elements", "context_actions.elements", "table.rows"),
    *("table.cells in a row", "data_table.page_size", "chart.segments", "chart.series", "chart.categories"),
    *("carousel.elements", "overflow.options", "select.options", "choices.options", "prompts", "rich_text_input.lines"),
    *("section.text", "header.text", "button.text", "option.text", "confirm.text", "chart.title", "input.label"),
    *("view.title", "session.title", "task.title", "block_id", "action_id"),
)


@pytest.mark.parametrize("name", IN_THE_SDK)
def test_the_limit_is_the_one_of_slacks_own_sdk(name):
    assert LIMITS[name] == IN_THE_SDK[name]


@pytest.mark.parametrize("name", IN_THE_BOT)
def test_the_bot_composes_by_the_limit_it_is_held_to(name):
    assert LIMITS[name] == IN_THE_BOT[name]


@pytest.mark.parametrize("name", NOT_EMPTY)
def test_one_is_enough_and_none_is_refused(name):
    assert outcome(EDGES[name](1)) == "ok"
    assert outcome(EDGES[name](0)).startswith("invalid_")
