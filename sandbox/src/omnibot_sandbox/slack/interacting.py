"""What people do with the elements of messages, modals and App Homes, and what they get to see of them."""

from __future__ import annotations

import contextlib
import copy
import secrets
from dataclasses import dataclass
from typing import Any, Literal

from omnibot_sandbox.slack import interactions, stateful, view_stack, views, visibility
from omnibot_sandbox.slack.arguments import SlackError
from omnibot_sandbox.slack.menus import options_of
from omnibot_sandbox.slack.outbox import Outbox
from omnibot_sandbox.slack.reading import elements, labels, walk
from omnibot_sandbox.slack.response_urls import Invocation, ResponseURLs
from omnibot_sandbox.slack.socket_mode import Ack
from omnibot_sandbox.slack.workspace import JSON, Channel, Message, User, Workspace

#: What Slack says in a modal whose app answers late or not at all, or answers something that it cannot follow.
TROUBLE = "We had some trouble connecting. Try again?"


@dataclass(frozen=True, slots=True)
class Held:
    """A dialog ("Are you sure?") before somebody: the element it is about, and its block, as they were shown."""

    user: str
    where: tuple[str, ...]
    block: JSON
    element: JSON


@dataclass(frozen=True, slots=True)
class HeldForm:
    """A modal as somebody sees it, filled in, of which the app may have made something else meanwhile."""

    user: str
    view: JSON
    state: stateful.Values


@dataclass(frozen=True, slots=True)
class SubmitResult:
    """What came of submitting a modal."""

    #: False: the app did not answer in time.
    acked: bool = True
    #: What stands under inputs now, by block_id; Slack's own objections are made before the app hears anything.
    errors: dict[str, str] | None = None
    #: The modal is gone.
    closed: bool = False
    #: What the person saw at the top of the modal.
    notice: str = ""
    #: Why, in words for who writes the app.
    reason: str = ""


class Interacting:
    """The fingers of everybody in the workspace. Names or ids do for users and channels."""

    workspace: Workspace
    outbox: Outbox
    _response_urls: ResponseURLs

    def __init__(self) -> None:
        #: What people chose and typed where nothing was sent yet: by person and view id, or channel and ts.
        self._chosen: dict[tuple[str, ...], stateful.Values] = {}
        #: What a dialog that was held open through an update sends. Slack does not document it, so both can be had:
        #: "as_shown" is the element as it was when the dialog opened; "as_now" is the one of the same block_id and
        #: action_id as the message or view has it by then, and where there is none any more, the one as it was. Of a
        #: form that is submitted as the app brings it up to date (`hold_form`): the view as it was, or as it is now,
        #: with what was filled in where the inputs still have their names.
        self.held_dialogs: Literal["as_shown", "as_now"] = "as_shown"
        self._held: dict[str, Held] = {}
        self._held_forms: dict[str, HeldForm] = {}

    @property
    def doubled(self) -> bool:
        """Each press, form and command is delivered twice at once; the first answer counts."""
        return self.outbox.doubled

    @doubled.setter
    def doubled(self, value: bool) -> None:
        self.outbox.doubled = value

    def _origin(self) -> str:
        """Where this workspace listens; the server that mixes this in knows."""
        raise NotImplementedError

    def _at(self, user: str, channel: str) -> tuple[User, Channel]:
        who, where = self.workspace.user(user), self.workspace.channel(channel)
        if who.id not in where.members:
            raise LookupError(f"{who.name} is not in #{where.name}")
        return who, where

    # -- what they do -------------------------------------------------------------------------------------------------

    async def press(
        self,
        user: str,
        *,
        channel: str | None = None,
        ts: str | None = None,
        view_id: str | None = None,
        block_id: str,
        action_id: str,
        value: JSON | None = None,
        state: stateful.Values | None = None,
        dialog: str | None = None,
    ) -> bool:
        """Use an element of a message or ephemeral (`channel` and `ts`), or of a modal or App Home (`view_id`).

        `value` holds the fields that the choice adds to the action, {"selected_option": {…}} say; a button adds none.
        `state` is what the person has chosen in the elements around it, in the form of `state.values`. `dialog` is what
        `open_dialog` returned: it is confirmed, and `held_dialogs` says what is sent. Returns whether the app
        acknowledged in time.

        Raises:
            LookupError: there is no such thing before this person, or nothing of the kind can be chosen there.
        """
        if view_id is not None:
            who = self.workspace.user(user)
            view = self._seen_view(who, view_id)
            block, element = self._pressable(who, (view_id,), view["blocks"], (block_id, action_id), dialog)
            action, values = self._chosen_there(who, (view_id,), view["blocks"], block, element, value, state)
            payload = interactions.view_actions(self.workspace, who, view, action, values)
            return (await self._interact(payload)).acked
        if channel is None or ts is None:
            raise LookupError("say which view, or which message of which channel")
        who, where = self._at(user, channel)
        clicked = self._seen_message(who, where, ts)
        blocks = clicked.blocks if isinstance(clicked, Message) else clicked["blocks"]
        block, element = self._pressable(who, (where.id, ts), blocks, (block_id, action_id), dialog)
        action, values = self._chosen_there(who, (where.id, ts), blocks, block, element, value, state)
        thread_ts = clicked.thread_ts if isinstance(clicked, Message) else clicked["thread_ts"]
        response_url = self._origin() + self._response_urls.issue(Invocation(where, who, clicked, thread_ts))
        payload = interactions.message_actions(self.workspace, who, where, clicked, action, values, response_url)
        return (await self._interact(payload)).acked

    def open_dialog(
        self,
        user: str,
        *,
        channel: str | None = None,
        ts: str | None = None,
        view_id: str | None = None,
        block_id: str,
        action_id: str,
    ) -> str:
        """Press a button that asks first, and leave the dialog open; `press` with what this returns confirms it.

        Raises:
            LookupError: there is no such thing before this person, or it does not ask.
        """
        place: tuple[str, ...]
        if view_id is not None:
            who, place = self.workspace.user(user), (view_id,)
            blocks = self._seen_view(who, view_id)["blocks"]
        else:
            who, conversation = self._at(user, channel or "")
            clicked, place = self._seen_message(who, conversation, ts or ""), (conversation.id, ts or "")
            blocks = clicked.blocks if isinstance(clicked, Message) else clicked["blocks"]
        block, element = _element(who, blocks, (block_id, action_id))
        if not element.get("confirm"):
            raise LookupError(f"{action_id!r} does not ask first")
        name = secrets.token_hex(8)
        self._held[name] = Held(who.id, place, copy.deepcopy(block), copy.deepcopy(element))
        return name

    async def click(
        self, user: str, channel: str, ts: str, *, action_id: str | None = None, label: str | None = None
    ) -> bool:
        """Press a button (or menu option) of a message or of one's own ephemeral; True when acknowledged in time.

        An `action_id` may be given without what follows its colon.
        """
        who, where = self._at(user, channel)
        clicked = self._seen_message(who, where, ts)
        on_show = list(labels(clicked.blocks if isinstance(clicked, Message) else clicked["blocks"]))
        for block_id, an_id, a_label, value in on_show:
            if (action_id in (None, an_id) or an_id.startswith(f"{action_id}:")) and label in (None, a_label):
                return await self.press(user, channel=channel, ts=ts, block_id=block_id, action_id=an_id, value=value)
        raise LookupError(f"no {action_id or label!r} among {[shown[1:3] for shown in on_show]}")

    def hold_form(self, user: str, view_id: str, values: stateful.Values) -> str:
        """Fill in the uppermost modal, and be about to submit it; `submit` with what this returns does.

        Raises:
            LookupError: as of `submit`.
        """
        who, view = self._uppermost(user, view_id)
        filled = stateful.checked(view["blocks"], values)
        name = secrets.token_hex(8)
        self._remember((who.id, view_id), filled)
        self._held_forms[name] = HeldForm(who.id, copy.deepcopy(view), copy.deepcopy(self._state(who, view)))
        return name

    async def submit(
        self, user: str, view_id: str, values: stateful.Values, *, held: str | None = None
    ) -> SubmitResult:
        """Press the submit button of the uppermost modal; `values` is what was filled in, as in `state.values`.

        `held` is what `hold_form` returned: that is submitted, and `held_dialogs` says what is sent.

        Raises:
            LookupError: that is not the uppermost modal of this person, or nothing of the kind can be filled in.
        """
        who, view = self._uppermost(user, view_id)
        if held is None:
            shown = view
            self._remember((who.id, view_id), stateful.checked(view["blocks"], values))
            state = self._state(who, view)
        else:
            shown, state = self._let_go(who, view, held)
        if shown["submit"] is None:
            raise LookupError(f"modal {view_id} has no submit button")
        if held is None and (errors := stateful.complaints(shown["blocks"], state)):
            return SubmitResult(errors=errors)
        ack = await self._interact(interactions.view_submission(self.workspace, who, shown, state))
        if not ack.acked:
            return SubmitResult(acked=False, notice=TROUBLE, reason="the app did not acknowledge in time")
        if not view_stack.is_modal(self.workspace, view_id):
            return SubmitResult(closed=True)  # the app was quicker
        try:
            return self._obey(self.workspace.views[view_id], ack.payload)
        except SlackError as error:
            return SubmitResult(notice=TROUBLE, reason=" ".join([error.error, *error.messages]))

    def _let_go(self, who: User, view: JSON, name: str) -> tuple[JSON, stateful.Values]:
        """What a form that was held sends: the view, and its state."""
        held = self._held_forms.pop(name, None)
        if held is None or (held.user, held.view["id"]) != (who.id, view["id"]):
            raise LookupError(f"{who.name} has no form {name!r} there")
        if self.held_dialogs == "as_now":
            return view, stateful.values(view["blocks"], held.state)
        return held.view, held.state

    async def close_view(self, user: str, view_id: str, *, clear: bool = False) -> None:
        """Close the uppermost modal by its button, or with `clear` by the cross: then all modals go.

        Raises:
            LookupError: that is not the uppermost modal of this person.
        """
        who, view = self._uppermost(user, view_id)
        cleared = clear or view["clear_on_close"]
        gone = view_stack.stack(self.workspace, who.id) if cleared else [view]
        told = [
            interactions.view_closed(who, modal, self._state(who, modal), is_cleared=cleared)
            for modal in reversed(gone)
            if modal["notify_on_close"]
        ]
        view_stack.close(self.workspace, gone[0])
        for payload in told:
            await self._interact(payload)

    async def open_home(self, user: str, tab: Literal["home", "messages"] = "home") -> None:
        """Open the bot's App Home at one of its tabs.

        Raises:
            LookupError: this person may not use apps that are agents.
        """
        who = self.workspace.user(user)
        if not visibility.may_use_agents(who):
            raise LookupError(f"{who.name} sees no apps that are agents")
        conversation = self.workspace.dm(who.id)
        event: JSON = {"type": "app_home_opened", "user": who.id, "channel": conversation.id, "tab": tab, "context": {}}
        published = view_stack.home(self.workspace, who.id)
        if tab == "home" and published is not None:
            event["view"] = view_stack.public(published)
        self.workspace.on_event("app_home_opened", conversation, None, {"event": event})

    # -- what they see ------------------------------------------------------------------------------------------------

    def modals(self, user: str) -> list[JSON]:
        """The modals before this person, the lowest first, with what was filled in so far."""
        who = self.workspace.user(user)
        return [self._filled_in(who, modal) for modal in view_stack.stack(self.workspace, who.id)]

    def home(self, user: str) -> JSON | None:
        """What the bot published in this person's App Home."""
        who = self.workspace.user(user)
        published = view_stack.home(self.workspace, who.id)
        return None if published is None else self._filled_in(who, published)

    def visible_channels(self, user: str) -> list[Channel]:
        """The channels in this person's sidebar, and their DM with the bot if they have one."""
        return visibility.visible_channels(self.workspace, self.workspace.user(user))

    def person(self, user: str) -> JSON:
        """What a profile shows: names, title, colour, company, and whether they are a guest or may use agents."""
        return visibility.person_json(self.workspace.user(user))

    # -- how ----------------------------------------------------------------------------------------------------------

    async def _interact(self, payload: JSON) -> Ack:
        return await self.outbox.request("interactive", payload)

    def _seen_message(self, who: User, where: Channel, ts: str) -> Message | JSON:
        """A message, or an ephemeral of one's own."""
        own = (e for e in self.workspace.ephemerals if (e["channel"], e["user"], e["ts"]) == (where.id, who.id, ts))
        return next(own, None) or self.workspace.message(where.id, ts)

    def _seen_view(self, who: User, view_id: str) -> JSON:
        view = self.workspace.views.get(view_id)
        if view is None or view["user"] != who.id:
            raise LookupError(f"{who.name} has no view {view_id}")
        return view if view["type"] == "home" else self._uppermost(who.id, view_id)[1]

    def _uppermost(self, user: str, view_id: str) -> tuple[User, JSON]:
        who = self.workspace.user(user)
        above = view_stack.stack(self.workspace, who.id)
        if not above or above[-1]["id"] != view_id:
            raise LookupError(f"{view_id} is not the uppermost modal of {who.name}")
        return who, above[-1]

    def _pressable(
        self, who: User, where: tuple[str, ...], blocks: list[JSON], ids: tuple[str, str], dialog: str | None
    ) -> tuple[JSON, JSON]:
        """The element that a press sends, with its block."""
        if dialog is None:
            return _element(who, blocks, ids)
        held = self._held.get(dialog)
        if held is None or (held.user, held.where) != (who.id, where):
            raise LookupError(f"{who.name} has no dialog {dialog!r} there")
        shown_ids = (held.block["block_id"], held.element["action_id"])
        if shown_ids != ids:
            raise LookupError(f"the dialog {dialog!r} is not about {ids[1]!r}")
        del self._held[dialog]
        if self.held_dialogs == "as_now":
            with contextlib.suppress(LookupError):
                return _element(who, blocks, ids)
        return held.block, held.element

    def _chosen_there(
        self,
        who: User,
        where: tuple[str, ...],
        blocks: list[JSON],
        block: JSON,
        element: JSON,
        value: JSON | None,
        state: stateful.Values | None,
    ) -> tuple[JSON, stateful.Values]:
        """The `actions` entry of a press, and the `state.values` that go with it."""
        action = _action(block, element, value or {})
        self._remember((who.id, *where), stateful.shaped(state or {}))
        if stateful.is_stateful(element):
            entry = stateful.entry_of(element, value or {})
            self._remember((who.id, *where), {block["block_id"]: {element["action_id"]: entry}})
        return action, stateful.values(blocks, self._chosen[who.id, *where])

    def _remember(self, where: tuple[str, ...], state: stateful.Values) -> None:
        chosen = self._chosen.setdefault(where, {})
        for block_id, entries in state.items():
            chosen.setdefault(block_id, {}).update(entries)

    def _state(self, who: User, view: JSON) -> stateful.Values:
        return stateful.values(view["blocks"], self._chosen.get((who.id, view["id"]), {}))

    def _filled_in(self, who: User, view: JSON) -> JSON:
        return view_stack.public(view) | {"state": {"values": self._state(who, view)}}

    def _obey(self, view: JSON, answer: Any) -> SubmitResult:
        """Do what the app answered to a submission."""
        if not answer:
            view_stack.close(self.workspace, view)
            return SubmitResult(closed=True)
        action = answer.get("response_action") if isinstance(answer, dict) else None
        if action == "clear":
            view_stack.clear(self.workspace, view["user"])
            return SubmitResult(closed=True)
        if action == "errors":
            return SubmitResult(errors=_errors(view, answer.get("errors")))
        if action == "update":
            view_stack.replace(self.workspace, view, views.checked(self.workspace, answer.get("view"), "modal"))
        elif action == "push":
            new = views.checked(self.workspace, answer.get("view"), "modal")
            view_stack.push(self.workspace, view["user"], new, view["id"])
        else:
            raise SlackError("invalid_response_action", [f"cannot follow {answer!r}"])
        return SubmitResult()


def _element(who: User, blocks: list[JSON], ids: tuple[str, str]) -> tuple[JSON, JSON]:
    """The element that somebody uses, with its block."""
    for block, element in elements(blocks):
        if (block["block_id"], element.get("action_id")) != ids:
            continue
        if element.get("visible_to_user_ids") and who.id not in element["visible_to_user_ids"]:
            raise LookupError(f"{who.name} does not see {ids[1]!r}")
        if block["type"] == "input" and not block.get("dispatch_action"):
            raise LookupError(f"block {ids[0]!r} sends nothing before it is submitted: it has no dispatch_action")
        return block, element
    raise LookupError(f"there is no {ids[1]!r} in block {ids[0]!r}")


def _action(block: JSON, element: JSON, value: JSON) -> JSON:
    """The `actions` entry that a press sends."""
    kind = element["type"]
    action = {"type": kind, "block_id": block["block_id"], "action_id": element["action_id"]}
    if kind in ("button", "icon_button"):
        shown: JSON = {name: element[name] for name in ("text", "value", "url", "style") if name in element}
    elif kind == "feedback_buttons":
        offered = [element["positive_button"], element["negative_button"]]
        chosen = next((choice for choice in offered if choice["value"] == value.get("value")), None)
        if chosen is None:
            raise LookupError(f"{element['action_id']} has no button with the value {value.get('value')!r}")
        shown = {"text": chosen["text"], "value": chosen["value"]}
    elif kind == "overflow":
        if value.get("selected_option") not in options_of(element):
            raise LookupError(f"{element['action_id']} has no option {value.get('selected_option')!r}")
        shown = {"selected_option": value["selected_option"]}
    else:
        firsts = {name: element[name] for name in element if name.startswith("initial_") or name == "placeholder"}
        shown = {**firsts, **stateful.entry_of(element, value)}
    return action | shown


def _errors(view: JSON, errors: Any) -> dict[str, str]:
    """The errors of an answer: words under inputs, each of which must exist."""
    inputs = {block["block_id"] for block in walk(view["blocks"]) if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors or not all(isinstance(words, str) for words in errors.values()):
        raise SlackError("invalid_errors", [f"must map block_ids to words, but is {errors!r}"])
    if strangers := errors.keys() - inputs:
        raise SlackError("invalid_errors", [f"no input block has the block_id {', '.join(sorted(strangers))}"])
    return errors
