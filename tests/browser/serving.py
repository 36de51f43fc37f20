"""`omnibot demo` and `omnibot emulator` as people start them: processes of their own."""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Served:
    """A running `omnibot demo` or `omnibot emulator`."""

    address: str
    said: str


@contextmanager
def served(*arguments: str, cwd: Path) -> Iterator[Served]:
    """Start it, wait for what it prints, and end it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "omnibot", *arguments],
        cwd=cwd,
        env={**os.environ, "TMPDIR": str(cwd)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    lines: queue.Queue[str] = queue.Queue()
    output = process.stdout

    def read() -> None:
        for line in output:
            lines.put(line)
        lines.put("")

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    said = ""
    try:
        while "Ctrl-C" not in said:
            line = lines.get(timeout=60)
            assert line, said
            said += line
        address = re.search(r"http://127\.0\.0\.1:\d+/(?=\s)", said)
        assert address is not None, said
        yield Served(address[0], said)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        reader.join(10)
        output.close()
