"""Scripted turns: data files that say which question gets which snapshots, and when.

A script is one JSON object:

    name       its name; `follows` and tests refer to it
    pattern    regex, case-insensitive, searched in the question; its named groups become `{variables}` of all texts
    follows    optional: only in a thread in which one of these scripts (a name or a list) already answered
    kind       "instant" (default) or "deep_insights"
    revisions  optional: only in these revisions of the API
    when       optional: only if {entitled: true | false} (may Omni see the account's data?), {consent: true | false}
               (did the caller name the capability to ask for that?) and {open_order: true | false} (has the account an
               open order, of the {ticker} if the question names one?) are so
    snapshots  a list of {at, status, parts}: what polls see from `at` seconds on. Instead of `parts`:
               {at, reveal: 0.4, thoughts: […]}: that fraction of the final text, and thinking after it;
               {from, to, steps, thoughts}: growing text, in even steps
    final      {at, status, parts, error?, outcome?}; thinking kept on the response: `thoughts`, or `response_parts`

An open order is known as {order.id}, {order.symbol}, {order.side}, {order.left}, {order.limit} and {order.better} (a
limit that is sooner met), and what the account holds as {positions.table}. The points of a chart's series may be given
as {count, seed}: so many days of a price that wanders.

A text part may give its text as a list of lines, or as `files`: a list of file names beside the script, or of
{file, for: [{variable: value}, …]}, which repeats the file once per entry.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from omnibot_sandbox.clearstreet.chart_points import with_points
from omnibot_sandbox.clearstreet.quotes import describe

JSON = dict[str, Any]

_FOLDER = files("omnibot_sandbox.clearstreet") / "scripts"
_VARIABLE = re.compile(r"\{([a-z_]+(?:\.[a-z_]+)?)\}")
_OUTCOMES = {"succeeded": "completed", "failed": "errored", "canceled": "canceled"}


@dataclass(frozen=True, slots=True)
class Frame:
    """What polls see from a moment on."""

    at: float
    status: str
    parts: list[Any]
    error: JSON | None = None
    #: Only on a last frame: the message's outcome, and its parts where they are not these without their thinking.
    outcome: str | None = None
    message_parts: list[Any] | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """One turn from its first frame to its last."""

    script: str
    frames: list[Frame]
    variables: dict[str, Any] = field(default_factory=dict)

    def at(self, elapsed: float) -> Frame:
        """The frame that shows after so many scripted seconds."""
        return next((frame for frame in reversed(self.frames) if frame.at <= elapsed), self.frames[0])


@dataclass(frozen=True, slots=True)
class Situation:
    """What the choice of a script depends on beside the words."""

    #: Empty: any.
    revision: str = ""
    entitled: bool = False
    #: Facts about the newest open order of a symbol, or of any; None when there is none.
    order: Callable[[str | None], dict[str, Any] | None] = lambda _: None
    #: Facts about the account.
    facts: Mapping[str, Any] = field(default_factory=dict)
    #: Whether the caller can show an agreement to be signed, as its capabilities say.
    consent: bool = False


class ScriptBook:
    """All scripts, those of the package and those a test added."""

    def __init__(self) -> None:
        self._added: list[JSON] = []
        self._shipped = _SHIPPED

    @property
    def names(self) -> list[str]:
        """The names of the scripts that come with the package."""
        return [script["name"] for script in self._shipped]

    def add(self, script: JSON) -> None:
        """Add one; of several that match, the newest wins."""
        self._added.insert(0, _prepared(script))

    def plan(
        self,
        kind: str,
        question: str,
        earlier: Sequence[str],
        variables: dict[str, Any],
        account_id: int | None,
        situation: Situation | None = None,
    ) -> Plan:
        """The turn that answers this question in a thread where `earlier` scripts answered before."""
        situation = situation or Situation()
        for script in (*self._added, *self._shipped):
            follows = script.get("follows", [])
            names = [follows] if isinstance(follows, str) else follows
            if script.get("kind", "instant") != kind or (names and not set(names) & set(earlier)):
                continue
            found = re.search(script["pattern"], question, re.IGNORECASE)
            if not found:
                continue
            own = {name: value for name, value in found.groupdict().items() if value is not None}
            order = situation.order(own.get("ticker"))
            if _suits(script, situation, order):
                known = {**script.get("defaults", {}), **variables, **own}
                known |= {"question": question, "account_id": account_id, **situation.facts, **(order or {})}
                return _perform(script, {**known, **describe(known)})
        raise LookupError(f"no script answers {kind} {question!r}")


def _suits(script: JSON, situation: Situation, order: dict[str, Any] | None) -> bool:
    revisions, wanted = script.get("revisions"), script.get("when", {})
    if revisions and situation.revision and situation.revision not in revisions:
        return False
    real = {"entitled": situation.entitled, "consent": situation.consent, "open_order": order is not None}
    return all(real[name] == value for name, value in wanted.items())


def check(script: JSON) -> None:
    """Complain about a script that could not be performed.

    Raises:
        ValueError: what is wrong with it.
    """
    missing = {"name", "pattern", "final"} - script.keys()
    if missing:
        raise ValueError(f"script {script.get('name')!r} lacks {', '.join(sorted(missing))}")
    if script["final"].get("status") not in _OUTCOMES:
        raise ValueError(f"script {script['name']!r} must end in one of {', '.join(_OUTCOMES)}")
    if unknown := script.get("when", {}).keys() - {"entitled", "consent", "open_order"}:
        raise ValueError(f"script {script['name']!r} depends on {', '.join(sorted(unknown))}, which nobody knows")
    re.compile(script["pattern"])
    starts = [entry.get("at", entry.get("from")) for entry in (*script.get("snapshots", []), script["final"])]
    if starts != sorted(starts):
        raise ValueError(f"script {script['name']!r} is not in the order of time")


def without_thinking(parts: list[Any]) -> list[Any]:
    """The parts as a finalised message keeps them."""
    return [part for part in parts if not (isinstance(part, dict) and part.get("type") == "thinking")]


def _perform(script: JSON, variables: dict[str, Any]) -> Plan:
    final = _fill(script["final"], variables)
    parts = final.get("parts", [])
    text = next((p["text"] for p in parts if isinstance(p, dict) and p.get("type") == "text"), "")
    frames = [Frame(0, "queued", [])]
    for entry in script.get("snapshots", []):
        frames += _frames(_fill(entry, variables), text)
    end = Frame(
        final["at"],
        final["status"],
        final.get("response_parts", [*parts, *_thinking(final)]),
        error=final.get("error"),
        outcome=final.get("outcome", _OUTCOMES[final["status"]]),
        message_parts=without_thinking(parts),
    )
    kept = {name: value for name, value in variables.items() if name in ("ticker", "other")}
    return Plan(script["name"], [*frames, end], kept)


def _frames(entry: JSON, text: str) -> Iterator[Frame]:
    status = entry.get("status", "running")
    if "parts" in entry:
        yield Frame(entry["at"], status, entry["parts"])
    elif "from" in entry:
        for step in range(entry["steps"]):
            share = (step + 1) / (entry["steps"] + 1)
            at = entry["from"] + (entry["to"] - entry["from"]) * step / entry["steps"]
            yield Frame(at, status, [_text(_beginning(text, share)), *_thinking(entry)])
    elif "reveal" in entry:
        yield Frame(entry["at"], status, [_text(_beginning(text, entry["reveal"])), *_thinking(entry)])
    else:
        yield Frame(entry["at"], status, _thinking(entry))


def _text(text: str) -> JSON:
    return {"text": text, "type": "text"}


def _thinking(entry: JSON) -> list[Any]:
    return [{"thoughts": entry["thoughts"], "type": "thinking"}] if entry.get("thoughts") else []


def _beginning(text: str, share: float) -> str:
    """That share of the text, cut where a word ends."""
    if share >= 1:
        return text
    length = int(len(text) * share)
    return text[: max(text.rfind(" ", 0, length), text.rfind("\n", 0, length), 0)]


def _written(entry: JSON) -> JSON:
    """A snapshot with the text of its text parts spelled out."""
    lists = {name: entry[name] for name in ("parts", "response_parts") if name in entry}
    return {**entry, **{name: [_written_part(part) for part in parts] for name, parts in lists.items()}}


def _written_part(part: Any) -> Any:
    if isinstance(part, dict) and part.get("type") == "chart":
        return with_points(part)
    if not isinstance(part, dict) or part.get("type") != "text":
        return part
    if "files" in part:
        return _text("\n".join(_read(entry) for entry in part["files"]).strip())
    return {**part, "text": "\n".join(part["text"])} if isinstance(part.get("text"), list) else part


def _read(entry: str | JSON) -> str:
    if isinstance(entry, str):
        return (_FOLDER / entry).read_text("utf-8")
    once = (_FOLDER / entry["file"]).read_text("utf-8")
    return "\n".join(str(_fill(once, variables)) for variables in entry["for"])


def _fill(value: Any, variables: dict[str, Any]) -> Any:
    """The value with its `{variables}` put in; what has no value stays as it is written."""
    if isinstance(value, str):
        whole = _VARIABLE.fullmatch(value)
        if whole and whole[1] in variables:
            return variables[whole[1]]  # "{account_id}" alone stays a number
        return _VARIABLE.sub(lambda found: str(variables.get(found[1], found[0])), value)
    if isinstance(value, list):
        return [_fill(item, variables) for item in value]
    if isinstance(value, dict):
        return {name: _fill(item, variables) for name, item in value.items()}
    return value


def _prepared(script: JSON) -> JSON:
    """The script, checked, and with its texts spelled out."""
    check(script)
    snapshots = [_written(entry) for entry in script.get("snapshots", [])]
    return {**script, "snapshots": snapshots, "final": _written(script["final"])}


def _load() -> list[JSON]:
    scripts = [
        _prepared(json.loads(path.read_text("utf-8"))) for path in _FOLDER.iterdir() if path.name[-5:] == ".json"
    ]
    # The catch-alls come last, and one that follows an earlier turn comes before one that does not.
    return sorted(scripts, key=lambda script: (script["pattern"] == "", "follows" not in script, script["name"]))


#: Read with the module, as if they were code: an emulator is usually made where files must not be read, in a loop.
_SHIPPED = _load()
