"""Presses and choices in messages, ephemerals and App Homes, and who sees what."""

from __future__ import annotations

import re
from typing import Any

import pytest
from omnibot_sandbox.slack import SlackEmulator, SlashCommand
from omnibot_sandbox.slack.interactions import trigger
from omnibot_sandbox.slack.workspace import JSON
from slack_sdk.errors import SlackApiError

from sandbox.tests.slack.builders import (
    actions,
    button,
    card,
    container,
    data_table,
    feedback,
    option,
    overflow,
    plain,
    question,
    raw,
    rich_text,
    section,
    select,
)

TRADING, ANA, BEN = "C0TRADING1", "U0ANA00001", "U0BEN00001"
HOME = {"type": "home", "blocks": [actions(button(action_id="go"), block_id="row")], "private_metadata": "m"}


@pytest.fixture
async def bodies(slack, app, connect):
    """What a Bolt app is sent that acknowledges every press and form."""
    slack.socket_mode.ack_timeout = 20.0
    bodies: list[JSON] = []

    @app.view(re.compile(".*"))
    @app.action(re.compile(".*"))
    async def take(ack, body):
        bodies.append(body)
        await ack()

    @app.event("app_home_opened")
    async def opened(body):
        bodies.append(body["event"])

    await connect(app)
    return bodies


@pytest.fixture
def post(web):
    async def post(*blocks) -> JSON:
        ts = (await web.chat_postMessage(channel=TRADING, text="?", blocks=list(blocks)))["ts"]
        return {"channel": "trading", "ts": ts}

    return post


def own(element: JSON, **more: Any) -> JSON:
    """The element with an id, alone in its row."""
    return actions({**element, "action_id": "a"}, block_id="b", **more)


YES = {"text": {**plain("Yes"), "emoji": True}, "value": "yes"}
NO = {"text": {**plain("No"), "emoji": True}, "value": "no"}
WORDS = rich_text("section", {"type": "text", "text": "words"})
CHOICES = [
    ({"type": "static_select", "options": [YES, NO]}, {"selected_option": NO}),
    ({"type": "static_select", "options": [YES, NO], "initial_option": YES}, {"selected_option": None}),
    ({"type": "radio_buttons", "options": [YES, NO]}, {"selected_option": YES}),
    ({"type": "checkboxes", "options": [YES, NO]}, {"selected_options": [YES, NO]}),
    ({"type": "users_select"}, {"selected_user": BEN}),
    ({"type": "conversations_select"}, {"selected_conversation": TRADING}),
    ({"type": "channels_select"}, {"selected_channel": "C0RESEARCH"}),
    ({"type": "datepicker", "initial_date": "2026-11-20"}, {"selected_date": "2026-11-21"}),
    ({"type": "timepicker", "timezone": "America/New_York"}, {"selected_time": "08:30"}),
    ({"type": "datetimepicker"}, {"selected_date_time": 1628633820}),
]


@pytest.mark.parametrize(("element", "value"), CHOICES, ids=lambda case: case.get("type", ""))
async def test_a_choice_is_sent_as_slack_sends_it_and_stays(slack, bodies, post, element, value):
    where = await post(own(element), actions(button(action_id="go"), block_id="row"))
    assert await slack.press("ana", **where, block_id="b", action_id="a", value=value)
    assert await slack.press("ana", **where, block_id="row", action_id="go")
    assert await slack.press("ben", **where, block_id="row", action_id="go")
    first, second, bens = bodies
    (action,) = first["actions"]
    assert float(action.pop("action_ts")) > 0
    entry = {"type": element["type"], **value, **({"timezone": "America/New_York"} if "timezone" in element else {})}
    firsts = {name: given for name, given in element.items() if name.startswith("initial_")}
    assert action == {"block_id": "b", "action_id": "a", **firsts, **entry}
    assert first["state"] == second["state"] == {"values": {"b": {"a": entry}}}
    # What one person chooses, others do not see.
    (field,) = value
    at_first: Any = next(iter(firsts.values()), [] if field == "selected_options" else None)
    assert bens["state"] == {"values": {"b": {"a": {**entry, field: at_first}}}}


async def test_several_are_chosen_beside_a_section(slack, bodies, post):
    menus: list[tuple[JSON, JSON]] = [
        ({"type": "multi_static_select", "options": [YES, NO]}, {"selected_options": [NO]}),
        ({"type": "multi_users_select"}, {"selected_users": [ANA, BEN]}),
        ({"type": "multi_conversations_select"}, {"selected_conversations": [TRADING]}),
        ({"type": "multi_channels_select"}, {"selected_channels": ["C0RESEARCH"]}),
    ]
    sections = [
        section(accessory={**menu, "action_id": "a", "placeholder": plain("Which?")}, block_id=menu["type"])
        for menu, _ in menus
    ]
    where = await post(*sections)
    for menu, value in menus:
        assert await slack.press("ana", **where, block_id=menu["type"], action_id="a", value=value)
        (action,) = bodies[-1]["actions"]
        assert action["type"] == menu["type"]
        assert action | value == action
        assert action["placeholder"]["text"] == "Which?"
    assert bodies[0]["state"]["values"]["multi_users_select"]["a"] == {
        "type": "multi_users_select",
        "selected_users": [],
    }
    assert {kind: entry["a"] for kind, entry in bodies[-1]["state"]["values"].items()} == {
        menu["type"]: {"type": menu["type"], **value} for menu, value in menus
    }


async def test_inputs_of_a_message_come_with_the_button(slack, bodies, post):
    typed = question({"type": "plain_text_input", "action_id": "note"}, block_id="in")
    formatted = question({"type": "rich_text_input", "action_id": "a"}, block_id="rich")
    where = await post(typed, formatted, actions(button(action_id="go"), block_id="row"))
    state = {"in": {"note": {"value": "half"}}, "rich": {"a": {"rich_text_value": WORDS}}, "gone": {"x": {}}}
    assert await slack.press("ana", **where, block_id="row", action_id="go", state=state)
    assert bodies[0]["state"]["values"] == {
        "in": {"note": {"type": "plain_text_input", "value": "half"}},
        "rich": {"a": {"type": "rich_text_input", "rich_text_value": WORDS}},
    }
    broken: Any = {"in": {"note": "half"}}
    with pytest.raises(LookupError, match="expected"):
        await slack.press("ana", **where, block_id="row", action_id="go", state=broken)
    with pytest.raises(LookupError, match="dispatch_action"):
        await slack.press("ana", **where, block_id="in", action_id="note", value={"value": "whole"})


async def test_an_input_that_dispatches_sends_what_was_typed(slack, bodies, post):
    typed = question({"type": "number_input", "is_decimal_allowed": True, "action_id": "n"}, dispatch_action=True)
    where = await post({**typed, "block_id": "in"})
    assert await slack.press("ana", **where, block_id="in", action_id="n", value={"value": "7.5"})
    (action,) = bodies[0]["actions"]
    assert (action["type"], action["value"]) == ("number_input", "7.5")
    assert bodies[0]["state"]["values"]["in"]["n"]["value"] == "7.5"


async def test_buttons_wherever_they_stand_tell_their_block(slack, bodies, post):
    cell = {"type": "action_cell", "element": button(action_id="cell", value="3")}
    where = await post(
        card(block_id="card", actions=[button(action_id="on card", value="1", style="danger")]),
        {"type": "carousel", "elements": [card(block_id="second", actions=[button(action_id="in carousel")])]},
        container(actions(button(action_id="inside", value="2"), block_id="inner")),
        {**data_table(), "block_id": "data", "rows": [[raw()], [cell]]},
        {**feedback("Good", "good"), "block_id": "feedback"},
        actions({**overflow(YES, NO), "action_id": "more"}, block_id="menu"),
    )
    element = slack.history("trading")[-1].blocks[4]["elements"][0]
    presses = [
        ("card", "on card", None, {"type": "button", "value": "1", "style": "danger"}),
        ("second", "in carousel", None, {"type": "button"}),
        ("inner", "inside", None, {"type": "button", "value": "2"}),
        ("data", "cell", None, {"type": "button", "value": "3"}),
        ("feedback", element["action_id"], {"value": "good"}, {"type": "feedback_buttons", "value": "good"}),
        ("menu", "more", {"selected_option": NO}, {"type": "overflow", "selected_option": NO}),
    ]
    for block_id, action_id, value, sent in presses:
        assert await slack.press("ana", **where, block_id=block_id, action_id=action_id, value=value)
        body = bodies[-1]
        (action,) = body["actions"]
        assert action | sent | {"block_id": block_id, "action_id": action_id} == action
        assert body["state"] == {"values": {}}
        assert (body["container"]["message_ts"], body["message"]["ts"]) == (where["ts"], where["ts"])
        assert body["trigger_id"]
    assert len({body["trigger_id"] for body in bodies}) == len(presses)


@pytest.mark.parametrize(
    ("block", "value"),
    [
        (own(select()), {"selected_option": option("other")}),
        (own({"type": "checkboxes", "options": [YES]}), {"selected_options": [NO]}),
        (own({"type": "users_select"}), {"selected_user": 7}),
        (own({"type": "datepicker"}), {"selected_date": "tomorrow"}),
        (own({"type": "timepicker"}), {"selected_time": "8.30"}),
        (own({"type": "datetimepicker"}), {"selected_date_time": "soon"}),
        (own(overflow(YES)), {"selected_option": NO}),
        (own(overflow(YES)), {}),
        ({**feedback(), "block_id": "b"}, {"value": "indifferent"}),
        (own(button(visible_to_user_ids=[BEN])), {}),
    ],
)
async def test_what_a_person_cannot_do_is_not_sent(slack, bodies, post, block, value):
    where = await post(block)
    element = slack.history("trading")[-1].blocks[0]["elements"][0]
    with pytest.raises(LookupError):
        await slack.press("ana", **where, block_id="b", action_id=element["action_id"], value=value)
    assert bodies == []


async def test_a_person_presses_only_what_they_see(slack, bodies, web, post):
    where = await post(own(button()))
    with pytest.raises(LookupError):
        await slack.press("dan", **where, block_id="b", action_id="a")  # is not in #trading
    with pytest.raises(LookupError):
        await slack.press("ana", **where, block_id="b", action_id="other")
    with pytest.raises(LookupError):
        await slack.press("ana", block_id="b", action_id="a")
    answer = await web.chat_postEphemeral(
        channel=TRADING,
        user=ANA,
        text="?",
        blocks=[
            own(
                button(),
            )
        ],
    )
    only_ana = {"channel": "trading", "ts": answer["message_ts"], "block_id": "b", "action_id": "a"}
    with pytest.raises(LookupError):
        await slack.press("ben", **only_ana)
    assert await slack.press("ana", **only_ana)
    await web.chat_delete(channel=TRADING, ts=where["ts"])
    with pytest.raises(LookupError):
        await slack.press("ana", **where, block_id="b", action_id="a")
    (body,) = bodies
    assert body["container"]["is_ephemeral"] is True


async def test_a_hidden_button_is_there_for_those_it_names(slack, bodies, post):
    where = await post(own(button(visible_to_user_ids=[ANA])))
    assert await slack.press("ana", **where, block_id="b", action_id="a")
    assert bodies


async def test_app_homes_are_published_for_each_person(slack, bodies, web):
    first = (await web.views_publish(user_id=ANA, view=HOME))["view"]
    again = (await web.views_publish(user_id=ANA, view=HOME, hash=first["hash"]))["view"]
    assert again["id"] == first["id"]
    with pytest.raises(SlackApiError, match="hash_conflict"):
        await web.views_publish(user_id=ANA, view=HOME, hash=first["hash"])
    shown = slack.home("ana")
    assert shown is not None
    assert (shown["type"], shown["private_metadata"], shown["hash"]) == ("home", "m", again["hash"])
    assert slack.home("ben") is None
    assert slack.modals("ana") == []

    assert await slack.press("ana", view_id=first["id"], block_id="row", action_id="go")
    (body,) = bodies
    assert body["container"] == {"type": "view", "view_id": first["id"]}
    opened = await web.views_open(trigger_id=body["trigger_id"], view={**HOME, "type": "modal", "title": plain("T")})
    assert [view["id"] for view in slack.modals("ana")] == [opened["view"]["id"]]
    with pytest.raises(LookupError):
        await slack.press("ben", view_id=first["id"], block_id="row", action_id="go")


async def test_opening_the_home_tells_the_app_which_tab(slack, bodies, web):
    await slack.open_home("ana")
    await slack.wait_for(lambda: len(bodies) == 1)
    await web.views_publish(user_id=ANA, view=HOME)
    await slack.open_home("ana")
    await slack.wait_for(lambda: len(bodies) == 2)
    await slack.open_home("ana", "messages")
    await slack.wait_for(lambda: len(bodies) == 3)
    assert [event["tab"] for event in bodies] == ["home", "home", "messages"]
    assert [event.get("view", {}).get("private_metadata") for event in bodies] == [None, "m", None]
    for event in bodies:
        assert (event["user"], event["channel"], event["context"]) == (ANA, slack.dm("ana"), {})


@pytest.mark.parametrize("who", ["cleo", "dan", "newsbot"])
async def test_guests_and_others_have_no_app_home(slack, who):
    with pytest.raises(LookupError):
        await slack.open_home(who)


def names(slack, user):
    return [channel.id if channel.kind == "im" else channel.name for channel in slack.visible_channels(user)]


async def test_everybody_sees_the_channels_they_are_in(slack, web):
    desk = ["trading", "research", "lobby", "client-desk", "advisers"]
    assert names(slack, "ana") == [*desk, "boardroom", slack.dm("ana")]
    assert names(slack, "ben") == [*desk, slack.dm("ben")]
    assert names(slack, "cleo") == ["research", "lobby", "advisers"]  # a guest has no DM with an agent
    assert names(slack, "dan") == ["client-desk"]
    await web.chat_postMessage(channel=slack.workspace.user("cleo").id, text="You may not ask Omni.")
    assert names(slack, "cleo")[-1] == slack.dm("cleo")
    await slack.join("cleo", "client-desk")
    assert "client-desk" in names(slack, "cleo")


async def test_a_profile_says_who_somebody_is(slack, web):
    ana, cleo, dan = (slack.person(name) for name in ("ana", "cleo", "dan"))
    assert (ana["title"], ana["team_name"], ana["may_use_agents"]) == ("Trader", "Clear & Co", True)
    assert (cleo["is_restricted"], cleo["may_use_agents"]) == (True, False)
    assert (dan["team_name"], dan["is_stranger"], dan["may_use_agents"]) == ("Northwind Partners", True, False)
    assert len({person["color"] for person in (ana, cleo, dan)}) == 3
    user = (await web.users_info(user=ANA))["user"]
    assert (user["profile"]["title"], "#" + user["color"]) == ("Trader", ana["color"])


async def test_the_commands_that_the_page_offers_are_the_only_ones():
    omni = SlashCommand("/omni", "Ask Omni", "[question]")
    async with SlackEmulator(commands=[omni]) as slack:
        assert list(slack.commands) == [omni]
        assert not (await slack.command("ana", "trading", "/omni", "x")).acked
        with pytest.raises(LookupError, match="/other is not a valid command"):
            await slack.command("ana", "trading", "/other", "x")


# -- dialogs that stay open while what they are about is updated -------------------------------------------------------


def asking(value: str, block_id: str = "row") -> JSON:
    """A row with a button that asks first."""
    confirm = {"title": plain("Sure?"), "text": plain("Really?"), "confirm": plain("Yes"), "deny": plain("No")}
    return actions(button(action_id="go", value=value) | {"confirm": confirm}, block_id=block_id)


@pytest.mark.parametrize(
    ("reading", "block_id", "sent"),
    [
        ("as_shown", "row", ("row", "old")),
        ("as_now", "row", ("row", "new")),
        ("as_shown", "another", ("row", "old")),
        ("as_now", "another", ("row", "old")),
    ],
)
async def test_a_dialog_held_open_through_an_update_sends_what_the_reading_says(
    slack, bodies, post, web, reading, block_id, sent
):
    slack.held_dialogs = reading
    where = await post(asking("old"))
    dialog = slack.open_dialog("ana", **where, block_id="row", action_id="go")
    await web.chat_update(channel=TRADING, ts=where["ts"], text="?", blocks=[asking("new", block_id)])

    assert await slack.press("ana", **where, block_id="row", action_id="go", dialog=dialog)
    [action] = bodies[-1]["actions"]
    assert (action["block_id"], action["value"]) == sent
    assert bodies[-1]["message"]["blocks"][0]["block_id"] == block_id


def asking_form(block_id: str, metadata: str) -> JSON:
    field = {"type": "plain_text_input", "action_id": "said"}
    block = {"type": "input", "block_id": block_id, "label": plain("Say"), "element": field, "optional": True}
    return {
        "type": "modal",
        "callback_id": "asks",
        "private_metadata": metadata,
        "title": plain("Asks"),
        "submit": plain("Send"),
        "blocks": [block],
    }


@pytest.mark.parametrize(
    ("reading", "block_id", "sent"),
    [
        ("as_shown", "field", ("old", {"field": "words"})),
        ("as_now", "field", ("new", {"field": "words"})),
        ("as_now", "another", ("new", {"another": None})),
    ],
)
async def test_a_form_submitted_as_it_is_brought_up_to_date_sends_what_the_reading_says(
    slack, bodies, web, reading, block_id, sent
):
    slack.held_dialogs = reading
    leave = trigger(slack.workspace, slack.workspace.user("ana"))
    opened = await web.views_open(trigger_id=leave, view=asking_form("field", "old"))
    view_id = opened["view"]["id"]
    held = slack.hold_form("ana", view_id, {"field": {"said": {"value": "words"}}})
    await web.views_update(view_id=view_id, view=asking_form(block_id, "new"))
    with pytest.raises(LookupError):
        await slack.submit("ana", view_id, {}, held="none")

    assert (await slack.submit("ana", view_id, {}, held=held)).closed
    view = bodies[-1]["view"]
    said = {name: entry["said"]["value"] for name, entry in view["state"]["values"].items()}
    assert (view["private_metadata"], said) == sent


async def test_a_dialog_is_one_persons_is_confirmed_once_and_is_about_one_button(slack, bodies, post):
    where = await post(asking("old"), actions(button(action_id="plain"), block_id="other"))
    dialog = slack.open_dialog("ana", **where, block_id="row", action_id="go")

    for wrong in ({"user": "ben"}, {"action_id": "plain"}, {"dialog": "none"}):
        press = {"user": "ana", **where, "block_id": "row", "action_id": "go", "dialog": dialog} | wrong
        with pytest.raises(LookupError):
            await slack.press(press.pop("user"), **press)
    with pytest.raises(LookupError):
        slack.open_dialog("ana", **where, block_id="other", action_id="plain")
    assert await slack.press("ana", **where, block_id="row", action_id="go", dialog=dialog)
    with pytest.raises(LookupError):
        await slack.press("ana", **where, block_id="row", action_id="go", dialog=dialog)


async def test_a_doubled_press_arrives_twice_with_the_same_leave(slack, bodies, post):
    where = await post(actions(button(action_id="go"), block_id="row"))
    slack.doubled = True
    assert await slack.press("ana", **where, block_id="row", action_id="go")
    first, second = bodies
    assert first["trigger_id"] == second["trigger_id"]
