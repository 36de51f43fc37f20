"""What a turn is and what may happen to it. Pure: no IO, and `now` is a parameter.

accepted → submitting → running → finalizing → succeeded | failed | canceled
   ↑ ↓          │
  held  ←───────┘  (submitting → accepted when Omni was busy or had not heard us)

A turn is held only while Omni certainly has not heard its question. A day later it is dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from omnibot.accounts.model import Person as Person
from omnibot.errors import OmnibotError
from omnibot.policy.access import Show as Show
from omnibot.policy.identities import AccessResult


class TurnState(StrEnum):
    """Where a turn stands; the last three are for good."""

    #: Durable; perhaps not yet authorised, perhaps waiting for an earlier turn of its conversation.
    ACCEPTED = "accepted"
    #: The create call is about to be made, under way, or of unknown outcome.
    SUBMITTING = "submitting"
    #: Omni works on it; we poll.
    RUNNING = "running"
    #: The answer is known and stored; Slack does not show all of it yet.
    FINALIZING = "finalizing"
    #: Waits for a person (a link, a consent); later turns pass it.
    HELD = "held"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def terminal(self) -> bool:
        """True when nothing can happen to the turn any more."""
        return self in (TurnState.SUCCEEDED, TurnState.FAILED, TurnState.CANCELED)


class HeldFor(StrEnum):
    """What a held turn waits for; whoever brings it about releases it."""

    #: A key that works.
    LINK = "link"
    #: A choice between accounts.
    ACCOUNT = "account"
    #: An agreement signed.
    CONSENT = "consent"


class Surface(StrEnum):
    """Where in Slack the question was asked."""

    MENTION = "mention"
    DM = "dm"
    FOLLOW_UP = "follow_up"
    COMMAND = "command"
    #: `/omni private`, and `/omni` where the bot cannot post.
    PRIVATE = "private"
    #: A suggested button, or Retry.
    PRESS = "press"


class Kind(StrEnum):
    """How Omni is asked; the API's own names."""

    INSTANT = "instant"
    DEEP_INSIGHTS = "deep_insights"
    #: Nothing is asked: a structured action of an earlier answer is carried out (a chart, a screen).
    ACTION = "action"


@dataclass(frozen=True, slots=True)
class NewTurn:
    """What a listener knows before Slack gets its ack."""

    source_key: str
    surface: Surface
    kind: Kind
    team: str
    person: Person
    channel: str
    thread_ts: str | None
    message_ts: str
    event: dict[str, Any]
    question: str | None = None
    edited_ts: str | None = None
    #: Stored as already withdrawn: the deletion came before the message.
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """One row of `turns`, as far as deciding needs it. Times are UTC without zone."""

    id: str
    source_key: str
    surface: Surface
    kind: Kind
    state: TurnState
    team: str
    person: Person
    channel: str
    thread_ts: str | None
    message_ts: str
    event: dict[str, Any]
    created_at: datetime
    conversation_id: str | None = None
    question: str | None = None
    request: dict[str, Any] | None = None
    idempotency_key: str | None = None
    request_thread_id: str | None = None
    submitted_at: datetime | None = None
    submissions: int = 0
    response_id: str | None = None
    user_message_id: str | None = None
    deadline_at: datetime | None = None
    cancel_requested_at: datetime | None = None
    canceled_by: str | None = None
    notices: tuple[str, ...] = ()
    #: The token of the button whose click this is.
    pressed: str | None = None
    answer: TurnAnswer | None = None
    queue_said: bool = False
    edits: int = 0
    ended_at: datetime | None = None
    held_for: HeldFor | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """A Slack thread, a principal and a trading account, mapped to one Omni thread."""

    id: str
    team: str
    channel: str
    thread_ts: str
    principal: str
    account_id: int | None
    omni_thread_id: str | None
    last_seq: int


class Outcome(StrEnum):
    """How a turn ended; also the name of its terminal state."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


@dataclass(frozen=True, slots=True)
class TurnAnswer:
    """Everything the final reply is made of. Stored first, delivered then: the same answer gives the same reply."""

    outcome: Outcome
    #: Omni's parts as the API sent them, without thinking.
    parts: list[dict[str, Any]] = field(default_factory=list)
    #: Why it failed or was stopped, in plain words.
    reason: str | None = None
    #: Who stopped it: a Slack user id of ours, shown behind the reason.
    stopped_by: str | None = None
    #: Things said beside the answer: "Omni started a new conversation …".
    notices: list[str] = field(default_factory=list)
    request_id: str | None = None
    #: The turn took so long that its end is a new post that mentions the asker.
    late: bool = False
    message_id: str | None = None
    #: What was fetched from the market to stand beside the words: JSON, `part` says beside which (null: at the end).
    market_cards: list[dict[str, Any]] = field(default_factory=list)
    #: The name of the account Omni was asked about, where the asker might have chosen another.
    account: str | None = None
    #: It proposes orders: the "principal" and the "account_id" they are for.
    orders: dict[str, Any] | None = None
    #: It asks for consent: the "id" of what the asker may sign, or "why" they cannot and whom to "ask".
    consent: dict[str, Any] | None = None
    #: It may hold account data, so that it is shown only where that may be read.
    about_account: bool = True


@dataclass(frozen=True, slots=True)
class OfferedButton:
    """One button below an answer, as stored."""

    token: str
    position: int
    #: "prompt" asks Omni, "action" carries out `action`, "consent" opens what the answer asks to be signed, "retry" and
    #: "regenerate" ask the same again, "export" gives a file, "words" does nothing.
    kind: str
    part_index: int
    #: Omni's; of an export what to give: "part:2", "exhibit:0".
    button_id: str
    label: str
    prompt: str | None = None
    action_id: str | None = None
    #: The structured action as the API sent it.
    action: dict[str, Any] | None = None
    pressed_by: tuple[str, ...] = ()


class Pressed(StrEnum):
    """What became of a click on a button."""

    TAKEN = "taken"
    #: This person's earlier click on it is still being answered.
    ALREADY = "already"
    #: There is no such button (any more), or it asks nothing.
    GONE = "gone"
    #: Only the last answer of a conversation can be made again.
    PASSED = "passed"
    #: It asks nothing: it gives a file.
    EXPORT = "export"
    #: It asks nothing: it opens what the answer asks to be signed.
    CONSENT = "consent"
    #: It asks nothing: it opens the cards of orders that the answer proposes.
    ORDER = "order"


class Stopped(StrEnum):
    """What became of a click on Stop."""

    #: The answer says so itself.
    HERE = "here"
    #: Another instance works on it, and will notice within its next sweep.
    ELSEWHERE = "elsewhere"
    #: It is not this person's, or is over, or was stopped already.
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class ResponseSnapshot:
    """One poll's view of a response, as far as Slack shows it."""

    status: str
    text: str
    thoughts: tuple[str, ...]
    #: It may hold account data, so that it is shown only where that may be read.
    about_account: bool = True


# Ports: what the turn engine needs of the layers above; slack/ implements them.


class NotNow(OmnibotError):
    """Slack is not answering right now."""

    def __init__(self, wait: float) -> None:
        super().__init__()
        #: Seconds after which to ask again.
        self.wait = wait


class Undeliverable(OmnibotError):
    """Slack takes this reply nowhere."""


class AdmissionPort(Protocol):
    """Says who asks, what exactly, and where the reply goes."""

    async def direct(self, turn: Turn, admitted: Admitted, thread: tuple[str, str] | None) -> Admitted:
        """Move an admitted question to the asker's DM, leaving word where it was asked; repeating it changes nothing.

        Args:
            turn: the question.
            admitted: as `admit` said.
            thread: channel and root of the DM thread in which this person's questions of that place are answered.

        Raises:
            NotNow: Slack does not let us at the moment.
        """
        ...

    async def admit(self, turn: Turn) -> Admitted | TurnedAway:
        """Authorise the asker and read the question. May post a command's root message.

        Raises:
            NotNow: Slack does not say at the moment.
        """
        ...


class ConsentPolicy(Protocol):
    """Says who may sign agreements."""

    async def may_be_asked(self, turn: Turn, principal: str) -> bool:
        """Whether Omni may ask this turn's person for consent: they may sign, and are answered where that is private.

        Raises:
            NotNow: Slack does not say at the moment.
        """
        ...

    async def may_read_accounts(self, turn: Turn) -> bool:
        """Whether everybody who reads this turn's answer may read which account it is about. Never raises."""
        ...

    async def may_sign(self, turn: Turn, principal: str) -> AccessResult:
        """Whether this turn's person may sign for a principal, and if not whom to ask.

        Raises:
            NotNow: Slack does not say at the moment.
        """
        ...


class OrderProposals(Protocol):
    """Makes tickets of the orders that answers propose."""

    async def may_be_asked(self, turn: Turn, conversation: Conversation) -> bool:
        """Whether Omni may propose orders to this turn's person: they may trade, and what they are told may be seen.

        Raises:
            NotNow: Slack does not say at the moment.
        """
        ...

    async def propose(self, turn: Turn, answer: TurnAnswer) -> None:
        """See to it that what a delivered answer proposes by itself has tickets: once, however often this is asked."""
        ...


class Reply(Protocol):
    """The Slack message(s) in which a turn's answer appears."""

    def begin(self, turn: Turn) -> None:
        """Show that work has begun. Returns at once."""
        ...

    def progress(self, turn: Turn, snapshot: ResponseSnapshot, note: str | None = None) -> None:
        """Show this when there is time; the latest wins. Returns at once."""
        ...

    def stopping(self, turn: Turn) -> None:
        """Say that Stop was heard, however long it takes until Omni hears it. Returns at once."""
        ...

    async def finish(self, turn: Turn, answer: TurnAnswer, buttons: Sequence[OfferedButton]) -> float | None:
        """Deliver the whole answer; repeating it changes nothing.

        Returns:
            None once every word is in Slack, else the seconds after which to try again.

        Raises:
            Undeliverable: Slack takes it nowhere, in no form.
        """
        ...

    async def redraw(self, turn: Turn, answer: TurnAnswer, buttons: Sequence[OfferedButton]) -> None:
        """Bring a delivered reply up to date (a button was pressed). Best effort."""
        ...

    async def retract(self, turn: Turn) -> None:
        """Take back whatever shows that work had begun: the turn ends without a reply. Best effort."""
        ...

    async def tell_privately(self, turn: Turn, sentence: str, *, prompt: HeldFor | None = None) -> None:
        """Tell the asker privately, with a button that leads on. Best effort."""
        ...

    def drop(self, turn_id: str) -> None:
        """Forget what is in memory about this turn: somebody else owns it, or it ended."""
        ...


@dataclass(frozen=True, slots=True)
class Admitted:
    """The asker may ask, and this is the question."""

    question: str
    channel: str
    thread_ts: str
    #: Where an answer that holds account data may be shown to the asker.
    show: Show = Show.HERE


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """The asker may not ask, or asked nothing; they are told privately."""

    sentence: str
