"""Every limit of the emulator, at the edge and one past it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from omnibot_sandbox.slack import view_stack
from omnibot_sandbox.slack.arguments import SlackError
from omnibot_sandbox.slack.limits import LIMITS
from omnibot_sandbox.slack.methods import METHODS
from omnibot_sandbox.slack.workspace import BOT_USER_ID, Trigger, Workspace

from sandbox.tests.slack import agent_edges, block_edges
from sandbox.tests.slack.builders import (
    actions,
    button,
    confirm,
    feedback,
    image,
    markdown,
    modal,
    option,
    overflow,
    plain,
    question,
    section,
    select,
    table,
    url,
)

Request = tuple[str, dict[str, Any]]

CHANNEL = "C0TRADING1"


def posted(*blocks: Any) -> Request:
    return "chat.postMessage", {"channel": CHANNEL, "text": "words", "blocks": list(blocks)}


def opened(*blocks: Any, **over: Any) -> Request:
    return "views.open", {"trigger_id": "fresh", "view": modal(*blocks, **over)}


def status(*lines: str) -> Request:
    args = {"channel_id": CHANNEL, "thread_ts": "own", "status": "is thinking…", "loading_messages": list(lines)}
    return "assistant.threads.setStatus", args


def metadata(length: int) -> Request:
    empty: dict[str, Any] = {"event_type": "turn", "event_payload": {"x": ""}}
    empty["event_payload"]["x"] = "x" * (length - len(json.dumps(empty)))
    return "chat.postMessage", {"channel": CHANNEL, "text": "words", "metadata": empty}


def whole_view(length: int) -> Request:
    """A view whose JSON is this long."""

    def view(size: int) -> dict[str, Any]:
        blocks = [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": []}]}]
        blocks[0]["elements"][0]["elements"].append({"type": "text", "text": "x" * size})  # type: ignore[index]
        return modal(*blocks)

    return "views.open", {"trigger_id": "fresh", "view": view(length - len(json.dumps(view(0))))}


def groups(count: int, label: str = "l") -> dict[str, Any]:
    return {"type": "static_select", "option_groups": [{"label": plain(label), "options": [option()]}] * count}


#: name of the limit → a call that uses n of it
EDGES = {
    "message.text": lambda n: ("chat.postMessage", {"channel": CHANNEL, "text": "x" * n}),
    "update.text": lambda n: ("chat.update", {"channel": CHANNEL, "ts": "own", "text": "x" * n}),
    "message.metadata": metadata,
    "message.blocks": lambda n: posted(*[{"type": "divider"}] * n),
    "message.markdown": lambda n: posted(markdown("x" * 5_000), markdown("x" * (n - 5_000))),
    "message.text in blocks": lambda n: posted(markdown("x" * 11_000), section(text=plain("x" * (n - 11_000)))),
    "message.tables": lambda n: posted(*[table()] * (n - 1), markdown("|a|\n|-|\n|b|")),
    "message.table text": lambda n: posted(table(text="x" * n)),
    "status.loading_messages": lambda n: status(*["x"] * n),
    "status.loading_message": lambda n: status("x" * n),
    "view.json": whole_view,
    "view.blocks": lambda n: opened(*[{"type": "divider"}] * n),
    "view.title": lambda n: opened(title=plain("x" * n)),
    "view.submit": lambda n: opened(submit=plain("x" * n)),
    "view.close": lambda n: opened(close=plain("x" * n)),
    "view.callback_id": lambda n: opened(callback_id="x" * n),
    "view.external_id": lambda n: opened(external_id="x" * n),
    "view.private_metadata": lambda n: opened(private_metadata="x" * n),
    "input.label": lambda n: opened(question(label=plain("x" * n))),
    "input.hint": lambda n: opened(question(hint=plain("x" * n))),
    "plain_text_input.max_length": lambda n: opened(question({"type": "plain_text_input", "max_length": n})),
    "choices.options": lambda n: opened(question({"type": "checkboxes", "options": [option()] * n})),
    "block_id": lambda n: posted({"type": "divider", "block_id": "x" * n}),
    "action_id": lambda n: posted(actions(button(action_id="x" * n))),
    "section.text": lambda n: posted(section(text=plain("x" * n))),
    "section.fields": lambda n: posted(section(fields=[plain("x")] * n)),
    "section.field": lambda n: posted(section(fields=[plain("x" * n)])),
    "header.text": lambda n: posted({"type": "header", "text": plain("x" * n)}),
    "context.elements": lambda n: posted({"type": "context", "elements": [plain("x")] * n}),
    "actions.elements": lambda n: posted(actions(*[button()] * n)),
    "context_actions.elements": lambda n: posted({"type": "context_actions", "elements": feedback()["elements"] * n}),
    "image.image_url": lambda n: posted(image(image_url=url(n))),
    "image.alt_text": lambda n: posted(image(alt_text="x" * n)),
    "image.title": lambda n: posted(image(title=plain("x" * n))),
    "table.rows": lambda n: posted(table(rows=n)),
    "table.cells in a row": lambda n: posted(table(cells=n)),
    "button.text": lambda n: posted(actions(button(text=plain("x" * n)))),
    "button.value": lambda n: posted(actions(button(value="x" * n))),
    "button.url": lambda n: posted(actions(button(url=url(n)))),
    "button.accessibility_label": lambda n: posted(actions(button(accessibility_label="x" * n))),
    "button.agent_prompt": lambda n: posted(actions(button(agent_prompt="x" * n))),
    "visible_to_user_ids": lambda n: posted(actions(button(visible_to_user_ids=["U0ANA00001"] * n))),
    "feedback.text": lambda n: posted(feedback(text="x" * n)),
    "feedback.value": lambda n: posted(feedback(value="x" * n)),
    "overflow.options": lambda n: posted(actions(overflow(*[option()] * n))),
    "select.options": lambda n: posted(actions(select(options=[option()] * n))),
    "select.option_groups": lambda n: posted(actions(groups(n))),
    "select.placeholder": lambda n: posted(actions(select(placeholder=plain("x" * n)))),
    "option.text": lambda n: posted(actions(select(options=[option(text="x" * n)]))),
    "option.value": lambda n: posted(actions(select(options=[option(value="x" * n)]))),
    "option.description": lambda n: posted(actions(select(options=[option(description=plain("x" * n))]))),
    "option_group.label": lambda n: posted(actions(groups(1, "x" * n))),
    "confirm.title": lambda n: posted(confirm(title=plain("x" * n))),
    "confirm.text": lambda n: posted(confirm(text=plain("x" * n))),
    "confirm.confirm": lambda n: posted(confirm(confirm=plain("x" * n))),
    "confirm.deny": lambda n: posted(confirm(deny=plain("x" * n))),
    **agent_edges.EDGES,
    **block_edges.EDGES,
}
#: The error codes that are not simply those of the method.
CODES = {
    "message.markdown": "msg_too_long",
    "message.tables": "invalid_attachments",
    "message.text in blocks": "msg_blocks_too_long",
    "message.metadata": "metadata_too_large",
    "update.text": "msg_too_long",
    "view.json": "view_too_large",
    **agent_edges.CODES,
    **block_edges.CODES,
}
CODES_OF_METHODS = {
    "chat.postMessage": "invalid_blocks",
    "views.open": "invalid_arguments",
    "assistant.threads.setStatus": "invalid_arguments",
}
CUT_OFF = {"message.text"}


def outcome(request: Request) -> str:
    """Ask a fresh workspace: "ok", or the error."""
    method, args = request
    workspace = Workspace()
    channel = workspace.channel(CHANNEL)
    own = workspace.post(channel, workspace.users[BOT_USER_ID], "own").ts
    workspace.triggers["fresh"] = Trigger("U0ANA00001")
    args = {name: own if value == "own" else value for name, value in args.items()}
    for _ in range(args.pop("modals", 0)):
        below = view_stack.push(workspace, "U0ANA00001", modal(), on="the one below")
        workspace.triggers["fresh"].view_id = below["id"]
    try:
        METHODS[method](workspace, args)
    except SlackError as error:
        return error.error
    return "ok"


def test_every_limit_has_its_edge():
    assert EDGES.keys() == LIMITS.keys()


@pytest.mark.parametrize("name", LIMITS)
def test_the_limit_holds_and_one_more_is_too_much(name):
    most, edge = LIMITS[name], EDGES[name]
    assert outcome(edge(most)) == "ok"
    past = edge(most + 1)
    assert outcome(past) == ("ok" if name in CUT_OFF else CODES.get(name, CODES_OF_METHODS.get(past[0])))


def test_a_text_beyond_the_limit_is_cut_off():
    workspace = Workspace()
    method, args = EDGES["message.text"](LIMITS["message.text"] + 1)
    answer = METHODS[method](workspace, args)
    assert len(answer["message"]["text"]) == LIMITS["message.text"]


def test_limits_hold_for_ephemeral_messages_too():
    _, args = EDGES["section.text"](LIMITS["section.text"] + 1)
    assert outcome(("chat.postEphemeral", {**args, "user": "U0ANA00001"})) == "invalid_blocks"
    _, args = EDGES["section.text"](LIMITS["section.text"])
    assert outcome(("chat.postEphemeral", {**args, "user": "U0ANA00001"})) == "ok"
