"""`make mutants`: change one place of the code at a time, and see whether a test notices.

    python -m tests.mutants [--sample N] [FILE or FOLDER ...]

What survives has to be in survivors.toml, with the reason; anything else that survives fails. Each mutant's result is
kept in `.mutants`: that it was noticed until its file changes, that it survived until a test changes too. With a sample
N mutants of each file are tried, always the same: those of a smaller sample are among those of a larger one.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.mutants.making import ROOT, digest

HERE = Path(__file__).parent
KEPT = ROOT / ".mutants"
#: Of all the mutants of the files that were asked for.
AT_LEAST = 85.0


@dataclass(frozen=True)
class Target:
    files: list[str]
    tests: list[str]
    leave_out: list[str]


def targets() -> list[Target]:
    found: list[Target] = []
    for one in tomllib.loads((HERE / "targets.toml").read_text())["target"]:
        files = [path.relative_to(ROOT).as_posix() for glob in one["files"] for path in sorted(ROOT.glob(glob))]
        taken = {file for other in found for file in other.files}
        found.append(Target([file for file in files if file not in taken], one["tests"], one.get("leave_out", [])))
    return found


def survivors() -> dict[str, str]:
    """The mutants that may survive, and why."""
    listed = tomllib.loads((HERE / "survivors.toml").read_text()).get("because", [])
    return {name: one["reason"] for one in listed for name in one["mutants"]}


def run(target: Target, wanted: list[str], sample: int | None) -> dict[str, dict[str, Any]]:
    """By file, the results of its mutants: what is known of them already, and what is found now."""
    KEPT.mkdir(exist_ok=True)
    files_of_tests = [ROOT / test.partition("::")[0] for test in target.tests]
    tests = f"{digest(*files_of_tests)} {target.tests} {target.leave_out}"
    files = [file for file in target.files if any(f"{file}/".startswith(f"{one.rstrip('/')}/") for one in wanted)]
    stamps = {file: {"file": digest(ROOT / file), "tests": tests} for file in files}
    kept = {file: KEPT / (file.replace("/", "-") + ".json") for file in files}
    known = {file: _known(_read(kept[file]), stamps[file]) for file in files}
    stale = [file for file in files if not _complete(_read(kept[file]), stamps[file], sample)]
    if stale:
        job = {
            "kept": {file: str(kept[file]) for file in stale},
            "stamps": stamps,
            "known": known,
            "sample": sample,
            "tests": target.tests,
            "leave_out": target.leave_out,
        }
        environment = {**os.environ, "OMNIBOT_MUTANTS": json.dumps(job)}
        subprocess.run([sys.executable, "-m", "tests.mutants.running"], cwd=ROOT, check=False, env=environment)
    for file in files:
        if not _complete(_read(kept[file]), stamps[file], sample):
            raise SystemExit(f"{file}: its mutants could not be tried")
    return {file: _read(kept[file]) for file in files}


def _known(found: Mapping[str, Any], stamps: Mapping[str, str]) -> dict[str, str]:
    """What was found and still counts, by the mutant's name."""
    if found.get("file") != stamps["file"]:
        return {}
    same = found["tests"] == stamps["tests"]
    return {name: outcome for name, outcome in found["mutants"].items() if same or outcome != "survived"}


def _complete(found: Mapping[str, Any], stamps: Mapping[str, str], sample: int | None) -> bool:
    enough = found.get("of", 0) if sample is None else min(sample, found.get("of", 0))
    return {**found, **stamps} == found and len(found["mutants"]) >= enough


def _read(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text())) if path.exists() else {}


def main(arguments: list[str]) -> int:
    options = argparse.ArgumentParser(prog="python -m tests.mutants")
    options.add_argument("--sample", type=int, metavar="N", help="try so many mutants of each file")
    options.add_argument("wanted", nargs="*", default=["omnibot"], metavar="FILE or FOLDER")
    asked = options.parse_args(arguments)
    results = {file: found for target in targets() for file, found in run(target, asked.wanted, asked.sample).items()}
    reasons, unlisted, total = survivors(), [], Counter[str]()
    print(f"\n{'killed':>8} {'timeout':>8} {'survived':>8} {'of these listed':>16}  {'%':>5}")
    for file, found in results.items():
        counts = Counter(found["mutants"].values())
        lived = [name for name, outcome in found["mutants"].items() if outcome == "survived"]
        unlisted += [name for name in lived if name not in reasons]
        total.update(counts)
        listed = sum(name in reasons for name in lived)
        row = (
            f"{counts['killed']:>8} {counts['timeout']:>8} {counts['survived']:>8} {listed:>16}  {_share(counts):>5.1f}"
        )
        print(f"{row}  {file}, sampled {counts.total()} of {found['of']}")
    row = f"{total['killed']:>8} {total['timeout']:>8} {total['survived']:>8} {'':>16}  {_share(total):>5.1f}"
    print(f"{row}  of {total.total()}")
    for name in unlisted:
        print(f"SURVIVED, and not in survivors.toml: {name}")
    gone = [name for name in reasons if name.split("::")[0] in results and _is_gone(name, results)]
    for name in gone:
        print(f"in survivors.toml, and does not survive any more: {name}")
    return 1 if unlisted or gone or _share(total) < AT_LEAST else 0


def _share(counts: Counter[str]) -> float:
    """How many in a hundred were noticed."""
    tried = counts.total()
    return 100 * (tried - counts["survived"]) / tried if tried else 100.0


def _is_gone(name: str, results: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether it was tried and noticed, or there is no such mutant."""
    found = results[name.split("::")[0]]
    everything = len(found["mutants"]) == found["of"]
    return bool(found["mutants"].get(name, "gone" if everything else "survived") != "survived")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
