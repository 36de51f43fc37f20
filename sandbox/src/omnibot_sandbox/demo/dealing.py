"""How somebody in a story decides on orders: presses on cards, forms filled in, and the exchange moved meanwhile."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from omnibot_sandbox.demo import exchange_controls
from omnibot_sandbox.demo.controls import befall
from omnibot_sandbox.demo.forms import ExchangeForm, FaultForm
from omnibot_sandbox.demo.session import DemoSession
from omnibot_sandbox.demo.steps import Arrange, Decide, Hear
from omnibot_sandbox.demo.transcript import Transcript
from omnibot_sandbox.slack.reading import elements
from omnibot_sandbox.slack.workspace import JSON, Message

#: Seconds in which what a press leads to must be there: lost orders are looked for in ever longer steps.
_PATIENCE = 45.0


class Dealing:
    """Performs the steps about orders, in the thread they are told."""

    def __init__(self, session: DemoSession, transcript: Transcript) -> None:
        self._session = session
        self._slack = session.slack
        self._transcript = transcript

    def arrange(self, step: Arrange) -> None:
        """Move the exchange, or have calls befallen."""
        omni = self._session.omni
        if step.exchange:
            exchange_controls.put(omni.exchange, ExchangeForm.model_validate(dict(step.exchange)))
        if step.fault:
            befall(omni.gate, FaultForm.model_validate(dict(step.fault)))

    def mend(self) -> None:
        """As it was, for the next story."""
        exchange_controls.reset(self._session.omni.exchange)
        self._session.omni.gate.clear()

    async def hear(self, step: Hear) -> list[str]:
        """Type a command, and be told something in private. What went wrong, in words."""
        heard = len(self._slack.ephemerals(step.user))
        self._transcript.say(step.user.capitalize(), [f"/omni {step.text}"], "bold")
        channel = self._slack.workspace.channel(step.conversation).id
        await self._slack.command(step.user, channel, "/omni", step.text)
        return await self._until(partial(self._unheard, step.user, heard, step.words))

    async def decide(self, step: Decide, channel: str, root: str) -> list[str]:
        """Press a button of a card in this thread, and see what comes of it. What went wrong, in words."""
        found = await self._until(lambda: [] if self._button(step, channel, root) else [f"no button “{step.label}”"])
        pressed = self._button(step, channel, root)
        if pressed is None:
            return found
        heard = len(self._slack.ephemerals(step.user))
        message, button = pressed
        self._transcript.say(step.user.capitalize(), [f"presses [{step.label}]"], "bold")
        if not await self._slack.click(step.user, channel, message.ts, action_id=button["action_id"]):
            return [f"pressing [{step.label}] was not acknowledged in time"]
        if step.entered and (problem := await self._fill_in(step)):
            return [problem]
        return await self._until(lambda: self._missing(step, channel, root, heard))

    async def _fill_in(self, step: Decide) -> str:
        try:
            view = (await self._slack.wait_for(lambda: _to_submit(self._slack.modals(step.user)), _PATIENCE))[0]
        except AssertionError:
            return f"pressing [{step.label}] opened no form"
        values: dict[str, dict[str, Any]] = {}
        for block, element in elements(view["blocks"]):
            field = str(element.get("action_id", "")).rpartition(":")[2]
            if field in step.entered:
                held = {"type": element["type"], "value": step.entered[field]}
                values[block["block_id"]] = {element["action_id"]: held}
        said = [f"enters {field}: {value}" for field, value in step.entered.items()]
        self._transcript.say(step.user.capitalize(), said, "bold")
        result = await self._slack.submit(step.user, view["id"], values)
        return "" if result.closed else f"the form was not taken: {result.errors or result.notice}"

    async def _until(self, problems: Any) -> list[str]:
        try:
            await self._slack.wait_for(lambda: not problems(), _PATIENCE)
        except AssertionError:
            return list(problems())
        return []

    def _missing(self, step: Decide, channel: str, root: str, heard: int) -> list[str]:
        shown = "\n".join(self._slack.visible_text(message) for message in self._thread(channel, root))
        problems = [f"the thread does not say “{words}”" for words in step.shows if not _says(shown, words)]
        if step.told:
            problems += self._unheard(step.user, heard, step.told)
        if step.direct is not None:
            user, words = step.direct
            own = "\n".join(self._slack.visible_text(one) for one in self._slack.history(self._slack.dm(user)))
            problems += [] if _says(own, words) else [f"{user} does not read “{words}” in the DM"]
        return problems

    def _unheard(self, user: str, heard: int, words: str) -> list[str]:
        told = "\n".join(self._slack.visible_text(one) for one in self._slack.ephemerals(user)[heard:])
        return [] if _says(told, words) else [f"{user} was not told “{words}”"]

    def _thread(self, channel: str, root: str) -> list[Message]:
        mine = [one for one in self._slack.history(channel) if one.user == self._slack.bot_user_id]
        return [one for one in mine if one.thread_ts == root]

    def _button(self, step: Decide, channel: str, root: str) -> tuple[Message, JSON] | None:
        for message in reversed(self._thread(channel, root)):
            for button in self._slack.buttons(message):
                if button["text"]["text"] == step.label:
                    return message, button
        return None


def _says(text: str, words: str) -> bool:
    """Whether these words stand there, however heavy they are set."""
    return re.search(words, text.replace("*", ""), re.DOTALL) is not None


def _to_submit(modals: list[JSON]) -> list[JSON]:
    return [view for view in modals[-1:] if view["submit"] is not None]
