"""Modals over Socket Mode: opened, stacked, filled in, submitted and closed, with Bolt as the app."""

from __future__ import annotations

import asyncio

import pytest
from omnibot_sandbox.slack.interacting import TROUBLE
from omnibot_sandbox.slack.workspace import JSON
from slack_sdk.errors import SlackApiError

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

ANA = "U0ANA00001"
NAME = question({"type": "plain_text_input", "action_id": "name"}, block_id="who")
FORM = modal(NAME, callback_id="form", private_metadata="turn 7")


class Desk:
    """A Bolt app whose /omni opens a modal; it remembers what it is sent and answers submissions as told."""

    def __init__(self, slack, app, web) -> None:
        self.slack, self.web = slack, web
        self.bodies: list[JSON] = []
        self.answer: JSON = {}
        #: Does something when a button is pressed, and before submissions are answered.
        self.on_press = self.on_submit = self.nothing
        app.command("/omni")(self.command)
        app.action({"action_id": "go"})(self.pressed)
        app.view("form")(self.submitted)
        app.view_closed("form")(self.closed)
        self.view = FORM

    async def nothing(self, body) -> None:
        pass

    async def command(self, ack, body, client):
        await client.views_open(trigger_id=body["trigger_id"], view=self.view)
        await ack()

    async def pressed(self, ack, body):
        self.bodies.append(body)
        await self.on_press(body)
        await ack()

    async def submitted(self, ack, body):
        self.bodies.append(body)
        await self.on_submit(body)
        await ack(**self.answer)

    async def closed(self, ack, body):
        self.bodies.append(body)
        await ack()

    async def open(self, view=FORM, user="ana") -> str:
        """The id of the modal that /omni opens."""
        self.view = view
        assert (await self.slack.command(user, "trading", "/omni", "")).acked
        return str(self.slack.modals(user)[-1]["id"])


@pytest.fixture
async def desk(slack, app, web, connect):
    slack.socket_mode.ack_timeout = 20.0  # unless a test is about that
    desk = Desk(slack, app, web)
    await connect(app)
    return desk


def said(name: str) -> JSON:
    return {"who": {"name": {"type": "plain_text_input", "value": name}}}


async def refusal(call) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


async def test_a_modal_is_submitted_with_what_was_filled_in(slack, desk):
    changes: list[JSON] = []
    slack.subscribe(changes.append)
    view_id = await desk.open()
    result = await slack.submit("ana", view_id, said("Ana"))
    assert (result.acked, result.closed, result.errors, result.notice) == (True, True, None, "")
    (body,) = desk.bodies
    assert (body["type"], body["user"]["id"], body["team"]["id"]) == ("view_submission", ANA, slack.team_id)
    view = body["view"]
    assert view["state"]["values"] == said("Ana")
    assert (view["id"], view["callback_id"], view["private_metadata"]) == (view_id, "form", "turn 7")
    assert (view["root_view_id"], view["previous_view_id"], view["app_id"]) == (view_id, None, slack.app_id)
    assert view["title"] == {"type": "plain_text", "text": "T", "emoji": True}
    assert body["response_urls"] == []
    assert body["trigger_id"]
    assert "user" not in view
    assert slack.modals("ana") == []
    assert [change["user"] for change in changes if change["type"] == "view"] == [ANA]
    assert [change["view_id"] for change in changes if change["type"] == "view_closed"] == [view_id]


async def test_errors_stand_under_their_inputs(slack, desk):
    view_id = await desk.open()
    desk.answer = {"response_action": "errors", "errors": {"who": "Nobody of that name."}}
    result = await slack.submit("ana", view_id, said("Zoe"))
    assert (result.acked, result.closed, result.errors) == (True, False, {"who": "Nobody of that name."})
    assert slack.modals("ana")[0]["state"]["values"] == said("Zoe")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"response_action": "errors", "errors": {"whom": "?"}}, "no input block has the block_id whom"),
        ({"response_action": "errors", "errors": {"words": "?"}}, "no input block has the block_id words"),
        ({"response_action": "errors", "errors": {"who": 7}}, "must map block_ids to words"),
        ({"response_action": "update", "view": {"type": "home", "blocks": []}}, "must be a valid enum value"),
        ({"response_action": "push", "view": modal({"type": "hologram"})}, "unsupported type: hologram"),
        ({"response_action": "dance"}, "cannot follow"),
    ],
)
async def test_an_answer_that_slack_cannot_follow_leaves_the_modal_with_a_notice(slack, desk, answer, reason):
    view_id = await desk.open({**FORM, "blocks": [NAME, section(block_id="words")]})
    desk.answer = answer
    result = await slack.submit("ana", view_id, said("Ana"))
    assert (result.acked, result.closed, result.errors, result.notice) == (True, False, None, TROUBLE)
    assert reason in result.reason
    assert [view["id"] for view in slack.modals("ana")] == [view_id]


async def test_a_late_acknowledgement_leaves_the_modal_with_a_notice(slack, desk):
    view_id = await desk.open()
    late = asyncio.Event()
    desk.on_submit = lambda body: late.wait()
    slack.socket_mode.ack_timeout = 0.1
    result = await slack.submit("ana", view_id, said("Ana"))
    late.set()
    assert (result.acked, result.closed, result.notice) == (False, False, TROUBLE)
    assert slack.modals("ana")[0]["state"]["values"] == said("Ana")


async def test_the_answer_may_put_another_view_in_place(slack, desk):
    view_id = await desk.open()
    before = slack.modals("ana")[0]["hash"]
    desk.answer = {"response_action": "update", "view": modal(section(), callback_id="done")}
    assert not (await slack.submit("ana", view_id, said("Ana"))).closed
    (view,) = slack.modals("ana")
    assert (view["id"], view["callback_id"]) == (view_id, "done")
    assert view["hash"] != before


async def test_the_answer_may_put_another_view_on_top_or_clear_all(slack, desk):
    view_id = await desk.open()
    desk.answer = {"response_action": "push", "view": FORM}
    await slack.submit("ana", view_id, said("Ana"))
    below, above = slack.modals("ana")
    assert (above["previous_view_id"], above["root_view_id"]) == (view_id, view_id)
    with pytest.raises(LookupError, match="uppermost"):
        await slack.submit("ana", below["id"], {})
    desk.answer = {"response_action": "clear"}
    assert (await slack.submit("ana", above["id"], said("Ben"))).closed
    assert slack.modals("ana") == []


async def test_an_empty_answer_closes_the_uppermost_only(slack, desk):
    view_id = await desk.open()
    desk.answer = {"response_action": "push", "view": FORM}
    await slack.submit("ana", view_id, said("Ana"))
    desk.answer = {}
    assert (await slack.submit("ana", slack.modals("ana")[-1]["id"], said("Ben"))).closed
    assert [view["id"] for view in slack.modals("ana")] == [view_id]


ASKED = [
    question({"type": "number_input", "is_decimal_allowed": False, "min_value": "1", "max_value": "9"}, block_id="n"),
    question({"type": "email_text_input"}, block_id="mail"),
    question({"type": "url_text_input"}, block_id="url"),
    question({"type": "plain_text_input", "min_length": 2, "max_length": 3}, block_id="text"),
    question({"type": "multi_users_select", "max_selected_items": 1}, block_id="users"),
    question({"type": "rich_text_input", "action_id": "a"}, block_id="rich"),
    question({"type": "checkboxes", "options": [option()]}, block_id="ticks"),
    question({"type": "plain_text_input"}, block_id="maybe", optional=True),
]


async def test_slack_itself_objects_before_the_app_hears_anything(slack, desk):
    blocks = [{**block, "element": {**block["element"], "action_id": "a"}} for block in ASKED]
    view_id = await desk.open({**FORM, "blocks": blocks})
    everything = (await slack.submit("ana", view_id, {})).errors
    assert everything is not None
    assert {*everything} == {block["block_id"] for block in ASKED} - {"maybe"}
    assert {*everything.values()} == {"Please complete this required field."}

    wrong = {
        "n": {"value": "1.5"},
        "mail": {"value": "ana"},
        "url": {"value": "x.test"},
        "text": {"value": "x"},
        "users": {"selected_users": [ANA, "U0BEN00001"]},
        "rich": {"rich_text_value": rich_text("section", {"type": "text", "text": " "})},
        "ticks": {"selected_options": []},
    }
    result = await slack.submit("ana", view_id, {block_id: {"a": entry} for block_id, entry in wrong.items()})
    assert (result.acked, result.closed) == (True, False)
    assert result.errors is not None
    assert {*result.errors} == {*wrong}
    for number, words in (("0", "at least 1"), ("10", "at most 9"), ("ten", "Enter a number")):
        errors = (await slack.submit("ana", view_id, {"n": {"a": {"value": number}}})).errors
        assert errors is not None
        assert words in errors["n"]
    assert desk.bodies == []

    fine = {
        "n": {"value": "9"},
        "mail": {"value": "ana@clear.test"},
        "url": {"value": "https://x.test"},
        "text": {"value": "abc"},
        "users": {"selected_users": [ANA]},
        "rich": {"rich_text_value": rich_text("section", {"type": "text", "text": "words"})},
        "ticks": {"selected_options": [slack.modals("ana")[0]["blocks"][6]["element"]["options"][0]]},
    }
    assert (await slack.submit("ana", view_id, {block_id: {"a": entry} for block_id, entry in fine.items()})).closed
    state = desk.bodies[0]["view"]["state"]["values"]
    assert state["maybe"] == {"a": {"type": "plain_text_input", "value": None}}
    assert {block_id: state[block_id]["a"] | entry for block_id, entry in fine.items()} == {
        block_id: state[block_id]["a"] for block_id in fine
    }


async def test_a_press_in_a_modal_tells_of_the_view_and_all_that_is_filled_in(slack, desk):
    view_id = await desk.open({**FORM, "blocks": [NAME, actions(button(action_id="go", value="v"), select())]})
    row = slack.modals("ana")[0]["blocks"][1]
    acked = await slack.press("ana", view_id=view_id, block_id=row["block_id"], action_id="go", state=said("half a na"))
    assert acked
    (body,) = desk.bodies
    assert body["container"] == {"type": "view", "view_id": view_id}
    assert body["view"]["state"]["values"] == {
        **said("half a na"),
        row["block_id"]: {row["elements"][1]["action_id"]: {"type": "static_select", "selected_option": None}},
    }
    assert not {"channel", "message", "response_url", "state"} & {*body}
    (action,) = body["actions"]
    assert (action["type"], action["value"], action["block_id"]) == ("button", "v", row["block_id"])
    assert action["action_ts"]


async def test_modals_are_stacked_up_to_three(slack, desk, web):
    view = {**FORM, "blocks": [actions(button(action_id="go"), block_id="row")]}
    view_id = await desk.open(view)
    outcomes = []

    async def push(body):
        try:
            outcomes.append(await web.views_push(trigger_id=body["trigger_id"], view=view))
        except SlackApiError as error:
            outcomes.append(error.response)

    desk.on_press = push
    for _ in range(3):
        await slack.press("ana", view_id=slack.modals("ana")[-1]["id"], block_id="row", action_id="go")
    assert [outcome.get("error") for outcome in outcomes] == [None, None, "push_limit_reached"]
    first, second, third = slack.modals("ana")
    assert (second["previous_view_id"], third["previous_view_id"]) == (view_id, second["id"])
    assert {modal["root_view_id"] for modal in (first, second, third)} == {view_id}
    with pytest.raises(LookupError, match="uppermost"):
        await slack.press("ana", view_id=view_id, block_id="row", action_id="go")


async def test_a_modal_opened_from_elsewhere_takes_the_place_of_those_before(slack, desk):
    first = await desk.open()
    second = await desk.open()
    assert [view["id"] for view in slack.modals("ana")] == [second]
    with pytest.raises(LookupError):
        await slack.submit("ana", first, said("Ana"))


async def test_a_view_is_updated_by_either_name_and_keeps_what_was_typed(slack, desk, web):
    view_id = await desk.open({**FORM, "external_id": "form of ana"})
    go = actions(button(action_id="go"), block_id="row")
    updated = await web.views_update(
        external_id="form of ana", view={**FORM, "external_id": "form of ana", "blocks": [NAME, go]}
    )
    assert updated["view"]["id"] == view_id
    await slack.press("ana", view_id=view_id, block_id="row", action_id="go", state=said("An"))
    await web.views_update(view_id=view_id, hash=slack.modals("ana")[0]["hash"], view={**FORM, "blocks": [go, NAME]})
    assert slack.modals("ana")[0]["state"]["values"] == said("An")

    stale = web.views_update(view_id=view_id, hash=updated["view"]["hash"], view=FORM)
    assert await refusal(stale) == "hash_conflict"
    assert await refusal(web.views_update(external_id="form of ana", view=FORM)) == "not_found"
    await slack.close_view("ana", view_id)
    assert await refusal(web.views_update(view_id=view_id, view=FORM)) == "not_found"


async def test_an_external_id_names_one_view(slack, web):
    triggers = [(await slack.command(user, "trading", "/omni", "")).trigger_id for user in ("ana", "ben")]
    view = {**FORM, "external_id": "mine"}
    await web.views_open(trigger_id=triggers[0], view=view)
    assert await refusal(web.views_open(trigger_id=triggers[1], view=view)) == "duplicate_external_id"
    home = {"type": "home", "blocks": [], "external_id": "mine"}
    assert await refusal(web.views_publish(user_id=ANA, view=home)) == "duplicate_external_id"


async def test_closing_is_told_to_who_wants_to_know(slack, desk):
    await slack.close_view("ana", await desk.open())
    assert desk.bodies == []
    view_id = await desk.open({**FORM, "notify_on_close": True})
    await slack.close_view("ana", view_id)
    (body,) = desk.bodies
    assert (body["type"], body["view"]["id"], body["is_cleared"]) == ("view_closed", view_id, False)
    assert body["view"]["private_metadata"] == "turn 7"
    assert slack.modals("ana") == []


@pytest.mark.parametrize(("clears_itself", "by_the_cross"), [(True, False), (False, True)])
async def test_all_modals_are_cleared_together(slack, desk, clears_itself, by_the_cross):
    view = {**FORM, "notify_on_close": True, "clear_on_close": clears_itself}
    below = await desk.open(view)
    desk.answer = {"response_action": "push", "view": view}
    await slack.submit("ana", below, said("Ana"))
    desk.bodies.clear()
    above = slack.modals("ana")[-1]["id"]
    await slack.close_view("ana", above, clear=by_the_cross)
    assert [(body["view"]["id"], body["is_cleared"]) for body in desk.bodies] == [(above, True), (below, True)]
    assert slack.modals("ana") == []


async def test_modals_belong_to_who_opened_them(slack, desk):
    view_id = await desk.open(user="ben")
    assert slack.modals("ana") == []
    with pytest.raises(LookupError):
        await slack.submit("ana", view_id, said("Ana"))
    with pytest.raises(LookupError):
        await slack.close_view("ana", view_id)
    with pytest.raises(LookupError):
        await slack.press("ana", view_id=view_id, block_id="who", action_id="name")


@pytest.mark.parametrize(
    "values",
    [
        {"whom": {"name": {"value": "x"}}},
        {"who": {"age": {"value": "x"}}},
        {"who": {"name": {"value": 7}}},
        {"who": {"name": "Ana"}},
        {"who": "Ana"},
    ],
)
async def test_nothing_is_filled_in_where_nothing_is_asked(slack, desk, values):
    view_id = await desk.open()
    with pytest.raises(LookupError):
        await slack.submit("ana", view_id, values)
    assert desk.bodies == []


async def test_a_modal_without_a_submit_button_is_not_submitted(slack, desk):
    view_id = await desk.open({"type": "modal", "title": plain("T"), "blocks": [section()]})
    with pytest.raises(LookupError, match="no submit button"):
        await slack.submit("ana", view_id, {})
