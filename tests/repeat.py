"""`make test-repeat N=20`: the whole suite so many times; prints what failed, how often, and fails if anything did.

A test that fails once in twenty runs has found something: nothing is run again to make it pass.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

#: The suite ended, with failures or without; anything else is trouble of its own.
_ENDED = (0, 1)


def main(times: int, *arguments: str) -> int:
    failures: Counter[str] = Counter()
    for number in range(1, times + 1):
        began = time.monotonic()
        ran, failed = _once(arguments)
        failures.update(failed)
        print(
            f"run {number} of {times}: {ran} tests, {len(failed)} failed, {time.monotonic() - began:.0f} s", flush=True
        )
        for name in failed:
            print(f"    {name}", flush=True)
    print(f"\n{'failed':>6} of {times} runs")
    for name, count in failures.most_common():
        print(f"{count:>6}  {name}")
    print(f"{sum(failures.values()):>6}  altogether")
    return 1 if failures else 0


def _once(arguments: tuple[str, ...]) -> tuple[int, list[str]]:
    """How many tests ran, and the names of those that failed."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "CI": "true"}, check=False)
        if not report.exists():
            print(done.stdout, done.stderr)
            return 0, [f"pytest ended with {done.returncode} and no report"]
        ran, failed = read(report)
        if failed:
            print(done.stdout[-20_000:])
        if done.returncode not in _ENDED or (done.returncode and not failed):
            failed.append(f"pytest ended with {done.returncode}")
        return ran, failed


def read(report: Path) -> tuple[int, list[str]]:
    """What a JUnit report of pytest says: how many tests, and which failed."""
    cases = list(ElementTree.parse(report).iter("testcase"))
    bad = [one for one in cases if one.find("failure") is not None or one.find("error") is not None]
    return len(cases), [f"{one.get('classname')}::{one.get('name')}" for one in bad]


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), *sys.argv[2:]))
