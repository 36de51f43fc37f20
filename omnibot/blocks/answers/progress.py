"""What is shown while Omni works: plan steps and growing text, as a message or as a stream.

The same `View` is drawn either way. A message is drawn anew each time; a stream only grows, so its chunks are what is
new since the last ones, and a view that takes back what was streamed cannot be said in a stream at all.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from omnibot.blocks.answers.steps import TITLE, Step, StepProgress, Steps, read_steps
from omnibot.blocks.layout.builders import actions, button, context, fallback, markdown, one_line, shorten
from omnibot.blocks.layout.types import Block, Page
from omnibot.blocks.limits import FALLBACK_TEXT
from omnibot.blocks.markdown.escaping import escape
from omnibot.blocks.markdown.render import plain_text, safe, split
from omnibot.blocks.markdown.structure import read

WORKING: Final = "Working on it…"
STOPPING: Final = "Stopping…"
#: Of the button that stops an answer. Slack's own Stop stands where it streams, or where agent sessions are known.
STOP_ACTION: Final = "omni_stop"
#: Steps drawn in a message that is drawn anew each time: what was done long before is of no use to anybody.
_STEPS: Final = 6
#: UTF-8 bytes of one growing message: Slack refuses a stream somewhere above 10,600, tasks included.
_BYTES: Final = 7_000
#: Messages that grow at a time, and how much of a text is looked at to fill them; all of it comes with the answer.
_MESSAGES: Final = 4
_LOOKED_AT: Final = 40_000
#: And lines of it: each may be a block of its own, which costs more than its characters.
_LINES_LOOKED_AT: Final = 800
#: A link, image or entity whose end has not arrived yet.
_UNFINISHED: Final = re.compile(
    r"(?:!?\[[^\[\]\n]{0,300}(?:\](?:\([^()\s]{0,2000})?)?|<[^<>\s]{0,2000}|&[#\w]{0,31})\Z"
)
#: The first or last line of a code block, while it may still become longer: closed, it would look like an empty block.
_HALF_FENCE: Final = re.compile(r"^([ \t>]*)(?:`+[^`\n]*|~{3,}[^\n]*|~{1,2})\Z", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class View:
    """One moment of a growing answer."""

    #: What it is doing, or waits for, in plain words.
    status: str
    steps: Steps
    #: The text so far, safe, a piece for each message; at least one, perhaps empty.
    pieces: tuple[str, ...]
    #: Whole seconds since the question, when they are worth saying.
    elapsed: int | None = None

    @property
    def title(self) -> str:
        """Status, elapsed time and phase in one line."""
        time = f" · {duration(self.elapsed)}" if self.elapsed is not None else ""
        where = f" · {self.steps.where}" if self.steps.where else ""
        return f"{self.status}{time}{where}"


@dataclass(frozen=True, slots=True)
class Shown:
    """What one message of a stream holds."""

    title: str = ""
    steps: tuple[Step, ...] = ()
    text: str = ""


def view(*, thoughts: Sequence[str], text: str, waiting: str | None = None, elapsed: float | None = None) -> View:
    """A moment of an answer.

    Args:
        thoughts: Omni's thinking so far, oldest first.
        text: the answer so far, as it came.
        waiting: what it waits for, in plain words, instead of "Working on it…".
        elapsed: seconds since the question.
    """
    status = shorten(waiting, TITLE) if waiting else WORKING
    words = safe(settled(_beginning(text)))
    pieces = split(words, limit=_space(words))[:_MESSAGES] or [""]
    pieces[-1] = _open_ended(pieces[-1], words)
    return View(status, read_steps(thoughts), tuple(pieces), None if elapsed is None else int(elapsed))


def progress_page(moment: View, number: int = 0, *, stop: str | None = None) -> Page:
    """One message of a growing answer, drawn whole; the steps stand above the first.

    Args:
        moment: what to draw.
        number: of the message.
        stop: what a press on its Stop button brings back; None: it has none.
    """
    piece = moment.pieces[number]
    blocks: list[Block] = []
    lines: list[str] = []
    if number == 0:
        lines = [f"{_SIGN[step.progress]} {step.title}" for step in moment.steps.steps[-_STEPS:]]
        blocks.append(context("\n".join(map(escape, [one_line(moment.title), *lines]))))
    if piece:
        blocks.append(markdown(piece))
    if stop is not None:
        label = "Stop this answer; what Omni already said stays"
        blocks.append(actions([button(STOP_ACTION, stop, "Stop", accessibility_label=label)]))
    words = plain_text(piece, FALLBACK_TEXT) if piece else ""
    return Page(blocks or [context(escape(WORKING))], words or fallback(" ".join([moment.title, *lines[-1:]]), 3_000))


def streamed(moment: View, number: int, *, heading: str = "") -> Shown:
    """What message `number` of the stream should hold at this moment; `heading` stands above its first text."""
    if number:
        # A stream is known by its tasks alone until it ends, so each has one.
        return Shown("", (Step("Continued", StepProgress.COMPLETE),), moment.pieces[number])
    steps = moment.steps.steps or (Step(moment.status, StepProgress.IN_PROGRESS),)
    return Shown(one_line(moment.title), steps, heading + moment.pieces[0])


def chunks(mark: str, before: Shown, now: Shown) -> list[dict[str, Any]] | None:
    """What to append to a stream that holds `before`, so that it holds `now`; None: no appending makes it so.

    Args:
        mark: begins the ids of the stream's tasks.
    """
    if not now.text.startswith(before.text):
        return None
    out: list[dict[str, Any]] = []
    if now.title != before.title:
        out.append({"type": "plan_update", "title": now.title})
    for number, step in enumerate(now.steps):
        if number >= len(before.steps) or before.steps[number] != step:
            task = {"type": "task_update", "id": f"{mark}{number}", "title": step.title, "status": step.progress.value}
            out.append(task)
    for number, step in enumerate(before.steps[len(now.steps) :], start=len(now.steps)):
        if step.progress is not StepProgress.COMPLETE:
            task = {"type": "task_update", "id": f"{mark}{number}", "title": step.title, "status": "complete"}
            out.append(task)
    if more := now.text[len(before.text) :]:
        out.append({"type": "markdown_text", "text": more})
    return out


def closing(shown: Shown) -> Shown:
    """The same with every step done."""
    return replace(shown, steps=tuple(Step(step.title, StepProgress.COMPLETE) for step in shown.steps))


def settled(text: str) -> str:
    """`text` without what only looks right once more of it is there: half a link, a table without its first row."""
    text = _HALF_FENCE.sub(r"\1", _UNFINISHED.sub("", text))
    text = _without_bare_quote(text)
    if text.endswith("\n\n"):
        return text
    lines = text.removesuffix("\n").split("\n")
    begin = len(lines)
    while begin > 0 and lines[begin - 1].lstrip().startswith("|"):
        begin -= 1
    rows = len(lines) - begin
    if rows and not text.endswith("\n"):
        rows -= 1  # the last row is still being written
    return "\n".join(lines[: begin + rows] if rows > 2 else lines[:begin])


def _beginning(text: str) -> str:
    """As much of a text as is looked at while it grows."""
    looked_at = text[:_LOOKED_AT]
    if looked_at.count("\n") <= _LINES_LOOKED_AT:
        return looked_at
    return "\n".join(looked_at.split("\n", _LINES_LOOKED_AT)[:_LINES_LOOKED_AT])


def _without_bare_quote(text: str) -> str:
    """`text` without last lines of a quote that say nothing yet: a code block above them would be closed for them."""
    lines = text.removesuffix("\n").split("\n")
    # Spaces alone may become a line of the same quote.
    last = said = len(lines) - (not lines[-1].strip(" \t") and len(lines) > 1)
    while said > 1 and ">" in lines[said - 1] and not lines[said - 1].strip(" \t>"):
        said -= 1
    return text if said == last else "\n".join(lines[:said]) + "\n"


def duration(seconds: float) -> str:
    """Seconds in words."""
    minutes, rest = divmod(max(int(seconds), 0), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


_SIGN: Final = {
    StepProgress.COMPLETE: "✓",
    StepProgress.IN_PROGRESS: "…",
    StepProgress.PENDING: "·",
    StepProgress.ERROR: "✗",
}


def _open_ended(piece: str, words: str) -> str:
    """`piece` without the end of a code block that is still being written: a stream could not take it back."""
    rest, _, last = piece.rpartition("\n")
    fence = last.strip(" >")
    if fence and set(fence) in ({"`"}, {"~"}):
        fences = read(words.split("\n")).fences
        return rest if fences and not fences[-1].closed else piece
    return piece


def _space(words: str) -> int:
    """Characters of one piece, so that it keeps to `_BYTES`; in few sizes, so that growing text keeps its cuts."""
    weight = len(words.encode("utf-8", "surrogatepass")) / max(len(words), 1)
    return _BYTES if weight < 1.2 else _BYTES // 2 if weight < 1.9 else _BYTES // 3
