"""The property tests with examples that nobody has tried, for a bounded time: `make explore SECONDS=75`, in CI too.

Each round has a random seed of its own. When something is found, the seed and the command that finds it again are
printed; what was found belongs into the test as an `@example`.
"""

from __future__ import annotations

import ast
import os
import secrets
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: Without those that start processes, whose time would go into something else.
FOLDERS = ("clearstreet", "blocks", "policy", "orders", "accounts", "slack")


_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


def property_tests() -> dict[str, list[str]]:
    """By module, the tests of which hypothesis makes the examples."""
    found: dict[str, list[str]] = {}
    for folder in FOLDERS:
        for path in sorted((ROOT / "tests" / folder).rglob("test_*.py")):
            module = path.relative_to(ROOT).as_posix()
            text = path.read_text()
            body = ast.parse(text).body if "@given(" in text else []  # most have none, and parsing takes its time
            functions = [one for one in body if isinstance(one, _FUNCTION)]
            tests = [one.name for one in functions if _is_property(one)]
            if tests:
                found[module] = [f"{module}::{name}" for name in tests]
    return found


def _is_property(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether it, or a function in it, has `@given`; pytest's marker does not tell of the latter."""
    functions = [one for one in ast.walk(function) if isinstance(one, _FUNCTION)]
    return any(ast.unparse(decorator).startswith("given(") for one in functions for decorator in one.decorator_list)


def main(budget: float) -> int:
    ends, rounds = time.monotonic() + budget, 0
    while time.monotonic() < ends:
        modules = list(property_tests().values())
        secrets.SystemRandom().shuffle(modules)  # none is always the last, when the time is over
        for tests in modules:
            left = ends - time.monotonic()
            if left <= 0:
                break
            seed = secrets.randbelow(2**32)
            if not _found_nothing(tests, seed, left):
                return 1
        rounds += 1
    print(f"explored for {budget:.0f} s, {rounds} rounds: nothing found")
    return 0


def _found_nothing(tests: list[str], seed: int, left: float) -> bool:
    # The database of examples would make the same seed mean something else on another machine.
    arguments = [*tests, f"--hypothesis-seed={seed}", "-q", "-x", "-n", "0"]
    environment = {**os.environ, "OMNIBOT_EXAMPLES": "1"}
    command = [sys.executable, "-m", "pytest", *arguments]
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=left, check=False
        )
    except subprocess.TimeoutExpired:
        return True  # the time is over, not the test
    if done.returncode == 0:
        return True
    print(done.stdout[-20_000:], done.stderr[-5_000:])
    print(f"FOUND with seed {seed}. Again: OMNIBOT_EXAMPLES=1 .venv/bin/pytest {' '.join(arguments)}")
    return False


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1])))
