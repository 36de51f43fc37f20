"""The consent service between a real database and Clear Street's emulator."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from omnibot_sandbox.clearstreet.accounts import account
from omnibot_sandbox.clearstreet.entitlements import CODE, KEY
from omnibot_sandbox.clearstreet.server import ClearStreetEmulator

from omnibot.accounts.model import SHARED, Person
from omnibot.accounts.service import Keyring
from omnibot.clearstreet.omni import Omni
from omnibot.clearstreet.trading import Trading
from omnibot.clearstreet.transport import Transport
from omnibot.consent.model import Consent, ConsentState, NewConsent, Shown, listed
from omnibot.consent.service import Consents
from omnibot.consent.store import ConsentStore
from omnibot.db.engine import Database, open_database
from omnibot.policy.identities import YES, AccessResult
from omnibot.turns.model import Kind, NewTurn, Outcome, Surface, Turn, TurnAnswer
from omnibot.turns.model import TurnState as TurnState
from omnibot.turns.store import TurnStore

ANA, BEN = Person("T1", "U0ANA"), Person("T1", "U0BEN")
FIRST, SECOND = 30001, 30002


@dataclass
class Bench:
    """One instance's consent service, and what it works with."""

    database: Database
    omni: ClearStreetEmulator
    turns: TurnStore
    store: ConsentStore
    service: Consents
    #: Who may not sign, and why.
    refused: dict[Person, AccessResult] = field(default_factory=dict)
    #: Who hears nothing about accounts.
    strangers: set[Person] = field(default_factory=set)

    async def answered(self, **over: object) -> tuple[Turn, Consent]:
        """A question of Ana's whose answer asks for consent."""
        fields: dict[str, object] = {
            "source_key": "message:C1:1.1",
            "surface": Surface.MENTION,
            "kind": Kind.INSTANT,
            "team": "T1",
            "person": ANA,
            "channel": "C1",
            "thread_ts": "1.1",
            "message_ts": "1.1",
            "event": {"text": "my positions?"},
        }
        turn_id = await self.turns.accept(NewTurn(**{**fields, **over}))  # type: ignore[arg-type]  # a factory
        turn = await self.turns.get(turn_id or "")
        assert turn is not None
        turn = await self.turns.join(
            turn, question="my positions?", channel="C1", thread_ts="1.1", principal=SHARED, account_id=FIRST
        )
        new = NewConsent(f"token of {turn.id}"[:32], SHARED, KEY, "To list them.", (CODE,), (FIRST,))
        answer = TurnAnswer(Outcome.SUCCEEDED, consent={"id": new.id})
        turn = await self.turns.finalize(turn, answer, [], None, new)
        turn = await self.turns.move(turn, TurnState.SUCCEEDED)
        consent = await self.store.get(new.id)
        assert consent is not None
        return turn, consent

    async def again(self, turn: Turn) -> Turn:
        """The same question, as it waits."""
        async with self.database.transaction() as connection:
            query = "SELECT id FROM turns WHERE source_key = :key"
            found = await connection.exec_driver_sql(
                query.replace(":key", f"'consent:{turn.id}'")  # an id of our own
            )
            again_id = str(found.scalar_one())
        again = await self.turns.get(again_id)
        assert again is not None
        return again

    async def shown(self, consent: Consent) -> Shown:
        """What Ana has before her eyes."""
        reading = await self.service.read(consent.id, ANA)
        document = reading.document
        return Shown(document.agreement_id, document.version, document.sha256, listed(reading.named))

    async def state(self, consent: Consent) -> ConsentState:
        now = await self.store.get(consent.id)
        assert now is not None
        return now.state

    async def until(self, condition: Callable[[], bool]) -> None:
        for _ in range(1500):
            if condition():
                return
            await asyncio.sleep(0.02)
        raise AssertionError("never so")


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(tmp_path: Path, migrated: Path, request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    if request.param == "sqlite":
        url = f"sqlite:///{shutil.copyfile(migrated, tmp_path / 'consents.sqlite3')}"
    else:
        url = request.getfixturevalue("new_migrated")()
    database = await open_database(url)
    yield database
    await database.close()


@pytest.fixture(params=["2026-08"])
async def bench(database: Database, request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    omni = ClearStreetEmulator(
        revision=request.param, keys={"demo-key": [account(FIRST, "First"), account(SECOND, "Second")]}
    )
    await omni.start()
    transport = Transport(base_url=omni.base_url)
    keyring = Keyring(Trading(transport), shared_key="demo-key", shared_account_id=FIRST)
    refused: dict[Person, AccessResult] = {}
    strangers: set[Person] = set()

    async def may_sign(person: Person, _principal: str) -> AccessResult:
        return refused.get(person, YES)

    async def may_look(person: Person) -> AccessResult:
        return AccessResult(person not in strangers, "Account data is for members.")

    service = Consents(
        database, Omni(transport), keyring, may_sign=may_sign, may_look=may_look, retention=timedelta(days=30)
    )
    yield Bench(database, omni, TurnStore(database, "this"), ConsentStore(database), service, refused, strangers)
    await transport.close()
    await omni.close()
