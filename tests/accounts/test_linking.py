"""A key is stored only after Clear Street accepted it, and forgotten with all that hangs on it."""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from omnibot_sandbox.clearstreet.server import ClearStreetEmulator
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from omnibot.accounts.model import (
    Forgotten,
    KeyRefused,
    LinkBroken,
    LinkingOff,
    NotAKey,
    NotChecked,
    NotLinked,
    Person,
    Unlinked,
    link_principal,
)
from omnibot.accounts.store import LinkStore
from omnibot.db.engine import Database
from omnibot.db.tables import account_choices, link_pages, links
from tests.accounts.conftest import (
    ANA,
    ANAS,
    BEN,
    BENS,
    FIRST,
    ONLY,
    SECOND,
    SHARED_KEY,
    Keyrings,
    MakeKeyring,
    everybody_but,
)

ACCOUNTS = "GET /v1/accounts"


async def rows(database: Database) -> int:
    """How much the keyring remembers."""
    async with database.transaction() as connection:
        found = [len((await connection.execute(select(t))).all()) for t in (links, account_choices, link_pages)]
    return sum(found)


async def test_a_key_that_clear_street_accepts_is_linked_and_used_from_then_on(keyring: Keyrings):
    linked = await keyring.link()
    assert [account.full_name for account in linked.accounts] == ["growth", "Retirement"]
    assert (linked.default, linked.same_key, linked.replaced, linked.others) == (None, False, False, 0)
    assert await keyring.keyring.principal_of(ANA) == linked.principal
    assert await keyring.keyring.key_of(linked.principal) == ANAS
    assert ANAS not in linked.principal + repr(linked) + repr(await keyring.linking.status(ANA)) + repr(keyring)


async def test_a_key_with_one_open_account_asks_about_that_one_without_a_choice(
    keyring: Keyrings, clear_street: ClearStreetEmulator
):
    linked = await keyring.link(BEN, BENS)
    assert linked.default == ONLY
    clear_street.gate.drop("*", count=99)
    assert await keyring.keyring.account_of(linked.principal, BEN) == ONLY


@pytest.mark.parametrize(
    ("key", "kind", "said"),
    [
        ("not-a-key-of-theirs", KeyRefused, "does not accept this key"),
        ("key-without-accounts", KeyRefused, "no open account"),
        ("two words", NotAKey, "space"),
    ],
)
async def test_a_key_that_does_not_work_is_refused_in_words_and_not_stored(
    keyring: Keyrings, database: Database, key: str, kind: type[NotLinked], said: str
):
    with pytest.raises(kind, match=said) as refused:
        await keyring.link(ANA, key)
    assert await rows(database) == 0
    assert key not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"status": 503}, "not answering"),
        ({"status": 429, "headers": {"Retry-After": "600"}}, "busy"),
        ({"status": 500, "body": "<html>"}, "not answering"),
        ({"status": 404}, "not answering"),
        ({"status": 400}, "did not accept the question"),
    ],
)
async def test_while_clear_street_cannot_say_nothing_is_stored(
    keyring: Keyrings, database: Database, clear_street: ClearStreetEmulator, fault: dict[str, object], said: str
):
    clear_street.gate.refuse(ACCOUNTS, count=99, **fault)  # type: ignore[arg-type]  # as the table says
    with pytest.raises(NotChecked, match=said) as refused:
        await keyring.link()
    assert "not stored" in str(refused.value)
    assert ANAS not in "".join(traceback.format_exception(refused.value))
    assert await rows(database) == 0


async def test_a_key_that_may_not_list_accounts_is_refused(keyring: Keyrings, clear_street: ClearStreetEmulator):
    clear_street.gate.refuse(ACCOUNTS, status=403, count=99)
    with pytest.raises(KeyRefused, match="see its accounts") as refused:
        await keyring.link()
    assert refused.value.request_id is not None


async def test_a_clear_street_that_hangs_is_not_waited_for(
    keyring: Keyrings, database: Database, clear_street: ClearStreetEmulator
):
    hold = clear_street.gate.hold(ACCOUNTS)
    with pytest.raises(NotChecked, match="too long"):
        await keyring.linking.link(ANA, ANAS, team="T1", patience=0.2)
    hold.drop()
    assert await rows(database) == 0


async def test_a_refused_key_leaves_the_earlier_link_as_it_was(keyring: Keyrings):
    linked = await keyring.link()
    with pytest.raises(KeyRefused):
        await keyring.link(ANA, "not-a-key-of-theirs")
    assert await keyring.keyring.key_of(linked.principal) == ANAS


async def test_without_encryption_keys_linking_is_refused_with_how_to_set_them(
    make_keyring: MakeKeyring, clear_street: ClearStreetEmulator
):
    keyring = make_keyring(seal=None)
    with pytest.raises(LinkingOff, match="OMNIBOT_ENCRYPTION_KEYS"):
        await keyring.link()
    with pytest.raises(LinkingOff, match="omnibot keys new"):
        await keyring.linking.require(ANA)
    assert clear_street.calls == []


async def test_who_may_not_link_is_told_so_and_their_key_goes_nowhere(
    make_keyring: MakeKeyring, clear_street: ClearStreetEmulator
):
    keyring = make_keyring(may_link=everybody_but(ANA))
    with pytest.raises(LinkingOff, match="may not link"):
        await keyring.link()
    assert clear_street.calls == []
    await keyring.link(BEN, BENS)


async def test_the_same_key_again_is_noticed_and_another_one_replaces_it(keyring: Keyrings):
    await keyring.link()
    before = await keyring.linking.status(ANA)
    again = await keyring.link()
    after = await keyring.linking.status(ANA)
    assert (again.same_key, again.replaced) == (True, False)
    assert before is not None
    assert after is not None
    assert after.created_at == before.created_at
    assert after.validated_at >= before.validated_at
    other = await keyring.link(ANA, BENS)
    assert (other.same_key, other.replaced) == (False, True)
    assert await keyring.keyring.key_of(other.principal) == BENS


async def test_a_key_that_others_linked_too_is_noticed(keyring: Keyrings):
    await keyring.link(BEN, ANAS)
    assert (await keyring.link(ANA, ANAS)).others == 1


async def test_a_chosen_account_outlasts_a_key_that_still_sees_it_and_no_other(keyring: Keyrings):
    await keyring.link()
    await keyring.keyring.choose_account(ANA, SECOND, team="T1")
    assert (await keyring.link()).default == SECOND
    assert (await keyring.link(ANA, SHARED_KEY)).default is None


async def test_unlinking_forgets_the_key_the_choices_and_what_hangs_on_them(
    make_keyring: MakeKeyring, database: Database
):
    seen: list[str] = []

    async def tickets(_: AsyncConnection, principals: Sequence[str]) -> Mapping[str, int]:
        seen.extend(principals)
        return {"open tickets": 2, "drafts": 0}

    keyring = make_keyring(forget=[tickets, tickets])
    linked = await keyring.link()
    await keyring.keyring.choose_account(ANA, FIRST, team="T1")
    assert await keyring.linking.unlink(ANA) == Forgotten(1, {"open tickets": 4})
    assert seen == [linked.principal] * 2
    assert await rows(database) == 0
    with pytest.raises(Unlinked, match="no longer linked"):
        await keyring.keyring.key_of(linked.principal)
    assert await keyring.linking.unlink(ANA) == Forgotten(0)
    assert await keyring.linking.status(ANA) is None


async def test_what_hangs_on_a_link_and_the_link_are_forgotten_together_or_not_at_all(
    make_keyring: MakeKeyring, database: Database
):
    async def broken(_: AsyncConnection, principals: Sequence[str]) -> Mapping[str, int]:
        raise RuntimeError("no tickets today")

    keyring = make_keyring(forget=[broken])
    linked = await keyring.link()
    with pytest.raises(RuntimeError):
        await keyring.linking.unlink(ANA)
    assert await keyring.keyring.key_of(linked.principal) == ANAS


async def test_a_deactivated_person_is_forgotten_and_nobody_else(keyring: Keyrings, database: Database):
    await keyring.link()
    await keyring.keyring.choose_account(ANA, FIRST, team="T1")
    await keyring.link(BEN, BENS)
    assert (await keyring.linking.forget_person(ANA)).links == 1
    assert await keyring.linking.status(ANA) is None
    assert await keyring.keyring.key_of(link_principal(BEN)) == BENS
    assert await rows(database) == 2


async def test_after_an_uninstall_nothing_of_that_workspace_is_left(keyring: Keyrings, database: Database):
    elsewhere = Person("T2", "U_ANA")
    await keyring.link()
    await keyring.link(BEN, BENS)
    await keyring.keyring.choose_account(ANA, FIRST, team="T1")
    await keyring.link(elsewhere, BENS, team="T2")
    assert (await keyring.linking.forget_team("T1")).links == 2
    assert await keyring.linking.status(ANA) is None
    assert await keyring.linking.status(elsewhere) is not None
    assert await rows(database) == 2
    assert await LinkStore(database).count() == (1, 0)


async def test_a_broken_link_is_mended_when_clear_street_accepts_the_key_again(keyring: Keyrings, database: Database):
    linked = await keyring.link()
    assert await keyring.keyring.set_broken(linked.principal, ANAS)
    with pytest.raises(LinkBroken):
        await keyring.keyring.principal_of(ANA)
    mended = await keyring.linking.mend(ANA, team="T1")
    assert mended.same_key
    assert await keyring.keyring.principal_of(ANA) == linked.principal
    assert await LinkStore(database).count() == (1, 0)


async def test_a_link_that_is_still_refused_stays_broken(keyring: Keyrings, clear_street: ClearStreetEmulator):
    linked = await keyring.link()
    await keyring.keyring.set_broken(linked.principal, ANAS)
    del clear_street.keys[ANAS]
    with pytest.raises(KeyRefused):
        await keyring.linking.mend(ANA, team="T1")
    with pytest.raises(LinkBroken):
        await keyring.keyring.key_of(linked.principal)


async def test_mending_brings_nothing_back_that_was_unlinked_meanwhile(
    make_keyring: MakeKeyring, clear_street: ClearStreetEmulator, database: Database
):
    import asyncio

    keyring, elsewhere = make_keyring(), make_keyring()
    await keyring.link()
    hold = clear_street.gate.hold(ACCOUNTS)
    mending = asyncio.ensure_future(keyring.linking.mend(ANA, team="T1"))
    await hold.reached()
    await elsewhere.linking.unlink(ANA)
    hold.release()
    with pytest.raises(Unlinked):
        await mending
    assert await rows(database) == 0


async def test_there_is_nothing_to_mend_without_a_link(keyring: Keyrings):
    with pytest.raises(Unlinked):
        await keyring.linking.mend(ANA, team="T1")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_whatever_is_entered_is_a_clear_error_and_nothing_is_stored(keyring: Keyrings, database: Database):
    odd = st.text(max_size=600) | st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=8)

    entered: list[str] = []

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(odd)
    def gather(text: str) -> None:
        entered.append(text)

    gather()
    for text in entered:
        with pytest.raises(NotLinked) as refused:
            await keyring.link(ANA, text)
        assert str(refused.value).endswith(".")
    assert await rows(database) == 0
