"""The keyring's pure rules."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from omnibot.accounts.model import (
    LONGEST_KEY,
    SHARED,
    AccountUnclear,
    NotAKey,
    Person,
    by_name,
    choose_account,
    clean_key,
    link_principal,
    person_of,
)
from omnibot.clearstreet.models import Account, AccountStatus


def account(id: int, name: str, status: AccountStatus = AccountStatus.ACTIVE) -> Account:
    return Account(id=id, status=status, full_name=name)


def test_a_principal_names_its_person_and_the_shared_one_nobody():
    assert person_of(link_principal(Person("E1", "U1"))) == Person("E1", "U1")
    assert person_of(SHARED) is None


@pytest.mark.parametrize("around", ["", " ", "\n", "\t\r\n", "\u00a0", "\u200b", "\ufeff \n"])
def test_what_copying_adds_around_a_key_is_no_part_of_it(around: str):
    assert clean_key(f"{around}cs_live_0123456789{around}") == "cs_live_0123456789"


@pytest.mark.parametrize(
    ("entered", "said"),
    [
        ("", "no key"),
        ("  \n ", "no key"),
        ("cs_live 0123456789", "space or a line break"),
        ("cs_live_\n0123456789", "space or a line break"),
        ("Bearer cs_live_0123456789", "without “Bearer”"),
        ("cs_live_01234567é9", "characters inside"),
        ("cs_live_0123\u200b456789", "characters inside"),
        ("cs_live_\x000123456789", "characters inside"),
        ("k" * (LONGEST_KEY + 1), "too long"),
        ("short", "too short"),
    ],
)
def test_what_cannot_be_a_key_is_refused_with_why(entered: str, said: str):
    with pytest.raises(NotAKey, match=said) as refused:
        clean_key(entered)
    assert len(entered.strip()) < 8 or entered.strip() not in str(refused.value)


@given(st.text(max_size=LONGEST_KEY + 50))
@example("\ud800" * 20)
@example("key\u2028key-key-key")
@example("x" * 5_000_000)
def test_whatever_is_entered_is_a_key_that_can_be_sent_or_a_sentence_without_it(entered: str):
    try:
        key = clean_key(entered)
    except NotAKey as refused:
        sentence = str(refused)
        assert sentence.endswith(".")
        assert len(entered.strip()) < 8 or entered.strip() not in sentence
    else:
        assert key.isascii()
        assert key.isprintable()
        assert " " not in key
        assert key in entered


def test_accounts_are_listed_by_name_without_the_closed_ones():
    accounts = [account(3, "beta"), account(2, "Alpha"), account(1, "Old", AccountStatus.CLOSED), account(4, "")]
    assert [one.id for one in by_name(accounts)] == [4, 2, 3]


def test_an_account_that_must_be_chosen_comes_with_what_there_is_to_choose():
    accounts = [account(2, "Beta"), account(1, "Alpha")]
    with pytest.raises(AccountUnclear, match="/omni account") as unclear:
        choose_account(accounts, principal="link:T1:U1")
    assert [one.id for one in unclear.value.choices] == [1, 2]
    with pytest.raises(AccountUnclear, match="CLEAR_STREET_ACCOUNT_ID"):
        choose_account(accounts)
