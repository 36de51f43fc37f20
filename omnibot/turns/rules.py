"""The rules of a turn: what content, time and errors mean for it. Pure: no IO, and `now` is a parameter."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from omnibot.clearstreet.models import (
    ActionButton,
    ChartPart,
    Message,
    Part,
    Response,
    SuggestedActionsPart,
    TextPart,
    ThinkingPart,
    Thread,
)
from omnibot.errors import (
    ClearStreetError,
    Conflict,
    Invalid,
    NotEntitled,
    NotFound,
    RateLimited,
    Unauthorised,
    Unavailable,
)
from omnibot.turns.model import Kind, OfferedButton, Snapshot

# Content.


def joined_text(parts: Sequence[Part]) -> str:
    """All text parts in order; empty ones do not count."""
    return "\n\n".join(part.text for part in parts if isinstance(part, TextPart) and part.text.strip())


def snapshot_of(response: Response) -> Snapshot:
    """What can be shown while Omni works: all text in order, and the thinking."""
    return Snapshot(str(response.status), joined_text(response.parts), all_thoughts(response.parts))


def all_thoughts(parts: Sequence[Part]) -> tuple[str, ...]:
    """Every thinking line in order."""
    return tuple(line for part in parts if isinstance(part, ThinkingPart) for line in part.thoughts)


def offered(parts: Sequence[Part], tokens: Sequence[str]) -> list[OfferedButton]:
    """The buttons of every suggested_actions and chart part, in order, each with a token of ours.

    With a structured action, or with neither prompt nor action, nothing can be asked: those are shown as words.
    """
    found = [(index, button) for index, part in enumerate(parts) for button in buttons_of(part)]
    return [
        OfferedButton(
            token=token,
            position=position,
            kind="prompt" if button.prompt and not button.action_id else "words",
            part_index=index,
            button_id=button.button_id,
            label=button.label,
            prompt=button.prompt,
            action_id=button.action_id,
        )
        for position, ((index, button), token) in enumerate(zip(found, tokens, strict=False))
    ]


def buttons_of(part: Part) -> tuple[ActionButton, ...]:
    """The buttons a part brings."""
    match part:
        case SuggestedActionsPart():
            return part.buttons
        case ChartPart():
            return part.payload.buttons
        case _:
            return ()


def count_buttons(parts: Sequence[Part]) -> int:
    """How many buttons the parts bring."""
    return sum(len(buttons_of(part)) for part in parts)


# Time.

#: How long Omni may take before we say so, cancel and deliver what there is.
DEADLINE = {Kind.INSTANT: timedelta(minutes=3), Kind.DEEP_INSIGHTS: timedelta(minutes=15)}

#: A turn longer than this ends in a new post: edits notify nobody.
LATE = timedelta(seconds=30)

MAX_WAITING_IN_CONVERSATION = 5
MAX_WAITING_OF_PERSON = 20


@dataclass(frozen=True, slots=True)
class _Rhythm:
    first: float
    growing: float
    resting: float


#: Seconds: to the first poll, between polls while the answer grows, between polls when it rests. Twelve polls for an
#: answer of ten seconds, and on average less than half a second between Omni's last word and our seeing it.
_RHYTHM = {Kind.INSTANT: _Rhythm(0.6, 0.95, 2.0), Kind.DEEP_INSIGHTS: _Rhythm(1.0, 1.0, 5.0)}


def poll_after(kind: Kind, age: float, since_change: float, chance: float) -> float:
    """Seconds until the next poll: quick while the answer grows, slower when it rests or has taken long.

    Args:
        kind: what was asked for.
        age: seconds since Omni accepted the question; 0 asks for the time to the first poll.
        since_change: seconds since the response last changed.
        chance: a random number in [0, 1), spreading polls by ±10 % so that many turns do not poll in step.
    """
    rhythm = _RHYTHM[kind]
    if age <= 0:
        wait = rhythm.first
    else:
        rested = 0.2 * max(0.0, since_change - 2)
        aged = 0.05 * max(0.0, age - 15)
        wait = min(rhythm.resting, rhythm.growing + max(rested, aged))
    return wait * (0.9 + 0.2 * chance)


def is_late(started_at: datetime | None, now: datetime) -> bool:
    """Whether the turn took so long that its end should notify the asker."""
    return started_at is not None and now - started_at > LATE


def backoff(tries: int, *, first: float, most: float) -> float:
    """Seconds before the next try: doubling from `first` up to `most`."""
    return min(most, first * 2.0 ** min(tries, 20))


# What an error of a create call means.


class Verdict(StrEnum):
    """What to do after a create call raised."""

    #: Nothing happened at Omni: try again after the API's wait.
    WAIT = "wait"
    #: The thread is busy, or its scope changed.
    BUSY = "busy"
    #: It may have happened: look before anything else.
    UNKNOWN = "unknown"
    #: The Omni thread is gone: open a new one.
    GONE = "gone"
    #: It did not happen and will not.
    REFUSED = "refused"


def after_create_error(error: ClearStreetError, *, continuing: bool) -> Verdict:
    """Judge a failed create-thread (or, `continuing`, create-message)."""
    match error:
        case RateLimited():
            return Verdict.WAIT
        case Conflict():
            return Verdict.BUSY if continuing else Verdict.UNKNOWN
        case NotFound() if continuing:
            return Verdict.GONE
        case Unavailable() | Invalid(status=408 | 425):
            return Verdict.UNKNOWN
        case _:
            return Verdict.REFUSED


def in_plain_words(error: ClearStreetError) -> str:
    """What a person is told about an API error, and what to do next."""
    match error:
        case RateLimited():
            return "Clear Street is handling too many requests right now. Try again in a minute."
        case Unauthorised():
            return "Clear Street does not accept omnibot's API key. Ask whoever runs omnibot to renew it."
        case NotEntitled():
            return "Clear Street does not let this API key ask Omni for this account. Ask whoever runs omnibot."
        case NotFound():
            return "Clear Street no longer knows this conversation. Ask again to start a new one."
        case Conflict():
            return "Omni is still busy with an earlier question of this conversation. Try again in a minute."
        case Invalid():
            said = f" It says: “{error.api_message}”" if error.api_message else ""
            return f"Clear Street did not accept the question.{said}"
        case _:
            return "Clear Street is not answering right now. Try again in a minute."


# Adoption: what to take for ours after an unknown outcome.


def adopt_message(messages: Sequence[Message], *, text: str, above_seq: int, taken: Collection[str]) -> Message | None:
    """Find the USER message that our lost create-message made: our text, newer than what we knew, nobody else's."""
    for message in messages:
        if (
            message.role == "USER"
            and message.seq > above_seq
            and message.id not in taken
            and joined_text(message.parts).strip() == text.strip()
        ):
            return message
    return None


def answer_to(messages: Sequence[Message], user_seq: int) -> Message | None:
    """The ASSISTANT message that answers the USER message with this `seq`, if it is finalised."""
    for message in sorted(messages, key=lambda m: m.seq):
        if message.seq > user_seq:
            return message if message.role == "ASSISTANT" else None
    return None


def candidate_threads(threads: Sequence[Thread], *, since: datetime, known: Collection[str]) -> list[Thread]:
    """Omni threads that a lost create-thread may have made, oldest first; clocks may differ by two minutes."""
    earliest = since - timedelta(minutes=2)
    fitting = [t for t in threads if t.id not in known and (t.created_at is None or _naive(t.created_at) >= earliest)]
    return sorted(fitting, key=lambda t: t.id)


def is_first_question(message: Message, *, kind: Kind, question: str, ticker: str | None) -> bool:
    """Whether a thread's first USER message is the one we sent.

    Omni words a deep insight's user message itself: there, naming the ticker must do.
    """
    said = joined_text(message.parts).strip()
    if kind is Kind.DEEP_INSIGHTS and ticker:
        return ticker.upper() in said.upper()
    return said == question.strip()


def _naive(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        return moment
    offset = moment.utcoffset() or timedelta()
    return moment.replace(tzinfo=None) - offset
