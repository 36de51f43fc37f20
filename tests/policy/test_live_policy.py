"""The policy of the moment, on real files: read at start, read again on change, kept when the new one is bad."""

import asyncio
import hashlib
import os
from pathlib import Path

import pytest

from omnibot.policy import live_policy
from omnibot.policy.live_policy import LivePolicy
from omnibot.policy.model import Policy, PolicyError
from omnibot.scheduler import Scheduler
from tests.policy.examples import DESK_TRADES

GOOD = f"version = 1\n{DESK_TRADES}"
LAXER = GOOD.replace('deny_symbols = ["CLST"]', "")


class Told:
    """Where trouble is said."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.something = asyncio.Event()

    async def __call__(self, message: str) -> None:
        self.messages.append(message)
        self.something.set()


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "policy.toml"
    path.write_text(GOOD)
    return path


async def settle(book: LivePolicy) -> None:
    """As many looks as a file at rest needs, and one more."""
    for _ in range(3):
        await book.look()


def write(path: Path, text: str) -> None:
    """Write in place, as editors and `echo` do."""
    path.write_text(text)


def denied(book: LivePolicy) -> list[str]:
    """The symbols that nobody may trade."""
    return list(book.current.trading.deny_symbols)


def replace(path: Path, text: str) -> None:
    """Put a new file of the same time in place, as careful editors do."""
    stat = path.stat()
    other = path.with_suffix(".new")
    other.write_text(text)
    os.utime(other, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    other.replace(path)


def remove(path: Path) -> None:
    """Take the file away."""
    path.unlink()


def touch(path: Path) -> None:
    """A change that the clock of the file system may be too coarse to show."""
    stat = path.stat()
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1_000_000))


async def test_without_a_path_the_policy_is_the_default_and_never_changes(told: Told):
    book = LivePolicy.open(None, told)
    await settle(book)
    assert book.current == Policy()
    assert book.digest == ""
    assert told.messages == []


async def test_the_file_is_in_force_from_the_start(path: Path, told: Told):
    book = LivePolicy.open(path, told)
    assert book.current.trading.traders == ("U0ANA", "U0BEN")
    assert book.digest == hashlib.sha256(GOOD.encode()).hexdigest()


@pytest.mark.parametrize("content", [b"", b"version = 2", b"\xff", GOOD[:-30].encode()])
def test_a_bad_file_refuses_the_start(path: Path, told: Told, content: bytes):
    path.write_bytes(content)
    with pytest.raises(PolicyError, match=str(path)):
        LivePolicy.open(path, told)


def test_a_file_that_is_not_there_or_is_a_folder_refuses_the_start(tmp_path: Path, told: Told):
    with pytest.raises(PolicyError, match=r"none\.toml cannot be used:\s+it cannot be read: No such file"):
        LivePolicy.open(tmp_path / "none.toml", told)
    with pytest.raises(PolicyError, match="it cannot be read: Is a directory"):
        LivePolicy.open(tmp_path, told)


async def test_a_change_is_in_force_once_the_file_rests(path: Path, told: Told):
    book = LivePolicy.open(path, told)
    write(path, LAXER)
    await book.look()
    assert denied(book) == ["CLST"]
    await book.look()
    assert denied(book) == []
    assert book.digest == hashlib.sha256(LAXER.encode()).hexdigest()
    assert told.messages == []


async def test_a_file_put_in_place_of_another_of_the_same_size_and_time_is_noticed(path: Path, told: Told):
    book = LivePolicy.open(path, told)
    replace(path, GOOD.replace("CLST", "MSFT"))
    await settle(book)
    assert denied(book) == ["MSFT"]


async def test_a_bad_change_leaves_the_old_policy_in_force_and_is_told_once(path: Path, told: Told):
    book = LivePolicy.open(path, told)
    write(path, GOOD.replace("halters", "haltors"))
    await settle(book)
    await settle(book)
    assert book.current.trading.halters == ("U0EVE",)
    assert book.digest == hashlib.sha256(GOOD.encode()).hexdigest()
    [message] = told.messages
    assert 'did you mean "halters"' in message
    assert "stays in force" in message
    assert book.trouble == message


async def test_mending_a_bad_change_ends_the_trouble(path: Path, told: Told):
    book = LivePolicy.open(path, told)
    write(path, "version = 7")
    await settle(book)
    write(path, LAXER)
    await settle(book)
    assert book.trouble is None
    assert denied(book) == []
    assert len(told.messages) == 1


async def test_a_second_bad_change_is_told_too(path: Path, told: Told):
    book = LivePolicy.open(path, told)
    for content in ("version = 7", "version = 88"):
        write(path, content)
        await settle(book)
    assert len(told.messages) == 2


async def test_a_vanished_file_leaves_the_policy_in_force_and_counts_again_when_it_is_back(path: Path, told: Told):
    book = LivePolicy.open(path, told)
    remove(path)
    await settle(book)
    assert book.current.trading.traders == ("U0ANA", "U0BEN")
    [message] = told.messages
    assert "it cannot be read" in message
    write(path, LAXER)
    await settle(book)
    assert book.trouble is None
    assert denied(book) == []


async def test_no_state_of_a_file_that_is_still_being_written_is_ever_in_force_or_complained_of(path: Path, told: Told):
    book = LivePolicy.open(path, told)
    new = GOOD.replace("CLST", "MSFT")
    for end in range(0, len(new), 7):
        write(path, new[:end])
        touch(path)
        await book.look()
        assert denied(book) == ["CLST"]
    write(path, new)
    await settle(book)
    assert denied(book) == ["MSFT"]
    assert told.messages == []


async def test_a_change_while_the_file_is_read_is_read_again(path: Path, told: Told, monkeypatch: pytest.MonkeyPatch):
    book = LivePolicy.open(path, told)
    write(path, LAXER)
    await book.look()
    read = live_policy.read_file

    def read_and_be_overtaken(at: Path) -> tuple[Policy, str]:
        found = read(at)
        at.write_text(GOOD.replace('"CLST"', '"MSFT", "CLST"'))
        return found

    monkeypatch.setattr(live_policy, "read_file", read_and_be_overtaken)
    await book.look()
    assert denied(book) == ["CLST"]
    monkeypatch.setattr(live_policy, "read_file", read)
    await settle(book)
    assert denied(book) == ["MSFT", "CLST"]


async def test_trouble_that_cannot_be_told_does_not_stop_the_looks(path: Path):
    async def broken(message: str) -> None:
        raise RuntimeError(message)

    book = LivePolicy.open(path, broken)
    write(path, "version = 7")
    with pytest.raises(RuntimeError):
        await settle(book)
    write(path, LAXER)
    await settle(book)
    assert denied(book) == []


async def test_the_scheduler_looks_by_itself(path: Path, told: Told, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(live_policy, "LOOK", 0.05)
    book = LivePolicy.open(path, told)
    scheduler = Scheduler()
    scheduler.start()
    try:
        book.start(scheduler)
        write(path, "version = 7")
        await asyncio.wait_for(told.something.wait(), 60)
    finally:
        await scheduler.stop()
    assert "version: must be 1, not 7" in told.messages[0]
