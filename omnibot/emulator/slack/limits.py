"""The limits Slack sets to messages: characters, unless the name says otherwise."""

LIMITS = {
    # messages
    "message.blocks": 50,  # also what they expand to: a markdown block counts once per heading, divider, table and run
    "message.text in blocks": 13_200,
    "message.tables": 1,
    "message.table text": 10_000,
    "message.markdown": 12_000,
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
    # elements
    "button.text": 75,
    "button.value": 2_000,
    "button.url": 3_000,
    "button.accessibility_label": 75,
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
