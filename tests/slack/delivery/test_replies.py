"""Every way Slack can refuse a reply, and the reply that arrives all the same, once."""

import asyncio
from dataclasses import replace

import pytest

from omnibot.blocks.answers.answer import AI_NOTICE
from omnibot.blocks.answers.reply import reply_pages
from omnibot.slack.delivery.metadata import fingerprint
from omnibot.turns.model import OfferedButton, Outcome, TurnAnswer
from tests.slack.conftest import Desktop

WORDS = "Every one of these words must arrive."
FINAL = f"{WORDS}\n{AI_NOTICE}"


def answer(text: str = WORDS, **over: object) -> TurnAnswer:
    fields: dict[str, object] = {"outcome": Outcome.SUCCEEDED, "parts": [{"type": "text", "text": text}], **over}
    return TurnAnswer(**fields)  # type: ignore[arg-type]  # a factory with defaults


async def delivered(desktop: Desktop, turn, what: TurnAnswer, buttons=()) -> None:
    """What the turn's alarm does: try until it stands."""
    for _ in range(20):
        again_in = await desktop.reply.finish(turn, what, buttons)
        if again_in is None:
            return
        await asyncio.sleep(min(again_in, 2.5))
    raise AssertionError("never delivered")


async def begun(desktop: Desktop, turn) -> None:
    desktop.reply.begin(turn)
    await desktop.slack.wait_for(lambda: desktop.shown(turn))


#: What Slack may answer to a write whether it did it or not …
BROKEN = [
    (500, None),
    (503, "<html>busy</html>"),
    (200, "not json"),
    (200, {"ok": False, "error": "internal_error"}),
]
#: … and what it says to a post only when there is none.
REFUSED = [
    (429, None),
    (200, {"ok": False, "error": "ratelimited"}),
    (200, {"ok": False, "error": "invalid_blocks"}),
    (200, {"ok": False, "error": "something_new"}),
]
SLOW_DOWN = [(429, None), (200, {"ok": False, "error": "ratelimited"})]


@pytest.mark.parametrize(
    ("method", "point", "status", "body"),
    [
        *(("chat.postMessage", "before", *row) for row in BROKEN + REFUSED),
        *(("chat.postMessage", "after", *row) for row in BROKEN),
        *(("chat.update", point, *row) for point in ("before", "after") for row in BROKEN + REFUSED),
    ],
)
async def test_a_refused_write_is_made_good_and_never_made_twice(desktop: Desktop, method: str, point, status, body):
    turn = await desktop.turn()
    if method == "chat.update":
        await begun(desktop, turn)
    refusing = desktop.slack.gate.refuse(method, point, status=status, body=body, headers={"Retry-After": "2"})
    await delivered(desktop, turn, answer())
    (message,) = desktop.shown(turn)
    assert desktop.slack.visible_text(message) == FINAL
    (refused,) = refusing.calls
    later = [call.monotonic for call in desktop.slack.calls if call.monotonic > refused.monotonic]
    if (status, body) in SLOW_DOWN:
        assert later[0] - refused.monotonic >= 2.0


@pytest.mark.parametrize("point", ["before", "after"])
async def test_a_dropped_post_is_looked_for_before_it_is_made_again(desktop: Desktop, point):
    turn = await desktop.turn()
    desktop.slack.gate.drop("chat.postMessage", point)
    await delivered(desktop, turn, answer())
    assert len(desktop.shown(turn)) == 1
    assert desktop.text(turn).count(WORDS) == 1


@pytest.mark.parametrize("late", [True, False])
@pytest.mark.parametrize("lost", [True, False])
async def test_an_answer_whose_placeholder_is_gone_is_posted_once(desktop: Desktop, late: bool, lost: bool):
    """Also when the answer to that post gets lost."""
    turn = await desktop.turn()
    await begun(desktop, turn)
    await desktop.slack.delete("trading", desktop.shown(turn)[0].ts)
    if lost:
        desktop.slack.gate.drop("chat.postMessage", "after")
    await delivered(desktop, turn, answer(late=late))
    assert await desktop.successor().finish(turn, answer(late=late), ()) is None
    (message,) = desktop.shown(turn)
    assert WORDS in desktop.slack.visible_text(message)
    assert (f"<@{turn.person.user}>" in str(message.blocks)) is late


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (429, None),
        (500, None),
        (200, "not json"),
        (200, {"ok": False, "error": "invalid_blocks"}),
        (200, {"ok": False, "error": "message_not_found"}),
    ],
)
async def test_a_refused_redraw_after_a_click_leaves_the_answer_alone_and_the_next_makes_it_good(
    desktop: Desktop, status, body
):
    turn = await desktop.turn()
    button = OfferedButton("token", 0, "prompt", 0, "b", "Press me", prompt="p")
    await delivered(desktop, turn, answer(), [button])
    before = desktop.text(turn)
    pressed = [replace(button, pressed_by=(turn.person.user,))]
    desktop.slack.gate.refuse("chat.update", status=status, body=body)
    await desktop.reply.redraw(turn, answer(), pressed)
    assert desktop.text(turn) == before
    await desktop.reply.redraw(turn, answer(), pressed)
    (message,) = desktop.shown(turn)
    assert f"<@{turn.person.user}>" in str(message.blocks)
    assert desktop.text(turn).count(WORDS) == 1


async def test_an_answer_that_was_deleted_is_not_posted_again_because_somebody_clicks(desktop: Desktop):
    turn = await desktop.turn()
    button = OfferedButton("token", 0, "prompt", 0, "b", "Press me", prompt="p")
    await delivered(desktop, turn, answer(), [button])
    await desktop.slack.delete("trading", desktop.shown(turn)[0].ts)
    await desktop.reply.redraw(turn, answer(), [replace(button, pressed_by=(turn.person.user,))])
    assert desktop.shown(turn) == []


async def test_where_the_channel_is_closed_the_answer_comes_by_dm(desktop: Desktop):
    turn = await desktop.turn()
    desktop.slack.workspace.channel("trading").is_archived = True
    await delivered(desktop, turn, answer())
    dm = desktop.slack.history(desktop.slack.dm("ana"))
    assert WORDS in desktop.slack.visible_text(dm[0])


async def test_blocks_that_slack_refuses_again_and_again_become_words(desktop: Desktop):
    turn = await desktop.turn()
    button = OfferedButton("token", 0, "prompt", 0, "b", "Press me", prompt="p")
    refused = {"ok": False, "error": "invalid_blocks"}
    desktop.slack.gate.refuse("chat.postMessage", status=200, body=refused, count=2)
    await delivered(desktop, turn, answer(), [button])
    assert desktop.text(turn).count(WORDS) == 1
    assert "Press me" in desktop.text(turn)


async def test_delivering_the_same_answer_again_writes_nothing(desktop: Desktop):
    turn = await desktop.turn()
    await delivered(desktop, turn, answer())
    writes = len([c for c in desktop.slack.calls if c.name.startswith("chat.")])
    await delivered(desktop, turn, answer())
    assert await desktop.successor().finish(turn, answer(), ()) is None
    assert len([c for c in desktop.slack.calls if c.name.startswith("chat.")]) == writes


async def test_another_process_finishes_in_the_same_message(desktop: Desktop):
    turn = await desktop.turn()
    await begun(desktop, turn)
    assert await desktop.successor().finish(turn, answer(), ()) is None
    assert len(desktop.shown(turn)) == 1
    assert desktop.text(turn).count(WORDS) == 1


async def test_a_late_answer_is_a_new_post_and_the_progress_shrinks(desktop: Desktop):
    turn = await desktop.turn()
    await begun(desktop, turn)
    await delivered(desktop, turn, answer(late=True))
    progress, final = desktop.shown(turn)
    assert f"<@{turn.person.user}>" in str(final.blocks)
    assert WORDS in desktop.slack.visible_text(final)
    assert WORDS not in desktop.slack.visible_text(progress)


async def test_nothing_is_posted_by_who_has_lost_the_turn(desktop: Desktop):
    from omnibot.errors import OwnershipLost
    from omnibot.slack.delivery.files import Pictures
    from omnibot.slack.delivery.messages import Messages
    from omnibot.slack.delivery.rate_limits import WriteBudget
    from omnibot.slack.delivery.replies import SlackReply

    async def lost(_turn_id: str, _seconds: float) -> None:
        raise OwnershipLost

    turn = await desktop.turn()
    pictures = Pictures(desktop.client, desktop.database, desktop.charts)
    reply = SlackReply(desktop.client, Messages(desktop.client, desktop.database, assure=lost), WriteBudget(), pictures)
    with pytest.raises(OwnershipLost):
        await reply.finish(turn, answer(), ())
    assert desktop.shown(turn) == []


async def test_the_same_answer_always_makes_the_same_pages(desktop: Desktop):
    turn = await desktop.turn()
    long = answer("\n\n".join(f"Paragraph {n} " * 100 for n in range(30)))
    first, second = reply_pages(turn, long, ()), reply_pages(turn, long, ())
    assert [fingerprint(p) for p in first] == [fingerprint(p) for p in second]
    assert len(first) > 1


async def test_parts_without_a_display_are_named(desktop: Desktop):
    turn = await desktop.turn()
    what = answer(parts=[{"type": "hologram", "x": 1}, {"type": "text", "text": "Words."}])
    page = reply_pages(turn, what, ())[-1]
    assert "hologram" in str(page.blocks)


#: So many that the lines which say who pressed them fill a message.
MANY = [OfferedButton(f"t{n}", n, "prompt", 0, f"b{n}", f"Question {n}", prompt="p") for n in range(45)]


def pressed(desktop: Desktop, buttons: list[OfferedButton]) -> list[OfferedButton]:
    return [replace(one, pressed_by=(desktop.slack.workspace.user("ana").id,)) for one in buttons]


async def test_a_redraw_that_would_need_more_messages_keeps_to_those_there_are(desktop: Desktop):
    turn = await desktop.turn()
    await delivered(desktop, turn, answer(), MANY)
    assert len(reply_pages(turn, answer(), pressed(desktop, MANY))) > 1
    await desktop.reply.redraw(turn, answer(), pressed(desktop, MANY))
    (message,) = desktop.shown(turn)
    labels = [e["text"]["text"] for block in message.blocks if block["type"] == "actions" for e in block["elements"]]
    assert labels == [f"✓ Question {n}" for n in range(45)]
    assert WORDS in desktop.slack.visible_text(message)
    assert AI_NOTICE in desktop.slack.visible_text(message)


async def test_a_redraw_that_fits_in_no_way_changes_nothing(desktop: Desktop):
    turn = await desktop.turn()
    await delivered(desktop, turn, answer())
    before = desktop.shown(turn)[0].blocks
    await desktop.reply.redraw(turn, answer("\n\n".join(f"Paragraph {n} " * 100 for n in range(30))), ())
    assert [message.blocks for message in desktop.shown(turn)] == [before]


@pytest.mark.parametrize("how", ["redrawn", "delivered again"])
async def test_an_answer_that_takes_fewer_messages_than_before_leaves_nothing_of_them(desktop: Desktop, how: str):
    turn = await desktop.turn()
    await delivered(desktop, turn, answer(), pressed(desktop, MANY))
    assert len(desktop.shown(turn)) == 2
    if how == "redrawn":
        await desktop.reply.redraw(turn, answer(), MANY)
    else:
        assert await desktop.successor().finish(turn, answer(), MANY) is None
    (message,) = desktop.shown(turn)
    assert AI_NOTICE in desktop.slack.visible_text(message)
    await desktop.reply.redraw(turn, answer(), MANY)
    assert len(desktop.shown(turn)) == 1


async def test_no_message_is_taken_away_while_what_takes_its_place_is_refused(desktop: Desktop):
    turn = await desktop.turn()
    await delivered(desktop, turn, answer(), pressed(desktop, MANY))
    desktop.slack.gate.refuse("chat.update", status=500)
    await desktop.reply.redraw(turn, answer(), MANY)
    assert len(desktop.shown(turn)) == 2
    assert AI_NOTICE in desktop.text(turn)
