"""`omnibot demo` as people start it: a process of its own."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

PACE = "0.05"


@dataclass
class Ended:
    code: int
    out: str
    err: str


@dataclass
class Running:
    """A demo that serves its page."""

    process: asyncio.subprocess.Process
    address: str
    said: str
    temporary: Path


async def omnibot(*arguments: str, environment: dict[str, str] | None = None) -> Ended:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "omnibot", *arguments),
        env={**os.environ, **(environment or {})},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.communicate()
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


@asynccontextmanager
async def started(temporary: Path, *arguments: str, until: str = "Ctrl-C") -> AsyncIterator[Running]:
    """Start it, wait for what it prints, and end it with SIGTERM if nobody did."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "omnibot", *arguments),
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    said = ""
    try:
        while until not in said:
            line = (await asyncio.wait_for(process.stdout.readline(), 60)).decode()
            assert line, said
            said += line
        found = re.search(r"http://127\.0\.0\.1:\d+/", said)
        yield Running(process, found[0] if found else "", said, temporary)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.communicate()


def inside(folder: Path) -> list[str]:
    """The names of what is in there."""
    return [path.name for path in folder.iterdir()]


def children(pid: int) -> set[int]:
    """The processes this one started that still live, and theirs."""
    found: set[int] = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            child = int(stat.parent.name)
            found |= {child, *children(child)}
    return found
