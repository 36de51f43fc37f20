"""Stories through the real sockets, with the real bot."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from omnibot_sandbox.demo import commands
from omnibot_sandbox.demo.player import Player
from omnibot_sandbox.demo.session import DemoError, DemoSession, open_session
from omnibot_sandbox.demo.steps import NEW, Decide, Hear, Link, Press, Refused, Say, Step, Story
from omnibot_sandbox.demo.stories import STORIES
from omnibot_sandbox.demo.transcript import Transcript, grown
from omnibot_sandbox.slack.workspace import Message
from rich.console import Console

from sandbox.tests.demo.conftest import PACE, Ended, inside, omnibot

#: Bots at once.
TOGETHER = 3


async def test_every_story_ends_well_and_is_told(tmp_path: Path):
    # As many bots at once as make it quick; stories that share one are played one after the other.
    hands = [list(STORIES)[first::TOGETHER] for first in range(TOGETHER)]

    async def play(names: list[str]) -> Ended:
        chosen = [word for name in names for word in ("--play", name)]
        return await omnibot("demo", *chosen, "--pace", PACE, environment={"TMPDIR": str(tmp_path)})

    ended = await asyncio.gather(*map(play, hands))
    assert [f"{e.code}\n{e.out}\n{e.err}" for e in ended if e.code or e.err] == []
    assert inside(tmp_path) == []
    for names, hand in zip(hands, ended, strict=True):
        assert all(f"{name}: as it should be." in hand.out for name in names)
    _tells(ended[0].out)


def _tells(transcript: str) -> None:
    lines = transcript.splitlines()
    said = [
        "Ana   @Omni what is the price of AAPL?",
        "POST threads 200",
        "GET messages/{message_id} 200",
        "AAPL is currently trading at",
        "[Compare to AMD]  [How are the markets?]",
        "Ana   presses [Compare to AMD]",
        "POST threads/{thread_id}/messages 200",
        "Here is AAPL next to AMD:",
        "first-answer: as it should be.",
    ]
    for words in said:
        while lines and words not in lines[0]:
            lines.pop(0)
        assert lines, words


async def test_the_list_and_an_unknown_name():
    listed, unknown = await asyncio.gather(omnibot("demo", "--list"), omnibot("demo", "--play", "nope"))
    assert listed.code == 0
    assert unknown.code == 2
    for name, story in STORIES.items():
        assert f"{name} " in listed.out
        assert story.about in listed.out
        assert story.about in unknown.err


async def test_a_bot_that_dies_at_start_is_said_with_its_log(tmp_path: Path):
    # A file of this name shadows the one the bot needs.
    (tmp_path / "shadow").mkdir()
    (tmp_path / "shadow" / "slack_bolt.py").write_text("raise RuntimeError('no bolt today')\n")
    environment = {"PYTHONPATH": str(tmp_path / "shadow"), "TMPDIR": str(tmp_path)}
    ended = await omnibot("demo", environment=environment)
    assert ended.code == 1
    assert "exit code 1" in ended.err
    assert "no bolt today" in ended.err
    assert inside(tmp_path) == ["shadow"]


async def _play(story: Story, session: DemoSession) -> list[str]:
    return await Player(session, story, Transcript(session, Console(quiet=True))).play()


async def test_a_story_that_goes_wrong_is_reported_with_what_differs(monkeypatch: pytest.MonkeyPatch):
    ask = Say("ana", "trading", "@Omni what is the price of AAPL?")
    async with open_session(revision="2026-04", pace=0.01) as session:
        (calls,) = await _play(Story("calls", "too many", (ask,), (*NEW, "GET threads")), session)
        assert "expected" in calls
        (button,) = await _play(Story("button", "no such", (ask, Press("ana", "Buy"))), session)
        assert "“Buy”" in button

        outsiders = Say("dan", "client-desk", "@Omni what is the price of AAPL?")
        monkeypatch.setattr("omnibot_sandbox.demo.player._PATIENCE", 2)
        (untold,) = await _play(Story("told", "otherwise", (Refused(outsiders, "never said"),), ()), session)
        assert "dan was not told" in untold
        (key,) = await _play(Story("key", "no such", (Link("ben", "trading", "nobodys-key"),), ()), session)
        assert "not linked" in key

        ordering = Say("ana", "trading", "@Omni buy 10 KO at $75")
        monkeypatch.setattr("omnibot_sandbox.demo.dealing._PATIENCE", 5)
        wrong: dict[str, Step] = {
            "does not say “never said”": Decide("ana", "Review the order", ("never said", "Notional")),
            "not told “gold”": Hear("ana", "trading", "orders", "gold"),
        }
        for words, step in wrong.items():
            (problem,) = await _play(Story("order", "otherwise", (ordering, step), ()), session)
            assert words in problem
        (button,) = await _play(Story("order", "no such", (ordering, Decide("ben", "Approve")), ()), session)
        assert "no button “Approve”" in button

        change = session.slack.workspace.change

        def lossy(message: Message, *, blocks: list[Any], **more: Any) -> None:
            kept = [block for block in blocks if block["type"] != "actions"]
            change(
                message, blocks=[{**b, "text": b["text"][:40]} if b["type"] == "markdown" else b for b in kept], **more
            )

        monkeypatch.setattr(session.slack.workspace, "change", lossy)
        problems = await _play(Story("words", "lost", (ask,)), session)
    assert any("missing" in problem for problem in problems)
    assert any("Compare to AMD" in problem for problem in problems)


async def test_a_bot_that_dies_during_a_story_ends_it(monkeypatch: pytest.MonkeyPatch):
    async def die(self: Player) -> list[str]:
        process = self._session.bot._process
        assert process is not None
        process.kill()
        await asyncio.Event().wait()
        return []

    monkeypatch.setattr(Player, "play", die)
    with pytest.raises(DemoError, match="The bot ended, with exit code -9"):
        await commands._play(["dm"], 0.05, "2026-10")


def test_only_what_is_new_is_printed():
    assert grown([], ["a", "", "b"]) == ["a", "b"]
    assert grown(["Working on it…"], ["The first half"]) == ["The first half"]
    assert grown(["The first half"], ["The first half of it", "x"]) == ["… of it", "x"]
