"""SECURITY.md names the test of every promise, and the test is there."""

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parent
PROMISES = (TESTS.parent / "SECURITY.md").read_text().split("## Promises")[1]
ROWS = [row for row in PROMISES.splitlines() if row.startswith("|")][2:]
NAMED = re.compile(r"`([\w/]+\.py)::(\w+)`")


def defined_in(file: Path) -> set[str]:
    tree = ast.parse(file.read_text())
    return {
        one.name for one in ast.walk(tree) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    }


def test_every_promise_names_a_test():
    assert len(ROWS) > 20
    assert [row for row in ROWS if not NAMED.search(row)] == []


def test_every_test_that_is_named_exists():
    named = NAMED.findall(PROMISES)
    assert [f"{file}::{test}" for file, test in named if test not in defined_in(TESTS / file)] == []


def test_nothing_in_the_table_looks_like_a_test_without_being_read_as_one():
    assert PROMISES.count("::") == len(NAMED.findall(PROMISES))
