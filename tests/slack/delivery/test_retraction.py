"""A question that ends without a reply leaves nothing of the bot's in its thread."""

import pytest

from tests.slack.conftest import Desktop


async def begun(desktop: Desktop, turn) -> None:
    desktop.reply.begin(turn)
    await desktop.slack.wait_for(lambda: desktop.shown(turn))


async def test_the_placeholder_is_taken_away(desktop: Desktop):
    turn = await desktop.turn()
    await begun(desktop, turn)
    await desktop.reply.retract(turn)
    assert desktop.shown(turn) == []
    # Once is enough.
    calls = len(desktop.slack.calls)
    await desktop.reply.retract(turn)
    assert len(desktop.slack.calls) == calls


async def test_nothing_is_asked_of_slack_when_nothing_was_shown(desktop: Desktop):
    turn = await desktop.turn()
    await desktop.reply.retract(turn)
    desktop.reply.begin(turn)
    await desktop.reply.close()
    assert desktop.slack.calls == []


@pytest.mark.parametrize("method", ["chat.startStream", "chat.postMessage"])
async def test_a_placeholder_of_a_dead_process_is_taken_away_by_the_next(desktop: Desktop, method):
    """Posted, but its writer did not live to write down where."""
    if method == "chat.postMessage":
        desktop.without_streams()
    turn = await desktop.turn()
    hold = desktop.slack.gate.hold(method, "after")
    desktop.reply.begin(turn)
    await hold.reached()
    await desktop.successor().retract(turn)
    assert desktop.shown(turn) == []
    hold.release()


@pytest.mark.parametrize(
    ("status", "body"),
    [(429, None), (500, None), (200, {"ok": False, "error": "internal_error"})],
)
@pytest.mark.parametrize("point", ["before", "after"])
async def test_slack_is_asked_again_when_it_does_not_take_it_away(desktop: Desktop, point, status, body):
    turn = await desktop.turn()
    await begun(desktop, turn)
    desktop.slack.gate.refuse("chat.delete", point, status=status, body=body, headers={"Retry-After": "1"})
    await desktop.reply.retract(turn)
    assert desktop.shown(turn) == []


async def test_a_placeholder_that_must_stay_says_what_became_of_the_question(desktop: Desktop):
    turn = await desktop.turn()
    await begun(desktop, turn)
    body = {"ok": False, "error": "cant_delete_message"}
    refused = desktop.slack.gate.refuse("chat.delete", status=200, body=body)
    await desktop.reply.retract(turn)
    assert len(refused.calls) == 1
    assert desktop.text(turn) == "This question was dropped."
