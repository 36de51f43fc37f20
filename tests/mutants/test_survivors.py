"""The list of mutants that no test can notice is about lines that are there."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LISTED = [
    (entry["reason"], mutant)
    for entry in tomllib.loads(Path(__file__).with_name("survivors.toml").read_text())["because"]
    for mutant in entry["mutants"]
]


@pytest.mark.parametrize(("reason", "mutant"), LISTED, ids=lambda value: str(value)[:60])
def test_each_survivor_is_a_line_of_its_file_and_has_a_reason(reason: str, mutant: str):
    file, _, rest = mutant.partition("::")
    line = rest.partition(": ")[2].partition(" → ")[0]
    assert " ".join(line.split()) in " ".join((ROOT / file).read_text().split())
    assert len(reason) > 20
