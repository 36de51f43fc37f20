"""Tries the mutants of some files: the tests are collected once, then each mutant has a forked process to be tried in.

Most mutants change one function: the fork exchanges its code and runs only the tests that pass there. What runs at
import (constants, fields of models) needs a process of its own, over a copy of the tree.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import coverage
import pytest
from _pytest.runner import runtestprotocol

from tests.mutants.known import copied_tree
from tests.mutants.making import ROOT, Mutant, differing, mutants_of

#: A mutant may take so much longer than the tests do without it, and these seconds on top.
SLOWER, AND = 5.0, 20.0
AT_ONCE = max(1, os.cpu_count() or 1)
_NOWHERE = 3
_FUNCTION = 0x1  # CO_OPTIMIZED: the code of a function, not of a class or module


@dataclass
class Runner:
    """A pytest plugin: instead of running the collected tests, tries every mutant with them."""

    files: list[str]
    leave_out: list[str]
    #: So many of each file; None: all.
    sample: int | None
    #: What is known of each file's mutants already, by their name.
    known: dict[str, dict[str, str]]
    #: Is called whenever something was found out: the file, how many mutants it has, what became of those tried.
    keep: Callable[[str, int, dict[str, str]], None]
    #: What became of each mutant of the file, by its name.
    outcomes: dict[str, str] = field(default_factory=dict)
    noted: Callable[[], None] = lambda: None
    #: Of each test, how long it takes, and which lines it passes of which file and of the one that is changed.
    took: dict[str, float] = field(default_factory=dict)
    passed: dict[str, dict[str, set[int]]] = field(default_factory=dict)
    passes: dict[str, set[int]] = field(default_factory=dict)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [one for one in items if not any(part in one.nodeid for part in self.leave_out)]

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self._measure(session.items)
        self._check(session.items)
        for file in self.files:
            self._try(session.items, file)
        return True

    def _try(self, items: Sequence[pytest.Item], file: str) -> None:
        path = (ROOT / file).as_posix()
        self.passes = {test: passed.get(path, set()) for test, passed in self.passed.items()}
        original = compile((ROOT / file).read_text(), path, "exec")
        found = [(mutant, differing(original, compile(mutant.source, path, "exec"))) for mutant in mutants_of(file)]
        found = [(mutant, pairs) for mutant, pairs in found if pairs]  # else the compiler sees no difference
        names = sorted({mutant.name for mutant, _ in found}, key=_place)
        chosen = set(names[: self.sample])
        self.outcomes = {name: outcome for name, outcome in self.known[file].items() if name in names}
        self.noted = lambda: self.keep(file, len(names), self.outcomes)
        todo = [(mutant, pairs) for mutant, pairs in found if mutant.name in chosen - self.outcomes.keys()]
        quick = [one for one in todo if all(before.co_flags & _FUNCTION for before, _ in one[1])]
        slow = [mutant for mutant, pairs in todo if not all(before.co_flags & _FUNCTION for before, _ in pairs)]
        print(f"{file}: {len(quick)} mutants in forks, {len(slow)} in processes, of {len(names)}", flush=True)
        self.noted()
        nowhere = self._in_forks(items, path, quick)
        self._in_processes(items, [*slow, *nowhere])

    def _measure(self, items: Sequence[pytest.Item]) -> None:
        """Run the tests as they are: what each passes, and that all pass. What the session shares stays up."""
        paths = [(ROOT / file).as_posix() for file in self.files]
        measuring = coverage.Coverage(data_file=None, include=paths, concurrency=["thread", "greenlet"])
        measuring.set_option("run:disable_warnings", ["no-data-collected"])  # a test may well pass nothing of the file
        for item in items:
            measuring.erase()
            measuring.start()
            began = time.monotonic()
            passed = _passes(item, items)
            self.took[item.nodeid] = time.monotonic() - began
            measuring.stop()
            if not passed:
                raise SystemExit(f"{item.nodeid} fails as the code is")
            data = measuring.get_data()
            self.passed[item.nodeid] = {path: set(data.lines(path) or ()) for path in paths}

    def _check(self, items: Sequence[pytest.Item]) -> None:
        """Without a change the tests pass in a fork too: else everything would seem to be noticed."""
        child = _fork(lambda: not all(_passes(item, items) for item in items))
        _, status = os.waitpid(child, 0)
        if status != 0:
            raise SystemExit("the tests do not pass in a fork, as the code is")

    def _in_forks(
        self, items: Sequence[pytest.Item], path: str, mutants: Sequence[tuple[Mutant, list[tuple[CodeType, CodeType]]]]
    ) -> list[Mutant]:
        """Returns those whose function no longer exists by itself."""
        nowhere: list[Mutant] = []
        running: dict[int, tuple[Mutant, float]] = {}
        waiting = list(reversed(mutants))
        while waiting or running:
            while waiting and len(running) < AT_ONCE:
                mutant, pairs = waiting.pop()
                chosen = self._chosen(items, {line for before, _ in pairs for line in _lines(before)})
                if not chosen:
                    self._note(mutant, "survived")  # no test passes there at all
                    continue
                limit = SLOWER * sum(self.took[one.nodeid] for one in chosen) + AND
                child = _fork(lambda chosen=chosen, pairs=pairs: _notices(items, chosen, path, pairs))  # type: ignore[misc]
                running[child] = (mutant, time.monotonic() + limit)
            for child, (mutant, ends) in list(running.items()):
                outcome = _outcome(child, ends)
                if outcome is None:
                    continue
                del running[child]
                if outcome == "nowhere":
                    nowhere.append(mutant)
                else:
                    self._note(mutant, outcome)
            time.sleep(0.002)
        return nowhere

    def _chosen(self, items: Sequence[pytest.Item], lines: set[int]) -> list[pytest.Item]:
        """The tests that pass a line of these, the quick ones first."""
        return sorted((one for one in items if lines & self.passes[one.nodeid]), key=lambda one: self.took[one.nodeid])

    def _in_processes(self, items: Sequence[pytest.Item], mutants: Sequence[Mutant]) -> None:
        names = [one.nodeid for one in sorted(items, key=lambda one: self.took[one.nodeid]) if self.passes[one.nodeid]]
        limit = SLOWER * sum(self.took[name] for name in names) + 3 * AND
        if mutants and in_a_process({}, names, limit) != "survived":
            raise SystemExit("the tests do not pass in a copy, as the code is")
        with ThreadPoolExecutor(AT_ONCE) as pool:
            outcomes = pool.map(lambda mutant: in_a_process({mutant.file: mutant.source}, names, limit), mutants)
            for mutant, outcome in zip(mutants, outcomes, strict=True):
                self._note(mutant, outcome)

    def _note(self, mutant: Mutant, outcome: str) -> None:
        if self.outcomes.get(mutant.name) != "survived":
            # One text may stand for several places: it survives if any of them does.
            self.outcomes[mutant.name] = outcome
        self.noted()


def _place(name: str) -> str:
    """Where in the line of all mutants it stands: the first of them are the same however many are tried."""
    return hashlib.sha256(name.encode()).hexdigest()


def in_a_process(changed: dict[str, str], tests: Sequence[str], limit: float, *options: str) -> str:
    """Copy the tree, change these files in it, and run these tests there until one fails."""
    with copied_tree() as tree:
        for file, source in changed.items():
            (tree / file).write_text(source)
        listed = tree / "chosen"
        listed.write_text("\n".join(tests))
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-x",
            "-q",
            "-n",
            "0",
            "-p",
            "no:cacheprovider",
            f"@{listed}",
            *options,
        ]
        environment = {**os.environ, "PYTHONPATH": str(tree)}
        try:
            done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, timeout=limit, check=False)
        except subprocess.TimeoutExpired:
            return "timeout"
    return "survived" if done.returncode == 0 else "killed"


def _lines(code: CodeType) -> set[int]:
    """Those that run when it is called: its first is that of `def`, which runs at import."""
    lines = {line for _, _, line in code.co_lines() if line and line != code.co_firstlineno}
    return lines or {code.co_firstlineno}


def _passes(item: pytest.Item, items: Sequence[pytest.Item]) -> bool:
    """Run one test, without taking down what the session shares: there is always another one to come."""
    another = next((one for one in items if one.parent is not item.parent), items[0])
    reports = runtestprotocol(item, log=False, nextitem=another if another is not item else None)
    return all(not report.failed for report in reports)


def _notices(
    items: Sequence[pytest.Item], chosen: Sequence[pytest.Item], path: str, pairs: Sequence[tuple[CodeType, CodeType]]
) -> bool:
    if not _exchange(path, pairs):
        os._exit(_NOWHERE)
    return not all(_passes(item, items) for item in chosen)


def _exchange(path: str, pairs: Sequence[tuple[CodeType, CodeType]]) -> int:
    """Give the functions of the mutant the code of the mutant; returns how many."""
    gc.unfreeze()
    wanted = {(before.co_qualname, before.co_firstlineno): after for before, after in pairs}
    found = 0
    for one in gc.get_objects():
        if type(one) is not FunctionType or one.__code__.co_filename != path:
            continue
        whole = _with(one.__code__, wanted)
        if whole is not one.__code__:
            one.__code__ = whole
            found += 1
    return found


def _with(code: CodeType, wanted: dict[tuple[str, int], CodeType]) -> CodeType:
    """This code, with those inside it that are wanted otherwise."""
    if (after := wanted.get((code.co_qualname, code.co_firstlineno))) is not None:
        return after
    inner = tuple(_with(one, wanted) if isinstance(one, CodeType) else one for one in code.co_consts)
    if all(new is old for new, old in zip(inner, code.co_consts, strict=True)):
        return code
    return code.replace(co_consts=inner)


def _fork(notices: Callable[[], bool]) -> int:
    child = os.fork()
    if child:
        return child
    os.setpgid(0, 0)
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    try:
        noticed = notices()
    except BaseException:
        noticed = True
    os._exit(1 if noticed else 0)


def _outcome(child: int, ends: float) -> str | None:
    """What became of it; None: it runs still."""
    done, status = os.waitpid(child, os.WNOHANG)
    if done:
        exited = os.waitstatus_to_exitcode(status)
        return {0: "survived", _NOWHERE: "nowhere"}.get(exited, "killed")
    if time.monotonic() < ends:
        return None
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "timeout"


def main() -> int:
    job: dict[str, Any] = json.loads(os.environ.pop("OMNIBOT_MUTANTS"))

    def keep(file: str, of: int, outcomes: dict[str, str]) -> None:
        found = {**job["stamps"][file], "of": of, "mutants": outcomes}
        Path(job["kept"][file]).write_text(json.dumps(found, indent=1))

    runner = Runner(list(job["kept"]), job["leave_out"], job["sample"], job["known"], keep)
    return int(
        pytest.main(["-q", "-n", "0", "-p", "no:cacheprovider", "--capture=no", *job["tests"]], plugins=[runner])
    )


if __name__ == "__main__":
    sys.exit(main())
