"""`make mutants`: change one place of the code at a time, and see whether a test notices.

    python -m tests.mutants [FILE or FOLDER ...]

What survives has to be in survivors.toml, with the reason; anything else that survives fails. Results are kept in
`.mutants` until the file or its tests change.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections import Counter
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
    found = tomllib.loads((HERE / "targets.toml").read_text())["target"]
    return [
        Target(
            [path.relative_to(ROOT).as_posix() for glob in one["files"] for path in sorted(ROOT.glob(glob))],
            one["tests"],
            one.get("leave_out", []),
        )
        for one in found
    ]


def survivors() -> dict[str, str]:
    """The mutants that may survive, and why."""
    listed = tomllib.loads((HERE / "survivors.toml").read_text()).get("because", [])
    return {name: one["reason"] for one in listed for name in one["mutants"]}


def run(target: Target, wanted: list[str]) -> dict[str, dict[str, Any]]:
    """By file, the results of its mutants: remembered where neither file nor tests changed, else found now."""
    KEPT.mkdir(exist_ok=True)
    tests = digest(*[ROOT / test for test in target.tests])
    files = [file for file in target.files if any(f"{file}/".startswith(f"{one.rstrip('/')}/") for one in wanted)]
    stamps = {file: f"{digest(ROOT / file)} {tests} {target.leave_out}" for file in files}
    kept = {file: KEPT / (file.replace("/", "-") + ".json") for file in files}
    stale = [file for file in files if _read(kept[file]).get("stamp") != stamps[file]]
    if stale:
        job = {
            "kept": {file: str(kept[file]) for file in stale},
            "stamps": stamps,
            "tests": target.tests,
            "leave_out": target.leave_out,
        }
        environment = {**os.environ, "OMNIBOT_MUTANTS": json.dumps(job)}
        subprocess.run([sys.executable, "-m", "tests.mutants.running"], cwd=ROOT, check=False, env=environment)
    for file in files:
        if _read(kept[file]).get("stamp") != stamps[file]:
            raise SystemExit(f"{file}: its mutants could not be tried")
    return {file: _read(kept[file]) for file in files}


def _read(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text())) if path.exists() else {}


def main(wanted: list[str]) -> int:
    results = {file: found for target in targets() for file, found in run(target, wanted or ["omnibot"]).items()}
    reasons, unlisted, total = survivors(), [], Counter[str]()
    print(f"\n{'killed':>8} {'timeout':>8} {'survived':>8} {'of these listed':>16}")
    for file, found in results.items():
        counts = Counter(found["mutants"].values())
        lived = [name for name, outcome in found["mutants"].items() if outcome == "survived"]
        unlisted += [name for name in lived if name not in reasons]
        total.update(counts)
        listed = sum(name in reasons for name in lived)
        print(f"{counts['killed']:>8} {counts['timeout']:>8} {counts['survived']:>8} {listed:>16}  {file}")
    tried = sum(total.values())
    share = 100 * (tried - total["survived"]) / tried if tried else 100.0
    print(f"{total['killed']:>8} {total['timeout']:>8} {total['survived']:>8}  {share:.1f} % of {tried} noticed")
    for name in unlisted:
        print(f"SURVIVED, and not in survivors.toml: {name}")
    gone = [name for name in reasons if name.split("::")[0] in results and not _lives(name, results)]
    for name in gone:
        print(f"in survivors.toml, and does not survive any more: {name}")
    return 1 if unlisted or gone or share < AT_LEAST else 0


def _lives(name: str, results: dict[str, dict[str, Any]]) -> bool:
    return bool(results[name.split("::")[0]]["mutants"].get(name) == "survived")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
