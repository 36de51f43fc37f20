"""What a regular expression costs, in steps: a backtracking matcher that counts what Python's own does not tell.

It tries what Python's matcher tries, in the same order, one step for each attempt. And it makes the texts on which a
pattern would cost most: every repetition of it pumped, in front of something that does not match.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache, lru_cache, partial
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

_ENDLESS = 1 << 20
_SPACE, _WORD = str.isspace, lambda c: c.isalnum() or c == "_"
_CATEGORIES: dict[Any, Callable[[str], bool]] = {
    sre.CATEGORY_DIGIT: str.isdecimal,
    sre.CATEGORY_NOT_DIGIT: lambda c: not c.isdecimal(),
    sre.CATEGORY_SPACE: _SPACE,
    sre.CATEGORY_NOT_SPACE: lambda c: not c.isspace(),
    sre.CATEGORY_WORD: _WORD,
    sre.CATEGORY_NOT_WORD: lambda c: not _WORD(c),
}
#: Tried, in different orders, for what a class of characters stands for.
_SAMPLES = " a-.\t0A:/_\n|*`\"'(<>=,;!&#[]\\~\r+%X{}\x01"


class Counter:
    """Steps so far."""

    def __init__(self, most: int = 20_000_000) -> None:
        self.steps = 0
        self._most = most

    def step(self, count: int = 1) -> None:
        self.steps += count
        if self.steps > self._most:
            raise RuntimeError("far too many steps")


class Program:
    """A pattern, compiled to instructions with explicit alternatives."""

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self.flags = pattern.flags
        self.tree = _parser.parse(pattern.pattern, pattern.flags)
        self._code: list[tuple[Any, ...]] = []
        self._emit(self.tree, self.flags)
        self._code.append(("match",))

    def match(self, text: str, start: int, counter: Counter, *, whole: bool = False) -> int | None:
        """Where a match that begins at `start` ends."""
        return _run(self._code, text, start, counter, whole=whole)

    def spans(self, text: str, start: int, counter: Counter) -> Iterator[tuple[int, int]]:
        """All matches from `start` on, as `finditer` finds them."""
        while start <= len(text):
            end = self.match(text, start, counter)
            if end is None:
                start += 1
                continue
            yield start, end
            start = max(end, start + 1)

    def _emit(self, nodes: Any, flags: int) -> None:
        for op, value in nodes:
            self._emit_one(op, value, flags)

    def _emit_one(self, op: Any, value: Any, flags: int) -> None:
        code = self._code
        if op in (sre.LITERAL, sre.NOT_LITERAL, sre.IN, sre.ANY):
            code.append(("char", _accepts(op, value, flags)))
        elif op is sre.SUBPATTERN:
            self._emit(value[3], (flags | value[1]) & ~value[2])
        elif op is sre.BRANCH:
            self._branch(value[1], flags)
        elif op in (sre.MAX_REPEAT, sre.MIN_REPEAT):
            least, most, body = value
            self._repeat(least, most, body, flags, lazy=op is sre.MIN_REPEAT)
        elif op is sre.POSSESSIVE_REPEAT:
            code.append(("inside", self._part([(sre.MAX_REPEAT, value)], flags)))
        elif op is sre.ATOMIC_GROUP:
            code.append(("inside", self._part(value, flags)))
        elif op in (sre.ASSERT, sre.ASSERT_NOT):
            direction, inner = value
            back = inner.getwidth()[1] if direction < 0 else 0
            code.append(("look", self._part(inner, flags), back, op is sre.ASSERT))
        elif op is sre.AT:
            code.append(("at", value, bool(flags & re.MULTILINE)))
        else:
            raise NotImplementedError(op)

    def _part(self, nodes: Any, flags: int) -> list[tuple[Any, ...]]:
        outer, self._code = self._code, []
        self._emit(nodes, flags)
        self._code.append(("match",))
        inner, self._code = self._code, outer
        return inner

    def _branch(self, branches: Any, flags: int) -> None:
        ends = []
        for branch in branches[:-1]:
            split = len(self._code)
            self._code.append(())
            self._emit(branch, flags)
            ends.append(len(self._code))
            self._code.append(())
            self._code[split] = ("split", split + 1, len(self._code))
        self._emit(branches[-1], flags)
        for end in ends:
            self._code[end] = ("jump", len(self._code))

    def _repeat(self, least: int, most: Any, body: Any, flags: int, *, lazy: bool) -> None:
        for _ in range(least):
            self._emit(body, flags)
        if most is sre.MAXREPEAT:
            if body.getwidth()[0] == 0:
                raise NotImplementedError("a repetition of something that may be empty")
            split = len(self._code)
            self._code.append(())
            self._emit(body, flags)
            self._code.append(("jump", split))
            self._code[split] = _split(split + 1, len(self._code), lazy=lazy)
            return
        splits = []
        for _ in range(most - least):
            splits.append(len(self._code))
            self._code.append(())
            self._emit(body, flags)
        for split in splits:
            self._code[split] = _split(split + 1, len(self._code), lazy=lazy)


def _split(first: int, second: int, *, lazy: bool) -> tuple[Any, ...]:
    return ("split", second, first) if lazy else ("split", first, second)


def _run(code: list[tuple[Any, ...]], text: str, start: int, counter: Counter, *, whole: bool = False) -> int | None:
    waiting = [(0, start)]
    while waiting:
        at, position = waiting.pop()
        while True:
            counter.step()
            instruction = code[at]
            kind = instruction[0]
            if kind == "match":
                if whole and position != len(text):
                    break
                return position
            if kind == "char":
                if position >= len(text) or not instruction[1](text[position]):
                    break
                at, position = at + 1, position + 1
            elif kind == "split":
                waiting.append((instruction[2], position))
                at = instruction[1]
            elif kind == "jump":
                at = instruction[1]
            else:
                moved = _apart(instruction, text, position, counter)
                if moved is None:
                    break
                at, position = at + 1, moved
    return None


def _apart(instruction: tuple[Any, ...], text: str, position: int, counter: Counter) -> int | None:
    if instruction[0] == "inside":
        return _run(instruction[1], text, position, counter)
    if instruction[0] == "look":
        _, code, back, wanted = instruction
        found = position >= back and _run(code, text, position - back, counter) is not None
        return position if found == wanted else None
    return position if _stands(instruction[1], text, position, lines=instruction[2]) else None


def _stands(where: Any, text: str, position: int, *, lines: bool) -> bool:
    if where in (sre.AT_BEGINNING, sre.AT_BEGINNING_STRING):
        first = position == 0
        return first or (lines and where is sre.AT_BEGINNING and text[position - 1] == "\n")
    if where in (sre.AT_END, sre.AT_END_STRING):
        if where is sre.AT_END_STRING or position == len(text):
            return position == len(text)
        return text[position] == "\n" and (lines or position == len(text) - 1)
    before = position > 0 and _WORD(text[position - 1])
    after = position < len(text) and _WORD(text[position])
    return (before != after) == (where is sre.AT_BOUNDARY)


def _accepts(op: Any, value: Any, flags: int) -> Callable[[str], bool]:
    if op is sre.ANY:
        return (lambda c: True) if flags & re.DOTALL else (lambda c: c != "\n")
    plain = _of_class(value) if op is sre.IN else _of_one(value, wanted=op is sre.LITERAL)
    if flags & re.IGNORECASE:
        return lambda c: plain(c.lower()) or plain(c.upper())
    return plain


def _of_class(items: Any) -> Callable[[str], bool]:
    negated = items[0][0] is sre.NEGATE
    accepted = [_item(*item) for item in items if item[0] is not sre.NEGATE]
    return lambda c: any(accepts(c) for accepts in accepted) != negated


def _of_one(code: int, *, wanted: bool) -> Callable[[str], bool]:
    return lambda c: (ord(c) == code) == wanted


def _item(op: Any, value: Any) -> Callable[[str], bool]:
    if op is sre.LITERAL:
        return lambda c: ord(c) == value
    if op is sre.RANGE:
        return lambda c: value[0] <= ord(c) <= value[1]
    return _CATEGORIES[value]


class Counted:
    """A pattern that does what it did, and counts what that takes."""

    def __init__(self, pattern: re.Pattern[str], counter: Counter) -> None:
        self._pattern = pattern
        self._program = compiled(pattern)
        self._counter = counter

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pattern, name)

    def match(self, text: str, *where: int) -> Any:
        self._program.match(text, where[0] if where else 0, self._counter)
        return self._pattern.match(text, *where)

    def fullmatch(self, text: str, *where: int) -> Any:
        self._program.match(text, where[0] if where else 0, self._counter, whole=True)
        return self._pattern.fullmatch(text, *where)

    def search(self, text: str, *where: int) -> Any:
        self._counter.step(_steps_to_first(self._program, text[: where[1]] if len(where) > 1 else text, *where[:1]))
        return self._pattern.search(text, *where)

    def finditer(self, text: str, *where: int) -> Any:
        self._all(text, *where)
        return self._pattern.finditer(text, *where)

    def findall(self, text: str, *where: int) -> Any:
        self._all(text, *where)
        return self._pattern.findall(text, *where)

    def sub(self, new: Any, text: str, *more: Any) -> str:
        self._all(text)
        return self._pattern.sub(new, text, *more)

    def split(self, text: str, *more: Any) -> Any:
        self._all(text)
        return self._pattern.split(text, *more)

    def _all(self, text: str, *where: int) -> None:
        self._counter.step(_steps_to_all(self._program, text[: where[1]] if len(where) > 1 else text, *where[:1]))


# Several functions search the same text for the same.
@lru_cache(maxsize=4_096)
def _steps_to_all(program: Program, text: str, start: int = 0) -> int:
    counter = Counter()
    for _ in program.spans(text, start, counter):
        pass
    return counter.steps


@lru_cache(maxsize=4_096)
def _steps_to_first(program: Program, text: str, start: int = 0) -> int:
    counter = Counter()
    next(program.spans(text, start, counter), None)
    return counter.steps


@cache
def compiled(pattern: re.Pattern[str]) -> Program:
    """The pattern's program, made once."""
    return Program(pattern)


def attacks(pattern: re.Pattern[str]) -> Iterator[Callable[[int], str]]:
    """Texts of any length on which the pattern may cost much, as functions of the length."""
    tree = Program(pattern).tree
    count = _number_of_repeats(tree)
    for turn in range(8):
        samples = _SAMPLES[turn:] + _SAMPLES[:turn]
        for pumped in range(count):
            for rest in (False, True):
                once = _Sampler(samples, pumped, pattern.flags, rest=rest)
                if not turn or once.chose_otherwise(tree):
                    yield partial(_pumped, once, tree)
                    yield partial(_repeated, once, tree)


def _pumped(sampler: _Sampler, tree: Any, length: int) -> str:
    return sampler.text(tree, length) + "\x01"


def _repeated(sampler: _Sampler, tree: Any, length: int) -> str:
    piece = sampler.text(tree, 2)
    return piece * (length // max(len(piece), 1)) + "\x01"


class _End(Exception):
    """The pumped repetition is written."""


class _Sampler:
    """Writes what a pattern matches, one of its repetitions as often as wanted."""

    def __init__(self, samples: str, pumped: int, flags: int, *, rest: bool) -> None:
        self._samples, self._pumped, self._flags, self._rest = samples, pumped, flags, rest

    def text(self, tree: Any, n: int) -> str:
        self._out: list[str] = []
        self._number, self._n = 0, n
        with suppress(_End):
            self._write(tree)
        return "".join(self._out)

    def chose_otherwise(self, tree: Any) -> bool:
        """Whether another order of samples gives another text."""
        first = _Sampler(_SAMPLES, self._pumped, self._flags, rest=self._rest)
        return first.text(tree, 3) != self.text(tree, 3)

    def _write(self, nodes: Any) -> None:
        for op, value in nodes:
            if op in (sre.LITERAL, sre.NOT_LITERAL, sre.IN, sre.ANY):
                accepts = _accepts(op, value, self._flags)
                literal = chr(value) if op is sre.LITERAL else None
                self._out.append(literal or next((c for c in self._samples if accepts(c)), "\u20ac"))
            elif op is sre.SUBPATTERN:
                self._write(value[3])
            elif op is sre.ATOMIC_GROUP:
                self._write(value)
            elif op is sre.BRANCH:
                # One after the other for different orders of samples.
                self._write(value[1][_SAMPLES.index(self._samples[0]) % len(value[1])])
            elif op in (sre.ASSERT,):
                continue
            elif op in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
                self._repeat(*value)

    def _repeat(self, least: int, most: Any, body: Any) -> None:
        mine = self._number == self._pumped
        self._number += 1
        limit = _ENDLESS if most is sre.MAXREPEAT else int(most)
        times = min(max(self._n, least), limit) if mine else min(max(least, 1), limit)
        number = self._number
        for _ in range(times):
            self._number = number
            self._write(body)
        if mine and not self._rest:
            raise _End


def _number_of_repeats(nodes: Any) -> int:
    count = 0
    for op, value in nodes:
        if op is sre.SUBPATTERN:
            count += _number_of_repeats(value[3])
        elif op is sre.ATOMIC_GROUP:
            count += _number_of_repeats(value)
        elif op is sre.BRANCH:
            count += max(_number_of_repeats(branch) for branch in value[1])
        elif op in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            count += 1 + _number_of_repeats(value[2])
    return count
