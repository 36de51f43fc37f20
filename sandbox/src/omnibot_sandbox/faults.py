"""Hold, drop, refuse and delay calls on their way through an emulator.

A call passes two points: `before` (it arrived, nothing has happened) and `after` (it took effect, the answer is not
yet sent). A test plants a rule, waits until a call reaches it, does its damage (kills the bot, say) and lets it go:

    hold = gate.hold("chat.update", "after")
    call = await hold.reached()
    bot.kill()
    hold.release()              # or hold.drop(): the connection closes without an answer

`gate.drop(…)` and `gate.refuse(…, status=500)` do without the waiting; `gate.delay(…)`, `gate.every(…)` and
`gate.sometimes(…)` stay in force until they are removed, and take a `Drop`, `Reset`, `Silence`, `Truncate`, `Refuse` or
`Delay`. `gate.rules()` lists what is in force, and every rule can be
switched off and on again (`rule.enabled`) while calls are running.
"""

from __future__ import annotations

import asyncio
import contextlib
import fnmatch
import itertools
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

Point = Literal["before", "after"]


@dataclass(slots=True)
class Call:
    """One call an emulator received, in the order of arrival."""

    #: "POST /v1/omni-ai/threads" (ids replaced by their placeholder, `{thread_id}`) or "chat.postMessage".
    name: str
    #: What was asked: the path's ids, the query and the body (or Slack's merged arguments), as sent.
    args: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)
    #: Seconds since the epoch, and of time.monotonic(), at arrival.
    at: float = field(default_factory=time.time)
    monotonic: float = field(default_factory=time.monotonic)
    #: HTTP status sent (None: not answered yet, or dropped), and the JSON sent.
    status: int | None = None
    answer: Any = None
    #: True once the call took effect (it passed its `before` point and was accepted).
    accepted: bool = False
    #: True once its connection was closed without an answer.
    dropped: bool = False
    #: How many bytes of the answer's body get out before the connection closes (None: all).
    cut_after: int | None = None
    #: What a fault does to the connection, in words.
    damage: str = ""


Matches = Callable[[Call], bool]


class Dropped(Exception):
    """The emulator must close the connection without an answer."""


class Refused(Exception):
    """The emulator must answer this instead of its own answer."""

    def __init__(self, status: int, body: Any, headers: dict[str, str]) -> None:
        super().__init__(f"refused with {status}")
        self.status = status
        #: A str or bytes is sent as it is, anything else as JSON. None: the emulator's usual error envelope.
        self.body = body
        self.headers = headers


@dataclass(frozen=True, slots=True)
class Drop:
    """Close the connection without an answer."""

    def __str__(self) -> str:
        return "drop"


@dataclass(frozen=True, slots=True)
class Reset:
    """Reset the connection (RST) without an answer."""

    def __str__(self) -> str:
        return "reset the connection"


@dataclass(frozen=True, slots=True)
class Silence:
    """Keep the connection open and say nothing, until the rule lets go or is removed; then the call goes on."""

    def __str__(self) -> str:
        return "never answer"


@dataclass(frozen=True, slots=True)
class Truncate:
    """Let so many bytes of the answer's body out, then close the connection; the call takes effect."""

    after: int

    def __str__(self) -> str:
        return f"cut the answer off after {self.after} bytes"


@dataclass(frozen=True, slots=True)
class Refuse:
    """Answer this instead; a str or bytes is sent as it is (`"{"` is wrong JSON)."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"refuse with {self.status}"


@dataclass(frozen=True, slots=True)
class Delay:
    """Let the call go on after so many seconds, give or take up to `jitter`."""

    seconds: float
    jitter: float = 0.0

    def __str__(self) -> str:
        return f"delay by {self.seconds:g} s" + (f" ± {self.jitter:g} s" if self.jitter else "")


Fault = Drop | Reset | Silence | Truncate | Refuse | Delay


class Rule:
    """What befalls the calls whose name fits a glob, at one point of their way."""

    def __init__(
        self,
        pattern: str,
        point: Point,
        fault: Fault | None,
        *,
        count: int | None = None,
        matches: Matches | None = None,
        turn: Callable[[int], bool] | None = None,
        when: str = "always",
    ) -> None:
        self.id = 0
        self.pattern = pattern
        self.point = point
        self.fault = fault
        self.remaining = count  # how many more calls it befalls; None: no end
        self.matches = matches
        self.when = when  # in words, which of the fitting calls it befalls
        self.enabled = True  # switched off, it lets everything pass and counts nothing
        self.seen = 0  # calls that fitted …
        self.calls: list[Call] = []  # … and those it befell
        self._turn = turn
        self._jitter = random.Random(0)
        self._over = asyncio.Event()
        self._held = asyncio.Event()  # replaced each time held calls are let go
        self._hang_up = False
        self.holding = 0  # calls it keeps without an answer now

    @property
    def spent(self) -> bool:
        """True once it will befall no call any more, and holds none."""
        return (self.remaining == 0 and not self.holding) or self._over.is_set()

    def describe(self) -> dict[str, Any]:
        """The rule for a page that lists rules."""
        names = ("id", "pattern", "point", "when", "remaining", "enabled")
        shown = {name: getattr(self, name) for name in names}
        return {**shown, "fault": str(self.fault), "hits": len(self.calls), "holding": self.holding}

    def let_go(self, *, hang_up: bool = False) -> None:
        """Let the calls that wait without an answer go on, or hang up on them; the rule stays in force."""
        self._hang_up = hang_up
        self._held.set()
        self._held = asyncio.Event()

    def end(self) -> None:
        """Let go of the calls it holds up; it befalls no more."""
        self._over.set()
        self.let_go()

    def _befalls(self, point: Point, call: Call) -> bool:
        fits = (
            self.enabled
            and self.remaining != 0
            and not self.spent
            and self.point == point
            and fnmatch.fnmatchcase(call.name, self.pattern)
            and (self.matches is None or self.matches(call))
        )
        if not fits:
            return False
        self.seen += 1
        if self._turn is not None and not self._turn(self.seen):
            return False
        if self.remaining is not None:
            self.remaining -= 1
        self.calls.append(call)
        return True

    async def _befall(self, call: Call) -> bool:
        """Do it; True when no other rule shall have its turn with this call."""
        match self.fault:
            case Refuse(status, body, headers):
                raise Refused(status, body, dict(headers))
            case Delay(seconds, jitter):
                seconds += self._jitter.uniform(-jitter, jitter)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._over.wait(), max(0.0, seconds))
            case Silence():
                await self._keep_silent(call)
            case Truncate(after):
                call.cut_after = after
            case fault:
                call.damage = "reset" if isinstance(fault, Reset) else ""
                raise Dropped
        return False

    async def _keep_silent(self, call: Call) -> None:
        call.damage = "no answer"
        self.holding += 1
        try:
            await self._held.wait()
        finally:
            self.holding -= 1
        call.damage = ""
        if self._hang_up:
            raise Dropped


class Hold(Rule):
    """Holds at most `count` calls, one after the other or together, until the verdict."""

    def __init__(self, pattern: str, point: Point, count: int, matches: Matches | None) -> None:
        super().__init__(pattern, point, None, count=count, matches=matches)
        self._arrived = asyncio.Event()

    @property
    def spent(self) -> bool:
        return self.remaining == 0

    def describe(self) -> dict[str, Any]:
        return {**super().describe(), "fault": str(self.fault or ("release" if self._over.is_set() else "hold"))}

    async def reached(self, timeout: float = 60) -> Call:
        """Wait until a call stands at this point, and return it."""
        await asyncio.wait_for(self._arrived.wait(), timeout)
        return self.calls[-1]

    def release(self) -> None:
        """Let the held calls, and all that come later, go on."""
        self._decide(None)

    def drop(self) -> None:
        """Close the connections of the held calls (and of later ones, up to `count`) without an answer."""
        self._decide(Drop())

    def refuse(self, status: int, body: Any = None, headers: dict[str, str] | None = None) -> None:
        """Answer the held calls (and later ones, up to `count`) with this instead."""
        self._decide(Refuse(status, body, headers or {}))

    def end(self) -> None:
        self.release()

    def _decide(self, verdict: Fault | None) -> None:
        if not self._over.is_set():
            self.fault = verdict
            self._over.set()

    async def _befall(self, call: Call) -> bool:
        self._arrived.set()
        await self._over.wait()
        return self.fault is None or await super()._befall(call)


class Gate:
    """The rules of one emulator. Every call passes `await gate.at("before" | "after", call)`."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self._ids = itertools.count(1)
        #: Called when a rule befalls a call.
        self.on_hit: Callable[[], None] = lambda: None

    def hold(self, pattern: str, point: Point = "before", *, count: int = 1, matches: Matches | None = None) -> Hold:
        """Hold the next `count` calls whose name fits the glob `pattern` (and `matches`) until the verdict."""
        hold = Hold(pattern, point, count, matches)
        self.add(hold)
        return hold

    def drop(self, pattern: str, point: Point = "before", *, count: int = 1, matches: Matches | None = None) -> Hold:
        """Drop the next `count` matching calls at once: `before` they never happened, `after` they did."""
        hold = self.hold(pattern, point, count=count, matches=matches)
        hold.drop()
        return hold

    def refuse(
        self,
        pattern: str,
        point: Point = "before",
        *,
        status: int,
        body: Any = None,
        headers: dict[str, str] | None = None,
        count: int = 1,
        matches: Matches | None = None,
    ) -> Hold:
        """Answer the next `count` matching calls with this: `before` they did nothing, `after` they took effect."""
        hold = self.hold(pattern, point, count=count, matches=matches)
        hold.refuse(status, body, headers)
        return hold

    def delay(self, pattern: str, seconds: float, jitter: float = 0.0, *, point: Point = "before") -> Rule:
        """Slow down every matching call; other rules still have their turn with it afterwards."""
        return self.add(Rule(pattern, point, Delay(seconds, jitter)))

    def every(self, pattern: str, nth: int, fault: Fault, *, point: Point = "before") -> Rule:
        """Let the fault befall each `nth` matching call: the nth, the 2·nth, …"""
        return self.add(Rule(pattern, point, fault, turn=lambda seen: seen % nth == 0, when=f"every {nth}."))

    def sometimes(
        self, pattern: str, probability: float, fault: Fault, *, point: Point = "before", seed: int = 0
    ) -> Rule:
        """Let the fault befall a matching call with this probability; the same seed picks the same calls."""
        dice = random.Random(seed)
        often, when = lambda _: dice.random() < probability, f"with probability {probability:g}"
        return self.add(Rule(pattern, point, fault, turn=often, when=when))

    def add(self, rule: Rule) -> Rule:
        """Put a rule in force, after those that are."""
        rule.id = next(self._ids)
        self._rules.append(rule)
        return rule

    def rules(self) -> list[Rule]:
        """The rules in force, in the order in which they have their turn."""
        return [rule for rule in self._rules if not rule.spent]

    def remove(self, rule: Rule) -> None:
        """Take a rule out of force; what it holds up goes on."""
        rule.end()
        self._rules = [other for other in self._rules if other is not rule]

    def clear(self) -> None:
        """Release everything and forget all rules."""
        for rule in self._rules:
            self.remove(rule)

    async def at(self, point: Point, call: Call) -> None:
        """Stand here if a rule says so.

        Raises:
            Dropped: the verdict is to close the connection without an answer.
            Refused: the verdict is to answer something else.
        """
        for rule in list(self._rules):
            if not rule._befalls(point, call):
                continue
            self.on_hit()
            if await rule._befall(call):
                return
