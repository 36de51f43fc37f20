"""The rules of a turn: what content, time and errors mean for it. Pure: no IO, and `now` is a parameter."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from omnibot.clearstreet.models import (
    ActionButton,
    ChartPart,
    CustomPart,
    Message,
    OpenChart,
    OpenEntitlementConsent,
    OpenScreener,
    Part,
    PrefillCancel,
    PrefillModify,
    PrefillNew,
    Response,
    StructuredActionPart,
    SuggestedActionsPart,
    TextPart,
    ThinkingPart,
    Thread,
    UnknownAction,
    UnknownPart,
)
from omnibot.errors import (
    ClearStreetError,
    Conflict,
    Incomplete,
    Invalid,
    NotEntitled,
    NotFound,
    RateLimited,
    Unauthorised,
    Unavailable,
)
from omnibot.turns.model import Kind, OfferedButton, Outcome, ResponseSnapshot

# Content.

RETRY_LABEL = "Ask again"
REGENERATE_LABEL = "Regenerate"
#: Symbols and screens looked up for one answer, and symbols offered to be looked up.
MAX_LOOKUPS = 8
MAX_QUOTES = 3
#: Actions that propose orders.
PREFILLED = (PrefillNew, PrefillModify, PrefillCancel)
_TICKER = re.compile(r"\]\(ticker:([A-Za-z][A-Za-z0-9.\-]{0,11})\)")


def joined_text(parts: Sequence[Part]) -> str:
    """All text parts in order; empty ones do not count."""
    return "\n\n".join(part.text for part in parts if isinstance(part, TextPart) and part.text.strip())


def snapshot_of(response: Response) -> ResponseSnapshot:
    """What can be shown while Omni works: all text in order, and the thinking."""
    return ResponseSnapshot(str(response.status), joined_text(response.parts), all_thoughts(response.parts))


def all_thoughts(parts: Sequence[Part]) -> tuple[str, ...]:
    """Every thinking line in order."""
    return tuple(line for part in parts if isinstance(part, ThinkingPart) for line in part.thoughts)


def offers(
    parts: Sequence[Part],
    market_cards: Sequence[Mapping[str, Any]],
    *,
    outcome: Outcome,
    kind: Kind,
    mint: Callable[[], str],
    consent: bool = False,
    orders: bool = False,
) -> list[OfferedButton]:
    """Every button below an answer, in order, each with a token of ours.

    A button of Omni's asks its prompt; where it names a structured action of the same message, that is run instead.
    With neither, or with an action that cannot be run from here, it is shown as words.

    Args:
        parts: of the answer.
        market_cards: the market cards below them.
        outcome: an answer that failed or was stopped can be asked for again, one that succeeded made again.
        kind: what was asked.
        mint: makes tokens.
        consent: whether the asker may sign what the answer asks for.
        orders: whether the orders it proposes can become tickets.
    """
    found: list[OfferedButton] = []

    def add(kind: str, part_index: int, button_id: str, label: str, **more: Any) -> None:
        found.append(OfferedButton(mint(), len(found), kind, part_index, button_id, label, **more))

    _suggestions(parts, add, consent=consent, orders=orders)
    _quotes(parts, add)
    _exports(parts, market_cards, add)
    if outcome is not Outcome.SUCCEEDED:
        add("retry", -1, "retry", RETRY_LABEL)
    elif kind is not Kind.ACTION:
        add("regenerate", -1, "regenerate", REGENERATE_LABEL)
    return found


def _suggestions(parts: Sequence[Part], add: Callable[..., None], *, consent: bool, orders: bool) -> None:
    actions = {part.action_id: part for part in parts if isinstance(part, StructuredActionPart)}
    for index, part in enumerate(parts):
        for button in buttons_of(part):
            action = actions.get(button.action_id) if button.action_id else None
            more = {"prompt": button.prompt, "action_id": button.action_id}
            if action is not None and isinstance(action.action, OpenChart | OpenScreener):
                add("action", index, button.button_id, button.label, action=action_json(action), **more)
            elif consent and action is not None and isinstance(action.action, OpenEntitlementConsent):
                add("consent", index, button.button_id, button.label, **more)
            elif orders and action is not None and isinstance(action.action, PREFILLED):
                add("order", index, button.button_id, button.label, **more)
            else:
                asks = button.prompt and not button.action_id
                add("prompt" if asks else "words", index, button.button_id, button.label, **more)


def _quotes(parts: Sequence[Part], add: Callable[..., None]) -> None:
    """Omni's own links lead nowhere in Slack; the symbols they name can be looked up."""
    named = [symbol.upper() for part in parts if isinstance(part, TextPart) for symbol in _TICKER.findall(part.text)]
    for symbol in list(dict.fromkeys(named))[:MAX_QUOTES]:
        add("action", -1, f"ticker:{symbol}", f"{symbol} quote", action={"open_chart": {"symbol": symbol}})


def _exports(parts: Sequence[Part], market_cards: Sequence[Mapping[str, Any]], add: Callable[..., None]) -> None:
    for index, part in enumerate(parts):
        if isinstance(part, ChartPart) and has_points(part):
            add("export", index, f"part:{index}", "Chart data (CSV)")
        elif has_no_display(part):
            add("export", index, f"part:{index}", "Payload (JSON)")
    for number, market_card in enumerate(market_cards):
        if market_card.get("kind") == "screen" and market_card.get("rows"):
            add("export", -1, f"exhibit:{number}", "Screen (CSV)")


def has_points(part: ChartPart) -> bool:
    """Whether there is anything to draw."""
    chart = part.payload.data_chart
    return chart is not None and any(series.points for series in chart.series)


def has_no_display(part: Part) -> bool:
    """Whether the part is shown by its payload alone, or by a sentence that says how little it holds."""
    match part:
        case CustomPart() | UnknownPart():
            return True
        case StructuredActionPart():
            return isinstance(part.action, UnknownAction)
        case ChartPart():
            return part.payload.symbol_chart is None and not has_points(part)
        case _:
            return False


def action_json(part: StructuredActionPart) -> dict[str, Any]:
    """The action as the API sent it."""
    raw = part.raw.get("action") if isinstance(part.raw, dict) else None
    return raw if isinstance(raw, dict) else {}


def proposals(parts: Sequence[Part]) -> list[StructuredActionPart]:
    """The parts of an answer that propose orders."""
    return [part for part in parts if isinstance(part, StructuredActionPart) and isinstance(part.action, PREFILLED)]


def proposed_by_itself(parts: Sequence[Part]) -> list[StructuredActionPart]:
    """Of these, what no button stands for."""
    behind_buttons = {button.action_id for part in parts for button in buttons_of(part)}
    return [part for part in proposals(parts) if part.action_id not in behind_buttons]


def to_look_up(parts: Sequence[Part]) -> list[tuple[int, OpenChart | OpenScreener]]:
    """What an answer shows of the market by itself: symbol charts, and actions that no button runs; by part."""
    behind_buttons = {button.action_id for part in parts for button in buttons_of(part)}
    found: list[tuple[int, OpenChart | OpenScreener]] = []
    for index, part in enumerate(parts):
        match part:
            case ChartPart() if part.payload.data_chart is None and part.payload.symbol_chart is not None:
                chart = part.payload.symbol_chart
                found.append((index, OpenChart(chart.symbol, chart.timeframe)))
            case StructuredActionPart() if part.action_id not in behind_buttons:
                if isinstance(part.action, OpenChart | OpenScreener):
                    found.append((index, part.action))
            case _:
                pass
    return found[:MAX_LOOKUPS]


def buttons_of(part: Part) -> tuple[ActionButton, ...]:
    """The buttons a part brings."""
    match part:
        case SuggestedActionsPart():
            return part.buttons
        case ChartPart():
            return part.payload.buttons
        case _:
            return ()


# Said beside an answer.

OTHER_ACCOUNT = "This is a new conversation with Omni, about another account: it has not seen what was said before."
BACK = (
    "This goes on with an earlier conversation of this thread: Omni has not seen what was said in between, about "
    "another account."
)
MOVED = (
    "The earlier conversation of this thread goes on elsewhere, so this is a new one: Omni has not seen what was said "
    "before."
)
OTHER_PERSON = "This is a conversation of your own with Omni: it has not seen what others asked it in this thread."

# Time.

#: How long Omni may take before we say so, cancel and deliver what there is.
DEADLINE = {
    Kind.INSTANT: timedelta(minutes=3),
    Kind.DEEP_INSIGHTS: timedelta(minutes=15),
    Kind.ACTION: timedelta(minutes=1),
}

#: How long a turn waits for its asker to link a key, choose an account or sign an agreement.
HOLD = timedelta(hours=24)

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
        case Incomplete():
            return str(error)
        case _:
            return "Clear Street is not answering right now. Try again in a minute."


# Adoption: what to take for ours after an unknown outcome.


def take_over_message(
    messages: Sequence[Message], *, text: str, above_seq: int, taken: Collection[str]
) -> Message | None:
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


#: By so much the clocks of two machines may differ.
CLOCKS_DIFFER = timedelta(minutes=2)


def candidate_threads(threads: Sequence[Thread], *, since: datetime, known: Collection[str]) -> list[Thread]:
    """Omni threads that a lost create-thread may have made, oldest first; clocks may differ by two minutes."""
    earliest = since - CLOCKS_DIFFER
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
