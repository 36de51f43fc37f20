"""The mutants of a file: mutmut says what may be changed where, each change is a file of its own here."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import Any

import libcst
from libcst.metadata import CodeRange, MetadataWrapper, PositionProvider, WhitespaceInclusivePositionProvider
from mutmut.mutation.file_mutation import Mutation, create_mutations

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Mutant:
    """One change of one place."""

    file: str
    line: int
    #: The function or class it is in.
    where: str
    was: str
    becomes: str
    source: str

    @property
    def name(self) -> str:
        """What it is called in lists: it stays the same when the lines above change."""
        return f"{self.file}::{self.where}: {self.was} → {self.becomes}"


def mutants_of(file: str) -> Iterator[Mutant]:
    """Every mutant of this file, but for what is logged, and those that mutmut makes of a text's capitals."""
    source = (ROOT / file).read_text()
    module, mutations, _, _ = create_mutations(file, source)
    wrapped = MetadataWrapper(module, unsafe_skip_copy=True)
    positions, spans = wrapped.resolve(PositionProvider), wrapped.resolve(WhitespaceInclusivePositionProvider)
    lines = source.splitlines()
    code = compile(source, file, "exec")
    for mutation in mutations:
        text = getattr(mutation.mutated_node, "value", "")
        if isinstance(mutation.original_node, libcst.SimpleString) and "XX" not in text:
            continue
        changed = _changed(module, source, mutation, spans.get(mutation.original_node))
        if changed == source:
            continue
        place = positions.get(mutation.original_node)
        line = place.start.line if place is not None else _first_difference(lines, changed.splitlines())
        old, new = _shown(source, changed)
        if old.startswith("log."):
            continue
        yield Mutant(file, line, _inside(code, line), old, new, changed)


def _changed(module: libcst.Module, source: str, mutation: Mutation, span: CodeRange | None) -> str:
    before, after = mutation.original_node, mutation.mutated_node
    if span is not None and isinstance(after, libcst.CSTNode):  # much quicker than the whole file again
        lines = source.splitlines(keepends=True)
        start = sum(map(len, lines[: span.start.line - 1])) + span.start.column
        end = sum(map(len, lines[: span.end.line - 1])) + span.end.column
        old, new = str(module.code_for_node(before)), str(module.code_for_node(after))
        # By itself a node does not know how deep in the file it stands.
        for inside in ("\n", "\n    ", "\n        ", "\n            ", "\n                "):
            if source[start:end] == old.replace("\n", inside):
                return source[:start] + new.replace("\n", inside) + source[end:]
    changed: Any = module.deep_replace(before, after)
    return str(changed.code)


def _first_difference(before: list[str], after: list[str]) -> int:
    return next((number for number, (a, b) in enumerate(zip(before, after, strict=False), 1) if a != b), 1)


def _shown(before: str, after: str) -> tuple[str, str]:
    """The lines that differ, without what surrounds them."""
    old, new = before.splitlines(), after.splitlines()
    while old and new and old[0] == new[0]:
        del old[0], new[0]
    while old and new and old[-1] == new[-1]:
        del old[-1], new[-1]
    return " ".join(" ".join(old).split()), " ".join(" ".join(new).split())


def _inside(code: CodeType, line: int) -> str:
    """The innermost function or class in which this line is."""
    found = "module"
    for one in nested(code):
        numbers = [number for _, _, number in one.co_lines() if number]
        if one.co_name[0] != "<" and min([one.co_firstlineno, *numbers]) <= line <= max([0, *numbers]):
            found = one.co_qualname
    return found


def nested(code: CodeType) -> Iterator[CodeType]:
    """The code of everything in this code, the outer before the inner."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from nested(constant)


def differing(before: CodeType, after: CodeType) -> list[tuple[CodeType, CodeType]]:
    """The innermost codes that differ in themselves."""
    inner = list(zip(_inner(before), _inner(after), strict=False))
    found = [pair for one in inner for pair in differing(*one)]
    if len(_inner(before)) != len(_inner(after)) or _own(before) != _own(after):
        found.append((before, after))
    return found


def _inner(code: CodeType) -> list[CodeType]:
    return [constant for constant in code.co_consts if isinstance(constant, CodeType)]


def _own(code: CodeType) -> tuple[object, ...]:
    plain = [repr((type(one), one)) for one in code.co_consts if not isinstance(one, CodeType)]
    return code.co_code, plain, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars, code.co_flags


def digest(*paths: Path) -> str:
    """Of the content of these files, and of all Python files in these folders."""
    found = hashlib.sha256()
    for path in paths:
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            found.update(file.as_posix().encode() + b"\0" + file.read_bytes())
    return found.hexdigest()[:16]
