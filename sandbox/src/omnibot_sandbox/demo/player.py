"""Plays a story and compares what Slack shows with what Omni said."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from omnibot_sandbox.demo import checks
from omnibot_sandbox.demo.dealing import Dealing
from omnibot_sandbox.demo.linking import link, unlink
from omnibot_sandbox.demo.session import DemoSession
from omnibot_sandbox.demo.signing import sign
from omnibot_sandbox.demo.steps import (
    Arrange,
    Command,
    Decide,
    Hear,
    Link,
    Press,
    Refused,
    Say,
    Sign,
    Step,
    Story,
    Teach,
    Withhold,
)
from omnibot_sandbox.demo.transcript import Transcript, labels_of, lines_of
from omnibot_sandbox.slack.workspace import JSON, Message

#: Real seconds for a turn beside its scripted ones, and scripted ones that no story exceeds.
_PATIENCE = 20.0
_LONGEST = 60.0
#: A reply is settled when Slack heard nothing for so long.
_QUIET = 0.4
_BUTTON_ROWS = ("actions", "context_actions")


@dataclass(slots=True)
class _Turn:
    """One question on its way."""

    channel: str
    #: None until a command's root message is there.
    root: str | None
    #: What stood in the workspace, and what Omni had said, before it.
    earlier: set[str]
    answered: set[str]
    problems: list[str] = field(default_factory=list)


class Player:
    """Performs the steps of one story in a running demo."""

    def __init__(self, session: DemoSession, story: Story, transcript: Transcript) -> None:
        self._session = session
        self._slack, self._omni = session.slack, session.omni
        self._story = story
        self._transcript = transcript
        self._dealing = Dealing(session, transcript)
        self._last: _Turn | None = None
        # Other stories may have been played in this demo before.
        self._first_call, self._first_slack_call = len(session.omni.calls), len(session.slack.calls)

    async def play(self) -> list[str]:
        """Perform it; what was not as it should be, in words. Ends at the first step that goes wrong."""
        async with self._transcript.running():
            try:
                for step in self._story.steps:
                    if problems := await self._take(step):
                        return problems
            finally:
                self._dealing.mend()
        calls = [call.name for call in self._omni.calls[self._first_call :]]
        return [*checks.wrong_calls(self._story.calls, calls), *self._refusals(), *self._pings()]

    async def _take(self, step: Step) -> list[str]:
        match step:
            case Teach():
                self._omni.add_script(step.script)
            case Withhold():
                self._omni.entitlements.withhold(step.key, step.account)
            case Arrange():
                self._dealing.arrange(step)
            case Link():
                return [problem] if (problem := await self._link(step)) else []
            case Refused():
                return await self._be_refused(step)
            case Hear():
                return await self._dealing.hear(step)
            case Decide():
                return await self._decide(step)
            case _:
                return await self._perform(step)
        return []

    async def _decide(self, step: Decide) -> list[str]:
        if self._last is None or self._last.root is None:
            raise ValueError("a story cannot begin with a decision")
        problems = await self._dealing.decide(step, self._last.channel, self._last.root)
        if not problems:
            await self._settle()
        return problems

    async def _perform(self, step: Say | Command | Press | Sign) -> list[str]:
        earlier = {message.ts for message in self._everything()}
        turn = self._last = await self._act(step, earlier, {m["id"] for m in self._answers()})
        if turn.problems:
            return turn.problems
        try:
            await self._slack.wait_for(lambda: not self._differences(turn), _PATIENCE + _LONGEST * self._omni.pace)
        except AssertionError:
            return self._differences(turn)
        await self._settle()
        return self._differences(turn)

    async def _link(self, step: Link) -> str:
        channel = self._slack.workspace.channel(step.conversation).id
        self._transcript.say(step.user.capitalize(), ["/omni link" if step.key else "/omni unlink"], "bold")
        if step.key:
            return await link(self._slack, step.user, channel, step.key)
        return await unlink(self._slack, step.user, channel)

    async def _be_refused(self, refused: Refused) -> list[str]:
        """Try it, and see that only this person hears of it."""
        user, last = refused.step.user, self._last
        before = {message.ts for message in self._everything()}
        told, asked = len(self._slack.ephemerals(user)), len(self._omni.calls)
        turn = await self._act(refused.step, before, set())
        self._last = last
        if turn.problems:
            return turn.problems

        def heard() -> list[str]:
            new = [self._slack.visible_text(said) for said in self._slack.ephemerals(user)[told:]]
            return [text for text in new if refused.words in text]

        try:
            await self._slack.wait_for(heard, _PATIENCE)
        except AssertionError:
            return [f"{user} was not told “{refused.words}”"]
        await self._settle()
        shown = [m for m in self._everything() if m.user == self._slack.bot_user_id and m.ts not in before]
        calls = [name for c in self._omni.calls[asked:] if not checks.is_lookup(name := checks.short(c.name))]
        return [
            *(f"others saw: “{self._slack.visible_text(message)[:60]}”" for message in shown),
            *(f"Clear Street was asked: {name}" for name in calls),
        ]

    async def _act(self, step: Step, earlier: set[str], answered: set[str]) -> _Turn:
        match step:
            case Say(user, conversation, text, reply):
                channel = (
                    self._slack.dm(user) if conversation == "dm" else self._slack.workspace.channel(conversation).id
                )
                root = self._last.root if reply and self._last else None
                ts = await self._slack.say(user, channel, text, thread_ts=root)
                return _Turn(channel, root or ts, earlier, answered)
            case Command(user, conversation, text, answered_in):
                typed_in = self._slack.workspace.channel(conversation).id
                self._transcript.say(user.capitalize(), [f"/omni {text}"], "bold")
                result = await self._slack.command(user, typed_in, "/omni", text)
                problems = [] if result.acked else ["the command was not acknowledged in time"]
                place = self._slack.dm(user) if answered_in == "dm" else typed_in
                return _Turn(place, None, earlier, answered, problems)
            case Press(user, label):
                return await self._press(user, label, earlier, answered)
            case Sign(user):
                turn = await self._press(user, r"read and sign\W*", earlier, answered)
                if not turn.problems and (problem := await sign(self._slack, user)):
                    turn.problems = [problem]
                return turn
        raise TypeError(f"{step} asks nothing")

    async def _press(self, user: str, label: str, earlier: set[str], answered: set[str]) -> _Turn:
        before = self._last
        if before is None:
            raise ValueError("a story cannot begin with a press")
        turn = _Turn(before.channel, before.root, earlier, answered)
        for message in self._new(before):
            for button in self._slack.buttons(message):
                on_it = button["text"]["text"]
                if on_it == label or re.fullmatch(label, on_it, re.IGNORECASE):
                    self._transcript.say(user.capitalize(), [f"presses [{on_it}]"], "bold")
                    if not await self._slack.click(user, turn.channel, message.ts, action_id=button["action_id"]):
                        turn.problems = [f"pressing [{on_it}] was not acknowledged in time"]
                    return turn
        turn.problems = [f"there is no button “{label}” to press"]
        return turn

    # -- comparing ----------------------------------------------------------------------------------------------------

    def _differences(self, turn: _Turn) -> list[str]:
        """What is still, or already, wrong with this turn's answer in Slack."""
        answer = next((m for m in self._answers() if m["id"] not in turn.answered), None)
        if answer is None:
            return ["Omni has not finished its answer (or was never asked)"]
        messages = self._new(turn)
        if not messages:
            return ["nothing was posted in the thread"]
        said = "\n\n".join(part.get("text", "") for part in answer["content"]["parts"] if part["type"] == "text")
        shown = "\n".join(line for message in messages for line in self._text(message))
        labels = [label for message in messages for label in labels_of(self._session, message)]
        error = str((answer.get("error") or {}).get("message", ""))
        return [
            *checks.missing_words(said, shown),
            *checks.missing_words(error, shown),
            *checks.missing_buttons(list(_offered(answer)), labels, shown),
            *checks.leftover_thoughts(self._thoughts(answer["id"]), said, shown),
            *self._elsewhere(turn),
            *(["a “working” status was left behind"] if self._slack.statuses else []),
        ]

    def _everything(self) -> list[Message]:
        channels = self._slack.workspace.channels.values()
        return [message for channel in channels for message in self._slack.history(channel.id)]

    def _new(self, turn: _Turn) -> list[Message]:
        """The bot's messages of this turn, its root message (the question) left out."""
        mine = [m for m in self._slack.history(turn.channel) if m.user == self._slack.bot_user_id]
        fresh = [m for m in mine if m.ts not in turn.earlier]
        if turn.root is None:
            turn.root = next((m.ts for m in fresh if not m.is_reply), None)
        return [m for m in fresh if m.is_reply and m.thread_ts == turn.root]

    def _elsewhere(self, turn: _Turn) -> list[str]:
        """What the bot said outside the thread it was asked in."""
        fresh = [m for m in self._everything() if m.user == self._slack.bot_user_id and m.ts not in turn.earlier]
        strays = [m for m in fresh if m.channel != turn.channel or turn.root not in (m.ts, m.thread_ts)]
        return [f"said elsewhere: “{self._slack.visible_text(m)[:60]}”" for m in strays]

    def _text(self, message: Message) -> list[str]:
        rest = [block for block in message.blocks if block["type"] not in _BUTTON_ROWS]
        return lines_of(self._session, {"text": message.text, "blocks": rest}) if rest or not message.blocks else []

    def _answers(self) -> list[JSON]:
        return [m for thread in self._omni.threads.values() for m in thread.messages if m["role"] == "ASSISTANT"]

    def _thoughts(self, message_id: str) -> list[str]:
        plans = [r.plan for r in self._omni.store.responses.values() if r.output_message_id == message_id]
        parts = [part for plan in plans for frame in plan.frames for part in frame.parts]
        return list(dict.fromkeys(t for part in parts if part["type"] == "thinking" for t in part["thoughts"]))

    def _refusals(self) -> list[str]:
        refused = [call for call in self._slack.refusals if call in self._slack.calls[self._first_slack_call :]]
        return [f"Slack refused {call.name}: {call.answer['error']}" for call in refused]

    def _pings(self) -> list[str]:
        people = {user.id: user.real_name for user in self._slack.workspace.users.values()}
        # An App Home is read by one person and pings nobody: what it says of a conversation says where that was.
        places = people | {f"<#{channel}": channel for channel in self._slack.workspace.channels}
        return [
            problem
            for call in self._slack.calls[self._first_slack_call :]
            for problem in checks.pings(call.args, places if call.name == "views.publish" else people)
        ]

    async def _settle(self) -> None:
        heard = -1
        while heard != len(self._slack.calls):
            heard = len(self._slack.calls)
            await asyncio.sleep(_QUIET)


def _offered(answer: JSON) -> Iterable[JSON]:
    for part in answer["content"]["parts"]:
        if part["type"] == "suggested_actions":
            yield from part["payload"]["actionButtons"]
