"""`make mutants-known`: the dangerous changes of known.toml, one by one and all together; each has to make a test fail.

python -m tests.mutants.known [WORD of a name]
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LIST = Path(__file__).with_name("known.toml")
#: A change that makes the tests stand still has been noticed too.
LONGEST = 900.0


def known() -> list[dict[str, Any]]:
    return list(tomllib.loads(LIST.read_text())["mutant"])


def changed(mutants: Sequence[dict[str, Any]]) -> dict[str, str]:
    """The files with all these changes in them.

    Raises:
        ValueError: What was to be changed stands nowhere, or in several places: the list is out of date.
    """
    sources: dict[str, str] = {}
    for one in mutants:
        source = sources.get(one["file"]) or (ROOT / one["file"]).read_text()
        if source.count(one["old"]) != 1:
            raise ValueError(f"{one['name']}: {one['file']} has its line {source.count(one['old'])} times, not once")
        sources[one["file"]] = source.replace(one["old"], one["new"])
    return sources


def survives(mutants: Sequence[dict[str, Any]]) -> bool:
    """Whether the tests of these mutants pass with all of them."""
    tests = list(dict.fromkeys(test for one in mutants for test in one["tests"]))
    with copied_tree() as tree:
        for file, source in changed(mutants).items():
            (tree / file).write_text(source)
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-n", "0", "-p", "no:cacheprovider", *tests]
        environment = {**os.environ, "PYTHONPATH": str(tree)}
        try:
            done = subprocess.run(
                command, cwd=tree, env=environment, capture_output=True, text=True, timeout=LONGEST, check=False
            )
        except subprocess.TimeoutExpired:
            return False
    if done.returncode not in (0, 1):
        raise ValueError(f"pytest ended with {done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.returncode == 0


@contextlib.contextmanager
def copied_tree() -> Iterator[Path]:
    """What tests need of the project, to change it."""
    with tempfile.TemporaryDirectory(prefix="omnibot-mutant-", ignore_cleanup_errors=True) as folder:
        tree = Path(folder)
        for name in ("omnibot", "tests"):
            shutil.copytree(ROOT / name, tree / name)
        for name in ("pyproject.toml", "README.md", "manifest.yml"):
            shutil.copy(ROOT / name, tree / name)
        yield tree


def main(words: Sequence[str]) -> int:
    listed = [one for one in known() if all(word in one["name"] for word in words)]
    runs = [(one["name"], [one]) for one in listed]
    if len(listed) > 1:
        runs.append(("all together", listed))
    bad = 0
    for name, mutants in runs:
        try:
            outcome = "SURVIVED" if survives(mutants) else "killed"
        except ValueError as error:
            outcome = f"NOT TRIED: {error}"
        bad += outcome != "killed"
        print(f"{outcome:>8}  {name}", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
