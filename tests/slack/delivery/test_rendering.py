"""Large answers are rendered elsewhere, or shown as plain text; no word is lost, and the event loop goes on."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from omnibot.blocks.answers.reply import PLAIN, reply_pages
from omnibot.blocks.layout.types import Page
from omnibot.blocks.markdown.escaping import pings
from omnibot.db.tables import turns
from omnibot.slack.delivery import rendering
from omnibot.slack.delivery.rendering import LARGE, Rendering, is_large
from omnibot.turns.model import OfferedButton, Outcome, TurnAnswer
from tests.slack.conftest import Desktop

MORE: dict[str, Any] = {"pictures": {}, "chart_url": None, "presses": True, "consent": None}
WORDS = [f"word{number}" for number in range(8_000)]
LONG = " ".join(WORDS) + " <!channel> [the bank](https://evil.example)"
ASK = OfferedButton("token", 0, "prompt", 0, "b", "Ask more", prompt="More?")


def answer(*texts: str) -> TurnAnswer:
    return TurnAnswer(Outcome.SUCCEEDED, [{"type": "text", "text": text} for text in texts])


def texts(pages: list[Page]) -> str:
    def within(value: Any) -> list[str]:
        if isinstance(value, list):
            return [text for item in value for text in within(item)]
        if not isinstance(value, dict):
            return []
        own = [value["text"]] if isinstance(value.get("text"), str) else []
        return [*own, *(text for item in value.values() for text in within(item))]

    return "\n".join(text for page in pages for text in within(page.blocks))


async def is_plain(desktop: Desktop, turn_id: str) -> bool:
    async with desktop.database.transaction() as connection:
        return bool((await connection.execute(select(turns.c.plain).where(turns.c.id == turn_id))).scalar())


async def test_a_large_answer_is_what_it_would_be_if_it_were_rendered_here(desktop: Desktop):
    turn = await desktop.turn()
    large = answer(LONG, "# And more\n\n|a|b|\n|-|-|\n|1|2|\n")
    assert is_large(large.parts)

    assert await Rendering(desktop.database).pages(turn, large, [ASK], **MORE) == reply_pages(
        turn, large, [ASK], **MORE
    )
    assert not await is_plain(desktop, turn.id)


@pytest.mark.parametrize("bounds", [{"patience": 0.001}, {"memory": 1_000_000}], ids=["too slow", "too much memory"])
async def test_what_cannot_be_rendered_is_plain_text_with_every_word_and_no_ping(
    desktop: Desktop, bounds: dict[str, Any]
):
    turn = await desktop.turn()

    pages = await Rendering(desktop.database, **bounds).pages(turn, answer(LONG), [ASK], **MORE)

    said = texts(pages)
    assert [word for word in said.split() if word[:4] == "word" and word[4:].isdecimal()] == WORDS
    assert PLAIN in said
    assert "Ask more" in said
    assert not pings(said)
    assert not any(block["type"] == "markdown" for page in pages for block in page.blocks)


async def test_an_answer_that_broke_rendering_is_not_rendered_like_that_again_after_a_restart(desktop: Desktop):
    turn = await desktop.turn()
    first = await Rendering(desktop.database, patience=0.001).pages(turn, answer(LONG), [], **MORE)
    assert await is_plain(desktop, turn.id)

    assert await Rendering(desktop.database).pages(turn, answer(LONG), [], **MORE) == first


async def test_whoever_dies_while_rendering_has_said_so_before(desktop: Desktop, monkeypatch: pytest.MonkeyPatch):
    turn, seen = await desktop.turn(), []

    async def dying(*_: Any, **__: Any) -> Any:
        seen.append(await is_plain(desktop, turn.id))
        raise OSError

    monkeypatch.setattr(asyncio, "create_subprocess_exec", dying)
    await Rendering(desktop.database).pages(turn, answer(LONG), [], **MORE)

    assert seen == [True]


async def test_a_rendering_that_is_called_off_says_nothing_against_the_answer(
    desktop: Desktop, monkeypatch: pytest.MonkeyPatch
):
    turn, begun = await desktop.turn(), asyncio.Event()

    async def hanging(*_: Any, **__: Any) -> None:
        begun.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio, "create_subprocess_exec", hanging)
    rendering_it = asyncio.ensure_future(Rendering(desktop.database).pages(turn, answer(LONG), [], **MORE))
    await begun.wait()
    assert await is_plain(desktop, turn.id)

    rendering_it.cancel()
    await asyncio.gather(rendering_it, return_exceptions=True)

    assert not await is_plain(desktop, turn.id)


async def test_the_event_loop_goes_on_meanwhile(desktop: Desktop):
    turn, turned = await desktop.turn(), 0
    rendering_it = asyncio.ensure_future(Rendering(desktop.database).pages(turn, answer(LONG * 10), [], **MORE))

    while not rendering_it.done():
        turned += 1
        await asyncio.sleep(0)

    assert len(await rendering_it) > 50
    assert turned > 1_000


async def test_a_small_answer_that_no_rule_foresaw_is_plain_text(desktop: Desktop, monkeypatch: pytest.MonkeyPatch):
    turn = await desktop.turn()

    def broken(*_: Any, **__: Any) -> list[Page]:
        raise RecursionError

    monkeypatch.setattr(rendering, "reply_pages", broken)

    assert "Every word." in texts(await Rendering(desktop.database).pages(turn, answer("Every word."), [], **MORE))


def test_what_is_large_is_told_by_all_of_it():
    assert not is_large([{"type": "text", "text": "a" * (LARGE // 2)}])
    assert is_large([{"type": "text", "text": "a" * LARGE}])
    assert is_large([{"type": "text", "text": ""}] * 5_000)
    assert is_large([{"type": "custom", "payload": {"a": [["b"] * 10] * 1_000}}])


def test_the_process_gets_none_of_our_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-secret")

    assert "SLACK_BOT_TOKEN" not in rendering._environment()


#: Texts in which each line is a block of its own.
MANY_BLOCKS = ["a\n=\n", "# a\n", "```\na\n```\n", "[a]: https://x.y\n", "|a|\n|-|\n|1|\n\n"]


@pytest.mark.parametrize("line", MANY_BLOCKS)
def test_an_answer_of_many_lines_is_large_although_its_characters_are_few(line: str):
    """What is rendered at once stays within a thousand lines."""
    assert is_large(answer(line * (1_200 // line.count("\n"))).parts)
    assert not is_large(answer("word " * 2_500).parts)


async def test_an_answer_that_would_be_hundreds_of_messages_is_plain_text_with_every_word(desktop: Desktop):
    turn = await desktop.turn()
    many = answer("".join(f"word{number}\n=\n" for number in range(3_000)))
    assert len(reply_pages(turn, many, [ASK], **MORE)) > 3 * rendering.MOST_MESSAGES

    pages = await Rendering(desktop.database).pages(turn, many, [ASK], **MORE)
    assert len(pages) <= rendering.MOST_MESSAGES
    shown = texts(pages).replace("\n", "")  # A section may end within a word.
    assert set(map(int, re.findall(r"word(\d+)", shown))) == set(range(3_000))
    assert PLAIN in shown
    # After a restart the same.
    assert await Rendering(desktop.database).pages(turn, many, [ASK], **MORE) == pages
