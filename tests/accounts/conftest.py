"""Both databases, Clear Street on a real socket, and a keyring between them."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from omnibot_sandbox.clearstreet.accounts import account
from omnibot_sandbox.clearstreet.server import ClearStreetEmulator

from omnibot.accounts.account_choices import AccountChoices
from omnibot.accounts.link_cache import LinkCache
from omnibot.accounts.linking import Linking
from omnibot.accounts.model import Person
from omnibot.accounts.service import Keyring, Rule, everybody
from omnibot.accounts.store import LinkStore
from omnibot.clearstreet.trading import Trading
from omnibot.clearstreet.transport import Transport
from omnibot.db.engine import Database, open_database
from omnibot.encryption import Encryption, new_key

ANA, BEN = Person("T1", "U_ANA"), Person("T1", "U_BEN")
#: Ana's key sees two accounts that can be asked about, Ben's one.
ANAS, BENS = "anas-key-0123456789", "bens-key-0123456789"
SHARED_KEY = "the-shared-key-0123"
FIRST, SECOND, ONLY = 30001, 30002, 40001


class Clock:
    """Time that the test owns."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(tmp_path: Path, migrated: Path, request: pytest.FixtureRequest) -> str:
    """What is remembered is remembered on both databases."""
    if request.param == "sqlite":
        return f"sqlite:///{shutil.copyfile(migrated, tmp_path / 'keys.sqlite3')}"
    url: str = request.getfixturevalue("new_migrated")()
    return url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = await open_database(database_url)
    yield database
    await database.close()


@pytest.fixture
async def clear_street() -> AsyncIterator[ClearStreetEmulator]:
    emulator = ClearStreetEmulator(
        keys={
            ANAS: [account(SECOND, "Retirement"), account(FIRST, "growth"), account(30003, "Old", "CLOSED")],
            BENS: [account(ONLY, "Ben's own")],
            SHARED_KEY: [account(19816, "Main"), account(19818, "Other")],
            "key-without-accounts": [account(50001, "Gone", "CLOSED")],
        }
    )
    await emulator.start()
    yield emulator
    await emulator.close()


@pytest.fixture
async def trading(clear_street: ClearStreetEmulator) -> AsyncIterator[Trading]:
    transport = Transport(base_url=clear_street.base_url)
    yield Trading(transport)
    await transport.close()


@dataclass
class Keyrings:
    """One process's keyring."""

    clock: Clock
    links: LinkCache
    keyring: Keyring
    linking: Linking

    async def link(self, person: Person = ANA, key: str = ANAS, team: str = "T1") -> Any:
        return await self.linking.link(person, key, team=team)


MakeKeyring = Callable[..., Keyrings]


@pytest.fixture
def encryption() -> Encryption:
    return Encryption([new_key()])


async def nobody(_person: Person) -> bool:
    """A rule that lets nobody."""
    return False


def everybody_but(somebody: Person) -> Rule:
    """A rule that lets all but one."""

    async def rule(person: Person) -> bool:
        return person != somebody

    return rule


@pytest.fixture
def make_keyring(database: Database, trading: Trading, encryption: Encryption) -> MakeKeyring:
    """Another process on the same database; keywords go to the keyring."""

    def make(seal: Encryption | None = encryption, forget: Any = (), **over: Any) -> Keyrings:
        clock = Clock()
        links = LinkCache(LinkStore(database), seal, clock=clock)
        fields: dict[str, Any] = {"shared_key": SHARED_KEY, "shared_account_id": None, **over}
        keyring = Keyring(trading, links=links, choices=AccountChoices(database), **fields)
        linking = Linking(links, trading, forget=forget, may_link=over.get("may_link", everybody))
        return Keyrings(clock, links, keyring, linking)

    return make


@pytest.fixture
def keyring(make_keyring: MakeKeyring) -> Keyrings:
    return make_keyring()
