"""What the command line calls: each function runs to its end and returns the exit code."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

from rich.console import Console

from omnibot_sandbox.demo.initial_workspace import furnish
from omnibot_sandbox.demo.page_server import PageServer
from omnibot_sandbox.demo.player import Player
from omnibot_sandbox.demo.session import DemoError, DemoSession, bot_variables, open_emulators, open_session
from omnibot_sandbox.demo.signals import until_stopped
from omnibot_sandbox.demo.stories import STORIES
from omnibot_sandbox.demo.supervisor import Supervisor
from omnibot_sandbox.demo.transcript import Transcript

#: What a shell calls "ended by Ctrl-C".
_INTERRUPTED = 130

_out = Console(highlight=False, markup=False, soft_wrap=True)
_err = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)


def show_page(*, port: int, pace: float, revision: str) -> int:
    """Serve the page until stopped."""
    return _run(_page(port, pace, revision), stopped=0)


def play(names: Sequence[str], *, pace: float, revision: str) -> int:
    """Play stories; 0 only if all was as it should be, 2 if there is no such story."""
    unknown = [name for name in names if name not in STORIES]
    if unknown:
        _err.print(f"There is no story called {unknown[0]!r}. These there are:\n{story_list()}")
        return 2
    return _run(_play(names, pace, revision), stopped=_INTERRUPTED)


def list_stories() -> int:
    """Print the stories."""
    _out.print(story_list())
    return 0


def run_emulators(*, port: int, slack_port: int, clear_street_port: int, pace: float, revision: str) -> int:
    """Run both emulators and their page, for whatever bot comes, until stopped."""
    return _run(_emulators(port, slack_port, clear_street_port, pace, revision), stopped=0)


def story_list() -> str:
    """The stories, one a line."""
    width = max(map(len, STORIES))
    return "\n".join(f"  {story.name:{width}}  {story.about}" for story in STORIES.values())


def _run(work: Coroutine[Any, Any, int], *, stopped: int) -> int:
    try:
        code = asyncio.run(until_stopped(work))
    except DemoError as error:
        _err.print(str(error), style="red")
        return 1
    return stopped if code is None else code


async def _play(names: Sequence[str], pace: float, revision: str) -> int:
    wrong = False
    async with open_session(revision=revision, pace=pace) as session:
        for story in (STORIES[name] for name in names):
            _out.print(f"{story.name}: {story.about}\n")
            problems = await _beside(session, Player(session, story, Transcript(session, _out)).play())
            if problems:
                wrong = True
                words = [f"\n{story.name} went wrong:", *(f"  {problem}" for problem in problems), ""]
                _err.print("\n".join(words), style="red")
            else:
                _out.print(f"\n{story.name}: as it should be.\n", style="green")
    return 1 if wrong else 0


async def _page(port: int, pace: float, revision: str) -> int:
    async with open_session(revision=revision, pace=pace) as session:
        furnish(session.slack.workspace)
        supervisor = Supervisor(session.bot, session.slack)
        async with PageServer(session.slack, session.omni, supervisor, session.app, session.lines).serving(
            port
        ) as address:
            shown = {"address": address, "slack": session.slack.api_url, "omni": session.omni.base_url}
            _out.print(_WELCOME.format(**shown, pid=session.bot.pid, folder=session.bot.folder, revision=revision))
            await supervisor.keep()


async def _emulators(port: int, slack_port: int, clear_street_port: int, pace: float, revision: str) -> int:
    opening = open_emulators(revision=revision, pace=pace, slack_port=slack_port, clear_street_port=clear_street_port)
    async with (
        opening as (slack, omni, lines),
        PageServer(slack, omni, lines=lines).serving(port) as address,
    ):
        exports = "\n".join(f"export {name}={value}" for name, value in bot_variables(slack, omni).items())
        shown = {"address": address, "slack": slack.api_url, "omni": omni.base_url, "keys": ", ".join(omni.keys)}
        _out.print(_EMULATORS.format(**shown, revision=revision, env=exports))
        await asyncio.Event().wait()
    return 0


async def _beside(session: DemoSession, work: Coroutine[Any, Any, list[str]]) -> list[str]:
    """Do the work while the bot lives.

    Raises:
        DemoError: the bot ended first.
    """
    working, watched = asyncio.create_task(work), asyncio.create_task(session.bot.watch())
    try:
        await asyncio.wait((working, watched), return_when=asyncio.FIRST_COMPLETED)
        return await (working if working.done() else watched)
    finally:
        working.cancel()
        watched.cancel()
        await asyncio.gather(working, watched, return_exceptions=True)


_WELCOME = """\
Omni is in a Slack you can see, no account needed. Open

    {address}

Started, on this computer only:
    the bot        process {pid}; its database and log are in {folder}
    Slack          {slack}
    Clear Street   {omni}   (revision {revision})

The first minute:
    1. In #trading type   @Omni what is the price of AAPL?   and watch the thread
    2. Press a button below the answer
    3. Type   /omni help   (only you see what comes)
    4. Open Backstage, top right: watch the calls, break something, kill the bot

Ctrl-C ends it all and leaves nothing behind."""

_EMULATORS = """\
The page       {address}
Slack          {slack}
Clear Street   {omni}   (revision {revision}; API keys: {keys})

For the bot:

{env}

Ctrl-C ends it all."""
