"""The limits Slack sets to messages and views: characters, or items where the name is a plural.

Slack's pages of different ages disagree about some; the newer number stands here, with the older one beside it.
"""

LIMITS = {
    # messages
    "message.text": 40_000,  # what is beyond is cut off; everything else beyond a limit is refused
    "update.text": 4_000,
    "message.metadata": 16_384,
    "message.blocks": 50,  # also what they expand to: a markdown block counts once per heading, divider, table and run
    "message.text in blocks": 13_200,
    "message.tables": 1,
    "message.table text": 10_000,
    "message.data_table text": 20_000,  # of one data table, and of all in a message
    "message.charts": 2,  # documented nowhere but in Slack's own design guide; seen refused
    "message.markdown": 12_000,
    # streams
    "stream.bytes": 11_000,  # of all that a stream holds, details and output of its tasks counted twice; measured
    "task.title": 256,
    "plan.title": 256,
    # agent sessions and the top of the Messages tab
    "session.title": 200,
    "prompts": 4,
    # files
    "file.alt_txt": 1_000,
    "file.snippet": 1_000_000,
    # the line that says what the bot is doing
    "status.loading_messages": 10,
    "status.loading_message": 50,
    # views
    "view.json": 250_000,
    "view.blocks": 100,
    "view.title": 24,
    "view.submit": 24,
    "view.close": 24,
    "view.callback_id": 255,
    "view.external_id": 255,
    "view.private_metadata": 3_000,
    "view.stack": 3,
    "input.label": 2_000,
    "input.hint": 2_000,
    "plain_text_input.max_length": 3_000,
    "choices.options": 10,
    "rich_text_input.lines": 100,
    # any block or element
    "block_id": 255,
    "action_id": 255,
    # blocks
    "section.text": 3_000,
    "section.fields": 10,
    "section.field": 2_000,
    "header.text": 150,
    "context.elements": 10,
    "actions.elements": 25,
    "context_actions.elements": 5,
    "image.image_url": 3_000,
    "image.alt_text": 2_000,
    "image.title": 2_000,
    "table.rows": 100,
    "table.cells in a row": 20,
    "data_table.rows": 201,  # header and 200; the page of May 2026 said 101
    "data_table.cells in a row": 20,
    "data_table.page_size": 100,
    "chart.title": 50,
    "chart.segments": 12,  # the page of June 2026 said 6, as for the series
    "chart.series": 12,
    "chart.categories": 20,
    "chart.label": 20,
    "chart.axis_label": 50,
    "plan.tasks": 50,
    "card.title": 150,
    "card.subtitle": 150,
    "card.body": 200,
    "card.actions": 3,
    "carousel.elements": 10,
    "container.title": 150,
    "container.subtitle": 150,
    "container.child_blocks": 10,
    "alert.text": 200,
    # elements
    "button.text": 75,
    "button.value": 2_000,
    "button.url": 3_000,
    "button.accessibility_label": 75,
    "button.agent_prompt": 4_000,
    "visible_to_user_ids": 10,
    "feedback.text": 75,
    "feedback.value": 2_000,
    "overflow.options": 5,
    "select.options": 100,
    "select.option_groups": 100,
    "select.placeholder": 150,
    "option.text": 75,
    "option.value": 150,
    "option.description": 75,
    "option_group.label": 75,
    "confirm.title": 100,
    "confirm.text": 300,
    "confirm.confirm": 30,
    "confirm.deny": 30,
}
