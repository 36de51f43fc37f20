"""What people do at the page, carried out in the workspace, with what Slack would not let them do refused in words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any

from omnibot_sandbox.demo import forms
from omnibot_sandbox.demo.feed import Feed
from omnibot_sandbox.demo.read_marks import ReadMarks
from omnibot_sandbox.demo.view import View
from omnibot_sandbox.slack.server import SlackEmulator
from omnibot_sandbox.slack.workspace import JSON, Message

_COMMANDS = "In Slack, all messages that start with the “/” character are interpreted as commands."

Verb = tuple[type[Any], Callable[[Any], Awaitable[JSON]]]


class Acts:
    """One method a verb."""

    def __init__(self, slack: SlackEmulator, view: View, marks: ReadMarks, feed: Feed) -> None:
        self._slack = slack
        self._view = view
        self._marks = marks
        self._feed = feed

    @property
    def verbs(self) -> Mapping[str, Verb]:
        """Path to form and act."""
        return {
            "/say": (forms.SayForm, self.say),
            "/command": (forms.CommandForm, self.command),
            "/edit": (forms.EditForm, self.edit),
            "/delete": (forms.MessageForm, self.delete),
            "/dismiss": (forms.MessageForm, self.dismiss),
            "/react": (forms.ReactForm, self.react),
            "/read": (forms.ReadForm, self.read),
            "/stop": (forms.StopForm, self.stop),
            "/press": (forms.PressForm, self.press),
            "/dialog": (forms.DialogForm, self.dialog),
            "/submit": (forms.SubmitForm, self.submit),
            "/close": (forms.CloseForm, self.close),
            "/home": (forms.HomeForm, self.home),
            "/refusal": (forms.DismissForm, self.dismiss_refusal),
        }

    async def say(self, form: forms.SayForm) -> JSON:
        self._at(form)
        if not form.text.strip():
            raise LookupError("text: there is nothing in it")
        return {"ts": await self._slack.say(form.user, form.channel, form.text, thread_ts=form.thread_ts)}

    async def command(self, form: forms.CommandForm) -> JSON:
        self._at(form)
        me = self._slack.workspace.user(form.user)
        try:
            if me.is_stranger:
                # Commands are for the workspace the app is installed in: people of other companies have none of them.
                raise LookupError(f"{form.command} is not a valid command")
            result = await self._slack.command(form.user, form.channel, form.command, form.text)
        except LookupError as error:
            raise LookupError(f"{error.args[0]}. {_COMMANDS}") from None
        return {"acked": result.acked}

    async def edit(self, form: forms.EditForm) -> JSON:
        self._own(form)
        await self._slack.edit(form.channel, form.ts, form.text)
        return {}

    async def delete(self, form: forms.MessageForm) -> JSON:
        self._own(form)
        await self._slack.delete(form.channel, form.ts)
        return {}

    async def dismiss(self, form: forms.MessageForm) -> JSON:
        """Take one's own ephemeral away; the app does not hear of it."""
        self._at(form)
        workspace, me = self._slack.workspace, self._slack.workspace.user(form.user).id
        for ephemeral in list(workspace.ephemerals):
            if (ephemeral["channel"], ephemeral["user"], ephemeral["ts"]) == (form.channel, me, form.ts):
                workspace.ephemerals.remove(ephemeral)
                workspace.on_change({"type": "ephemeral_deleted", "user": me, "ts": form.ts})
        return {}

    async def react(self, form: forms.ReactForm) -> JSON:
        self._at(form)
        act = self._slack.react if form.on else self._slack.unreact
        await act(form.user, form.channel, form.ts, form.name)
        return {}

    async def read(self, form: forms.ReadForm) -> JSON:
        self._at(form)
        me = self._slack.workspace.user(form.user).id
        if self._marks.read(me, form.channel, form.ts, form.thread_ts or ""):
            self._feed.tell("channel", form.channel, user=form.user)
        return {}

    async def stop(self, form: forms.StopForm) -> JSON:
        self._at(form)
        await self._slack.stop(form.user, form.channel, form.thread_ts)
        return {}

    async def press(self, form: forms.PressForm) -> JSON:
        if form.channel is not None:
            self._seen(form.user, form.channel)
        acked = await self._slack.press(
            form.user,
            channel=form.channel,
            ts=form.ts,
            view_id=form.view_id,
            block_id=form.block_id,
            action_id=form.action_id,
            value=form.value,
            state=form.state,
            dialog=form.dialog,
        )
        return {"acked": acked}

    async def dialog(self, form: forms.DialogForm) -> JSON:
        if form.channel is not None:
            self._seen(form.user, form.channel)
        held = self._slack.open_dialog(
            form.user,
            channel=form.channel,
            ts=form.ts,
            view_id=form.view_id,
            block_id=form.block_id,
            action_id=form.action_id,
        )
        return {"dialog": held}

    async def submit(self, form: forms.SubmitForm) -> JSON:
        return asdict(await self._slack.submit(form.user, form.view_id, form.values))

    async def close(self, form: forms.CloseForm) -> JSON:
        await self._slack.close_view(form.user, form.view_id, clear=form.clear)
        return {}

    async def home(self, form: forms.HomeForm) -> JSON:
        await self._slack.open_home(form.user, form.tab)
        return {}

    async def dismiss_refusal(self, form: forms.DismissForm) -> JSON:
        refusal, me = self._feed.refusals.get(form.refusal), self._slack.workspace.user(form.user).id
        seen = {conversation.id for conversation in self._view.channels(form.user)}
        if refusal is None or not self._feed.refusals.concerns(refusal, me, seen):
            raise LookupError(f"refusal: {form.user} sees no such refusal")
        self._feed.refusals.dismiss(form.refusal)
        self._feed.tell("refusal", str(form.refusal))
        return {}

    # -- who may ------------------------------------------------------------------------------------------------------

    def _at(self, form: forms.ChannelForm) -> None:
        self._seen(form.user, form.channel)

    def _seen(self, user: str, channel: str) -> None:
        if not self._view.sees(user, channel):
            raise LookupError(f"channel: {user} is in no such room")

    def _own(self, form: forms.MessageForm) -> Message:
        self._at(form)
        message = self._slack.workspace.message(form.channel, form.ts)
        if message.user != self._slack.workspace.user(form.user).id:
            raise LookupError("only one's own messages can be changed")
        return message
