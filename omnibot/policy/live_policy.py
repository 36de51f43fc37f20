"""The current policy: read at start, re-read when the file changes, kept when the new one is invalid."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Self

import structlog

from omnibot.policy.model import Policy, PolicyError
from omnibot.policy.parser import LARGEST, read_policy, renamed_keys
from omnibot.scheduler import Scheduler

log = structlog.get_logger(__name__)

#: Seconds between looks at the file.
LOOK = 2.0

OnTrouble = Callable[[str], Awaitable[None]]
_Mark = tuple[int, int, int] | None
"""What tells one state of the file from another; None: it cannot be looked at."""


class LivePolicy:
    """Holds the policy in force.

    A changed file counts once it has rested from one look to the next: half a file may read like a whole one, with its
    last limits missing. So a change is in force within two looks.
    """

    def __init__(self, path: Path | None, on_trouble: OnTrouble, policy: Policy, digest: str, mark: _Mark) -> None:
        self._path = path
        self._on_trouble = on_trouble
        self._policy = policy
        self._digest = digest
        #: The state that was judged last, and the one that was seen at the last look.
        self._judged = self._seen = mark
        self._trouble: str | None = None

    @classmethod
    def open(cls, path: Path | None, on_trouble: OnTrouble) -> Self:
        """Read the file; without a path the policy is `Policy()`.

        Args:
            path: what OMNIBOT_POLICY says.
            on_trouble: is told in a sentence, once each time, that a changed file cannot be used.

        Raises:
            PolicyError: there is no such file, it cannot be read, or something in it is wrong.
        """
        if path is None:
            log.info("policy_absent")
            return cls(None, on_trouble, Policy(), "", None)
        # Looked at first: what is written while it is read, is read again.
        mark = _mark(path)
        policy, digest = read_file(path)
        log.info("policy_read", digest=digest)
        return cls(path, on_trouble, policy, digest, mark)

    @property
    def current(self) -> Policy:
        """The policy in force."""
        return self._policy

    @property
    def digest(self) -> str:
        """SHA-256 of the file in force, in hexadecimal; empty without a file."""
        return self._digest

    @property
    def trouble(self) -> str | None:
        """Why the file as it is now is not in force; None when it is."""
        return self._trouble

    def start(self, scheduler: Scheduler) -> None:
        """Look at the file every few seconds from now on."""
        if self._path is not None:
            scheduler.every("policy", LOOK, self.look)

    async def look(self) -> None:
        """Read the file again if it has changed and rests."""
        if self._path is None:
            return
        mark = await asyncio.to_thread(_mark, self._path)
        rests, self._seen = mark == self._seen, mark
        if not rests or mark == self._judged:
            return
        try:
            policy, digest = await asyncio.to_thread(read_file, self._path)
        except PolicyError as error:
            if await asyncio.to_thread(_mark, self._path) == mark:
                self._judged = mark
                await self._say(str(error))
            return
        if await asyncio.to_thread(_mark, self._path) == mark:
            self._judged, self._trouble = mark, None
            self._policy, self._digest = policy, digest
            log.info("policy_read", digest=digest)

    async def _say(self, reason: str) -> None:
        self._trouble = f"{reason}\nThe policy that was in force stays in force."
        log.error("policy_refused", reason=reason)
        await self._on_trouble(self._trouble)


def read_file(path: Path) -> tuple[Policy, str]:
    """The policy in a file, and the SHA-256 of its bytes.

    Raises:
        PolicyError: there is no such file, it cannot be read, or something in it is wrong.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise PolicyError(str(path), (f"it cannot be read: {error.strerror or type(error).__name__}",)) from None
    policy = read_policy(content, str(path))
    for warning in renamed_keys(content, str(path)):
        log.warning("policy_key_renamed", warning=warning)
    return policy, hashlib.sha256(content).hexdigest()


def warnings_of(path: Path) -> list[str]:
    """What the author of a policy file should change before the next release.

    Raises:
        PolicyError: as of `read_file`.
    """
    read_file(path)
    return renamed_keys(path.read_bytes()[: LARGEST + 1], str(path))


def _mark(path: Path) -> _Mark:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
