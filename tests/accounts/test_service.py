"""Whose key and which account a call uses, and how soon what another process changed counts."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime

import pytest
from omnibot_sandbox.clearstreet.server import ClearStreetEmulator
from sqlalchemy import insert, update

from omnibot.accounts.link_cache import FRESH, IDLE, LinkCache
from omnibot.accounts.model import (
    SHARED,
    AccountFixed,
    AccountUnclear,
    LinkBroken,
    NoSuchAccount,
    NoWayIn,
    Person,
    Place,
    Unlinked,
    link_principal,
)
from omnibot.accounts.store import LinkStore, SealedLink
from omnibot.db.engine import Database
from omnibot.db.tables import conversations
from omnibot.db.tables import links as link_rows
from omnibot.encryption import Encryption, new_key
from omnibot.errors import NotEntitled, Unauthorised
from tests.accounts.conftest import (
    ANA,
    ANAS,
    BEN,
    BENS,
    FIRST,
    ONLY,
    SECOND,
    SHARED_KEY,
    Clock,
    MakeKeyring,
    everybody_but,
    nobody,
)

ACCOUNTS = "GET /v1/accounts"
HERE, THERE = Place("T1", "C1", "1.1"), Place("T1", "C1", "2.2")
LINK = link_principal(ANA)


async def converse(database: Database, place: Place, principal: str, account_id: int, minute: int = 0) -> None:
    """A conversation of that principal about that account stands in a Slack thread."""
    row = {
        "id": f"{place.thread_ts}{account_id}",
        "team": place.team,
        "channel": place.channel,
        "thread_ts": place.thread_ts,
        "principal": principal,
        "account_id": account_id,
        "last_seq": 0,
        "created_at": datetime(2026, 11, 21, 9, minute),  # noqa: DTZ001  # as the tables keep it
    }
    async with database.transaction() as connection:
        await connection.execute(insert(conversations).values(**row))


# Whose authority.


async def test_who_has_no_link_uses_the_shared_key_if_they_may(make_keyring: MakeKeyring):
    keyring = make_keyring(may_share=everybody_but(BEN))
    assert await keyring.keyring.principal_of(ANA) == SHARED
    assert await keyring.keyring.key_of(SHARED) == SHARED_KEY
    with pytest.raises(Unlinked, match="/omni link"):
        await keyring.keyring.principal_of(BEN)


async def test_where_there_is_no_shared_key_everybody_needs_a_link(make_keyring: MakeKeyring):
    keyring = make_keyring(shared_key=None)
    with pytest.raises(Unlinked, match="/omni link"):
        await keyring.keyring.principal_of(ANA)
    with pytest.raises(Unlinked):
        await keyring.keyring.key_of(SHARED)
    await keyring.keyring.warm()
    await keyring.link()
    assert await keyring.keyring.key_of(await keyring.keyring.principal_of(ANA)) == ANAS


async def test_who_can_neither_share_nor_link_is_sent_to_whoever_runs_it(make_keyring: MakeKeyring):
    for keyring in (
        make_keyring(may_share=nobody, may_link=nobody),
        make_keyring(seal=None, shared_key=None),
    ):
        with pytest.raises(NoWayIn, match="whoever runs omnibot"):
            await keyring.keyring.principal_of(ANA)


async def test_a_link_that_the_rules_no_longer_allow_is_not_used(make_keyring: MakeKeyring):
    await make_keyring().link()
    assert await make_keyring(may_link=nobody).keyring.principal_of(ANA) == SHARED


async def test_a_broken_link_never_falls_back_to_the_shared_key(make_keyring: MakeKeyring):
    keyring = make_keyring()
    await keyring.link()
    await keyring.keyring.set_broken(LINK, ANAS)
    with pytest.raises(LinkBroken, match="no longer accepts"):
        await keyring.keyring.principal_of(ANA)
    with pytest.raises(LinkBroken):
        await keyring.keyring.key_of(LINK)


async def test_a_key_whose_encryption_key_is_gone_says_so(make_keyring: MakeKeyring):
    await make_keyring().link()
    for seal in (Encryption([new_key()]), None):
        with pytest.raises(LinkBroken, match="can no longer read"):
            await make_keyring(seal=seal).keyring.principal_of(ANA)


async def test_a_key_that_is_refused_breaks_its_link_once(make_keyring: MakeKeyring):
    keyring = make_keyring()
    await keyring.link()
    with pytest.raises(LinkBroken) as first:
        await keyring.keyring.judge(LINK, ANAS, Unauthorised())
    with pytest.raises(LinkBroken) as second:
        await keyring.keyring.judge(LINK, ANAS, Unauthorised())
    assert (first.value.newly, second.value.newly) == (True, False)
    status = await keyring.linking.status(ANA)
    assert status is not None
    assert status.broken_at is not None


async def test_other_errors_and_the_shared_key_break_nothing(make_keyring: MakeKeyring):
    keyring = make_keyring()
    await keyring.link()
    await keyring.keyring.judge(LINK, ANAS, NotEntitled())
    await keyring.keyring.judge(SHARED, SHARED_KEY, Unauthorised())
    assert await keyring.keyring.key_of(LINK) == ANAS


async def test_the_refusal_of_an_earlier_key_does_not_break_the_new_one(make_keyring: MakeKeyring):
    keyring = make_keyring()
    await keyring.link(ANA, BENS)
    await keyring.link(ANA, ANAS)
    with pytest.raises(LinkBroken):
        await keyring.keyring.judge(LINK, BENS, Unauthorised())
    assert await keyring.keyring.key_of(LINK) == ANAS


async def test_a_revoked_key_is_noticed_when_its_accounts_are_listed(
    make_keyring: MakeKeyring, clear_street: ClearStreetEmulator
):
    keyring = make_keyring()
    await keyring.link()
    del clear_street.keys[ANAS]
    with pytest.raises(LinkBroken):
        await keyring.keyring.accounts_of(LINK)
    with pytest.raises(LinkBroken):
        await keyring.keyring.principal_of(ANA)


# How soon.


async def test_what_another_process_unlinks_is_unlinked_here_within_seconds(make_keyring: MakeKeyring):
    here, elsewhere = make_keyring(), make_keyring()
    await elsewhere.link()
    assert await here.keyring.key_of(LINK) == ANAS
    await elsewhere.linking.unlink(ANA)
    here.clock.now += FRESH
    with pytest.raises(Unlinked):
        await here.keyring.key_of(LINK)
    assert FRESH <= 5


async def test_what_another_process_links_is_linked_here_within_seconds(make_keyring: MakeKeyring):
    here, elsewhere = make_keyring(), make_keyring()
    assert await here.keyring.principal_of(ANA) == SHARED
    await elsewhere.link()
    here.clock.now += FRESH
    assert await here.keyring.principal_of(ANA) == LINK
    await elsewhere.link(ANA, BENS)
    here.clock.now += FRESH
    assert await here.keyring.key_of(LINK) == BENS


async def test_what_this_process_changes_counts_at_once(make_keyring: MakeKeyring):
    keyring = make_keyring()
    assert await keyring.keyring.principal_of(ANA) == SHARED
    await keyring.link()
    assert await keyring.keyring.key_of(await keyring.keyring.principal_of(ANA)) == ANAS
    await keyring.linking.forget_team("T1")
    assert await keyring.keyring.principal_of(ANA) == SHARED


async def test_in_between_the_database_is_left_alone(make_keyring: MakeKeyring, database: Database):
    keyring = make_keyring()
    await keyring.link()
    await keyring.keyring.key_of(LINK)
    async with database.transaction() as connection:
        await connection.execute(update(link_rows).values(sealed="rubbish"))
    assert {await keyring.keyring.key_of(LINK) for _ in range(50)} == {ANAS}
    keyring.clock.now += FRESH
    with pytest.raises(LinkBroken):
        await keyring.keyring.key_of(LINK)


class _Slow(LinkStore):
    """A store whose first look takes as long as the test wants."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.looked, self.go_on = asyncio.Event(), asyncio.Event()

    async def read(self, person: Person) -> SealedLink | None:
        row = await super().read(person)
        self.looked.set()
        await self.go_on.wait()
        return row


async def test_a_look_that_began_before_a_change_is_not_believed_after_it(database: Database, encryption: Encryption):
    store = _Slow(database)
    links = LinkCache(store, encryption, clock=Clock())
    look = asyncio.ensure_future(links.of(ANA))
    await store.looked.wait()
    await links.save(ANA, ANAS, team="T1", accounts=[FIRST], page=None)
    store.go_on.set()
    assert await look is None
    link = await links.of(ANA)
    assert link is not None
    assert link.key == ANAS


async def test_many_questions_at_once_are_one_look(database: Database, encryption: Encryption):
    class Counting(LinkStore):
        looks = 0

        async def read(self, person: Person) -> SealedLink | None:
            self.looks += 1
            return await super().read(person)

    store = Counting(database)
    links = LinkCache(store, encryption, clock=Clock())
    await asyncio.gather(*(links.of(ANA) for _ in range(20)))
    assert store.looks == 1


async def test_keys_that_nobody_asks_for_do_not_stay_in_memory(make_keyring: MakeKeyring):
    keyring = make_keyring()
    await keyring.link()
    await keyring.keyring.key_of(LINK)
    keyring.clock.now += IDLE
    assert await keyring.keyring.principal_of(BEN) == SHARED
    assert repr(keyring.links) == "Links(1 in memory)"


# Which account.


async def test_several_accounts_are_unclear_until_one_is_chosen_and_the_choice_is_known_everywhere(
    make_keyring: MakeKeyring, clear_street: ClearStreetEmulator
):
    here, elsewhere = make_keyring(), make_keyring()
    await here.link()
    with pytest.raises(AccountUnclear) as unclear:
        await here.keyring.account_of(LINK, ANA, HERE)
    assert [account.id for account in unclear.value.choices] == [FIRST, SECOND]
    chosen = await here.keyring.choose_account(ANA, SECOND, team="T1")
    assert chosen.full_name == "Retirement"
    clear_street.gate.drop("*", count=99)
    assert await elsewhere.keyring.known_account_of(LINK, ANA) == SECOND
    assert await elsewhere.keyring.account_of(LINK, ANA, HERE) == SECOND


async def test_a_choice_for_one_thread_counts_there_alone(make_keyring: MakeKeyring):
    keyring = make_keyring()
    await keyring.link()
    await keyring.keyring.choose_account(ANA, SECOND, team="T1")
    await keyring.keyring.choose_account(ANA, FIRST, team="T1", place=HERE)
    assert await keyring.keyring.account_of(LINK, ANA, HERE) == FIRST
    assert await keyring.keyring.account_of(LINK, ANA, THERE) == SECOND
    await keyring.keyring.choose_account(ANA, SECOND, team="T1", place=HERE)
    assert await keyring.keyring.account_of(LINK, ANA, HERE) == SECOND


async def test_a_conversation_goes_on_about_its_account_when_the_general_choice_changes(
    make_keyring: MakeKeyring, database: Database
):
    keyring = make_keyring()
    await keyring.link()
    await converse(database, HERE, LINK, 0, minute=3)
    await converse(database, HERE, LINK, FIRST, minute=1)
    await converse(database, HERE, SHARED, 19816, minute=2)
    await keyring.keyring.choose_account(ANA, SECOND, team="T1")
    assert await keyring.keyring.account_of(LINK, ANA, HERE) == FIRST
    await converse(database, HERE, LINK, SECOND, minute=4)
    assert await keyring.keyring.account_of(LINK, ANA, HERE) == SECOND
    await keyring.keyring.choose_account(ANA, FIRST, team="T1", place=HERE)
    assert await keyring.keyring.account_of(LINK, ANA, HERE) == FIRST


async def test_only_an_open_account_of_ones_own_key_can_be_chosen(make_keyring: MakeKeyring):
    keyring = make_keyring()
    await keyring.link()
    for account_id in (30003, ONLY, 1):
        with pytest.raises(NoSuchAccount):
            await keyring.keyring.choose_account(ANA, account_id, team="T1")


async def test_a_choice_under_the_shared_key_is_the_choosers_alone(make_keyring: MakeKeyring):
    keyring = make_keyring()
    await keyring.keyring.choose_account(ANA, 19818, team="T1")
    assert await keyring.keyring.account_of(SHARED, ANA) == 19818
    with pytest.raises(AccountUnclear):
        await keyring.keyring.account_of(SHARED, BEN)
    await keyring.link()
    with pytest.raises(AccountUnclear):
        await keyring.keyring.account_of(LINK, ANA)


async def test_an_account_that_the_operator_set_is_everybodys(
    make_keyring: MakeKeyring, clear_street: ClearStreetEmulator
):
    keyring = make_keyring(shared_account_id=19816)
    assert await keyring.keyring.known_account_of(SHARED, ANA, HERE) == 19816
    with pytest.raises(AccountFixed):
        await keyring.keyring.choose_account(ANA, 19818, team="T1")
    assert clear_street.calls == []


async def test_the_only_account_of_the_shared_key_is_asked_for_once(
    make_keyring: MakeKeyring, clear_street: ClearStreetEmulator
):
    keyring = make_keyring(shared_key=BENS)
    assert await keyring.keyring.known_account_of(SHARED, ANA) is None
    await asyncio.gather(*(keyring.keyring.account_of(SHARED, person) for person in (ANA, BEN, ANA)))
    assert await keyring.keyring.known_account_of(SHARED, BEN) == ONLY
    assert len(clear_street.calls) == 1


async def test_a_new_key_is_not_offered_the_accounts_of_the_earlier_one(make_keyring: MakeKeyring):
    keyring = make_keyring()
    await keyring.link()
    assert [account.id for account in await keyring.keyring.accounts_of(LINK)] == [FIRST, SECOND]
    await keyring.link(ANA, BENS)
    assert [account.id for account in await keyring.keyring.accounts_of(LINK)] == [ONLY]


async def test_a_keyring_shows_neither_keys_nor_accounts(make_keyring: MakeKeyring):
    keyring = make_keyring()
    await keyring.link()
    await keyring.keyring.accounts_of(LINK)
    shown = json.dumps([repr(keyring.keyring), repr(keyring.keyring._listings), repr(keyring.links)])
    for secret in (ANAS, SHARED_KEY, "Retirement"):
        assert secret not in shown
