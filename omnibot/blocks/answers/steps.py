"""Omni's thinking as steps that a person can follow: what is done, and what is under way."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from omnibot.blocks.layout.builders import one_line, shorten

#: "[2/4] Reading the filings": a phase of a long answer.
_PHASE: Final = re.compile(r"\[\s*(\d{1,3})\s*/\s*(\d{1,3})\s*\]\s*(.*)", re.DOTALL)
#: Slack documents 256 characters for a title and 50 tasks for a plan; but the limit on all of a stream together is low.
TITLE: Final = 80
MOST: Final = 12


class StepProgress(StrEnum):
    """Slack's own names for a task's state."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETE = "complete"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing Omni does. Its place in the list is its identity."""

    title: str
    progress: StepProgress


@dataclass(frozen=True, slots=True)
class Steps:
    """All of them, and how many Omni says there will be (0: it does not say)."""

    steps: tuple[Step, ...]
    phase: int = 0
    phases: int = 0

    @property
    def where(self) -> str:
        """ "step 2 of 4", or nothing."""
        return f"step {self.phase} of {self.phases}" if self.phases else ""


def read_steps(thoughts: Sequence[str], *, over: bool = False) -> Steps:
    """Thinking lines, oldest first, as steps; `over` when nothing is being done any more.

    The same phase said again is the same step with a new title. Beyond `MOST` steps the newest takes the last place.
    """
    titles: list[str] = []
    places: dict[int, int] = {}
    phase = phases = 0
    for line in thoughts:
        found = _PHASE.fullmatch(line.strip())
        words = one_line(found[3] if found else line)
        if found:
            phase, phases = int(found[1]), int(found[2])
            words = words or f"Step {phase}"
        if not words:
            continue
        title = shorten(words, TITLE)
        if found and phase in places:
            titles[places[phase]] = title
            continue
        if found:
            places[phase] = len(titles)
        if not titles or titles[-1] != title:
            titles.append(title)
    last = len(titles) - 1
    steps = [
        Step(title, StepProgress.COMPLETE if over or number < last else StepProgress.IN_PROGRESS)
        for number, title in enumerate(titles)
    ]
    return Steps((*steps[: MOST - 1], *steps[MOST - 1 :][-1:]), min(phase, phases), phases)
