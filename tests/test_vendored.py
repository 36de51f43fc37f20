"""What others wrote and lies in this tree is what was taken over: `tests/vendored.sha256` says of each file."""

import hashlib
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = (
    "sandbox/src/omnibot_sandbox/demo/page/vendor",
    "sandbox/tests/contracts/openapi",
    "sandbox/tests/contracts/seeds",
)
#: These are ours.
OURS = {"README.md", "rebuild.sh"}
LISTED = {
    name: digest
    for digest, name in (line.split(maxsplit=1) for line in (ROOT / "tests/vendored.sha256").read_text().splitlines())
}


def test_each_file_of_others_has_the_checksum_with_which_it_was_taken_over():
    found = {name: hashlib.sha256((ROOT / name).read_bytes()).hexdigest() for name in LISTED}
    assert found == LISTED


def test_no_file_of_others_goes_without_a_checksum():
    files = (path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file())
    there = {path.relative_to(ROOT).as_posix() for path in files if path.name not in OURS}
    assert there | {"sandbox/tests/contracts/openapi.json"} == set(LISTED)
