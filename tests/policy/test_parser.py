"""The file is read strictly, and all that is wrong with it is said at once, by table and key."""

from decimal import Decimal

import pytest

from omnibot.clearstreet.models.enums import OrderType, TimeInForce
from omnibot.policy.model import FollowUps, Policy, PolicyError, Session, _doubles
from omnibot.policy.parser import DEEPEST, LARGEST, read_policy, renamed_keys
from tests.policy.examples import ANA, BEN, DESK_TRADES, policy


def problems(text: str) -> list[str]:
    """What is said about a file without its first line."""
    with pytest.raises(PolicyError) as refused:
        policy(text)
    return list(refused.value.problems)


def problem(text: str) -> str:
    """The one thing that is said."""
    [said] = problems(text)
    return said


def test_a_file_of_one_line_means_the_same_as_no_file():
    assert policy() == Policy()


def test_everything_wrong_is_said_at_once_and_names_file_table_and_key():
    text = b"""
    version = 2
    colour = "blue"
    [access]
    people = "ana"
    guest = "everybody"
    [channels]
    account_data = ["general"]
    no_account_data = "C0DESK"
    [trading]
    traders = ["U0ANA"]
    max_order_notional = 1000.5
    [[trading.trader]]
    id = "U0ANA"
    options = "yes"
    [[trading.trader]]
    optoins = true
    """
    with pytest.raises(PolicyError) as refused:
        read_policy(text, "/etc/omnibot/policy.toml")
    assert "/etc/omnibot/policy.toml" in str(refused.value)
    said = refused.value.problems
    assert [one.partition(":")[0] for one in said] == [
        "version",
        "colour",
        "[access] people",
        "[access] guest",
        "[channels] account_data",
        "[channels] no_account_data",
        "[trading] max_order_notional",
        "[[trading.trader]] number 1 options",
        "[[trading.trader]] number 2 id",
        "[[trading.trader]] number 2 optoins",
    ]
    assert all(one in str(refused.value) for one in said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[trading]\nmax_order_notionl = 1", '[trading] max_order_notionl: is not known; did you mean "max_order_not'),
        ("[trading]\npeople = []", "[trading] people: is not known here; it belongs to [access]"),
        ("[consent]\nxyz = 1", "[consent] xyz: is not known; [consent] knows consent_signers"),
        ("[acces]", "acces: is not known; did you mean [access]?"),
        ("[Trading]", "Trading: is not known; did you mean [trading]?"),
        ("traders = []", "traders: is not known here; it belongs to [trading]"),
        ("verison = 1", "verison: is not known; did you mean version?"),
        ("[zebra]", "zebra: is not known; the file has version, [access]"),
        ('"\\u0000" = 1', "\ufffd: is not known"),
        ("access = 3", "access: is a table: write [access] on a line of its own"),
        ("[[access]]", "access: is a table: write [access] on a line of its own"),
        ("[access.people]\nx = 1", '[access] people: must be "members", or a list of ids such as ["U012AB3CD"], not a'),
        ("[trading.trader]\nid = 'U0ANA'", "[trading] trader: needs double brackets: [[trading.trader]]"),
        ("[trading]\ntrader = [1]", "[[trading.trader]] number 1: is a table, with keys of its own"),
    ],
)
def test_a_key_in_the_wrong_place_is_told_its_place_or_the_nearest_name(text: str, said: str):
    assert problem(text).startswith(said)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"version = ", "it is not TOML: "),
        (b"version = 1\nversion = 1", "it is not TOML: Cannot overwrite a value"),
        (b"\xff\xfe", "it is not UTF-8 text (byte 1)"),
        (b"version = 1\nx = " + b"9" * 10_000, "it is not TOML that can be read"),
        (b"x = " + b"[" * 100_000, "it is not TOML that can be read"),
        (b"", "version: is missing: begin the file with version = 1"),
        (b"version = true", "version: must be 1, not true"),
        (b"version = 1.0", "version: must be 1, not 1.0"),
        (b"version = '1'", 'version: must be 1, not "1"'),
        (b"#" * (LARGEST + 1), "it is larger than 1 MB"),
    ],
    ids=lambda value: value[:20] if isinstance(value, bytes) else "",
)
def test_what_is_no_policy_file_at_all_is_said_in_one_line(content: bytes, said: str):
    with pytest.raises(PolicyError) as refused:
        read_policy(content, "x")
    [only] = refused.value.problems
    assert only.startswith(said)
    assert "\n" not in only


def test_a_key_of_many_parts_is_refused_by_its_line_and_dots_elsewhere_are_none_of_it():
    deep = ".".join(["a"] * (DEEPEST + 1))
    for key in (deep, deep.replace(".", " . "), deep.replace("a", '"a.b"'), deep.replace("a", "'#'"), f"[{deep}]\nx"):
        with pytest.raises(PolicyError) as refused:
            read_policy(f"version = 1\n# {deep}\n{key} = 1".encode(), "x")
        assert refused.value.problems == ("a key in line 3 has more than 8 parts: no key of a policy has",)
    with pytest.raises(PolicyError, match="in line 2 has more than 8 parts"):
        read_policy(f"version = 1\naccess = {{ {deep} = 1 }}".encode(), "x")

    fine = f'version = 1\n# {deep}\n[trading]\nsymbols = ["BRK.A", "{deep}", \'BF.B.{deep}\']  # {deep}\n'
    fraction = "version = 1\n[trading]\nmax_quote_age_seconds = 0.5\n"
    for text in (fine, fraction):
        with pytest.raises(PolicyError) as refused:
            read_policy(text.encode(), "x")
        assert "parts" not in str(refused.value.problems)


@pytest.mark.parametrize(
    "text",
    ["a" + ".a" * 99_999 + " = 1", "[a" + ".a" * 99_999 + "]", "x = {" + "'' . " * 99_999 + "a = 1}"],
    ids=["a key", "a table", "inline"],
)
def test_what_would_take_the_square_of_its_length_to_read_is_not_begun(text: str, monkeypatch: pytest.MonkeyPatch):
    begun: list[int] = []
    monkeypatch.setattr("omnibot.policy.parser.tomllib.loads", lambda text, **_: begun.append(len(text)))
    with pytest.raises(PolicyError, match="in line 1 has more than 8 parts"):
        read_policy(text.encode(), "x")
    assert begun == []


def test_a_byte_order_mark_does_no_harm():
    assert read_policy(b"\xef\xbb\xbfversion = 1", "x") == Policy()


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("access.people", '"everybody"', 'must be "members", or a list'),
        ("access.people", '["ana@example.com"]', '"ana@example.com" is a name, which people can change'),
        ("access.people", '["@ana"]', '"@ana" is a name, which people can change'),
        ("access.people", '["Ana"]', '"Ana" is a name, which people can change'),
        ("access.people", '["S0123ABCD"]', '"S0123ABCD" is a user group, which cannot be named here'),
        ("access.people", '["C0123ABCD"]', '"C0123ABCD" is no Slack user id'),
        ("access.people", "[12]", "12 is no Slack user id"),
        ("access.people", "[[]]", "a list is no Slack user id"),
        ("access.externals", '"everybody"', 'must be "nobody", or a list'),
        ("access.refused", '"U0ANA"', 'must be a list in square brackets, not "U0ANA"'),
        ("access.where", '"channels"', 'must be "everywhere", "direct" or a list of channel ids, not "channels"'),
        ("access.where", '["D0123"]', '"D0123" is a direct message; those need no naming'),
        ("access.where", '["#desk"]', '"#desk" is no channel id'),
        ("access.shared_channels", '"false"', 'must be true or false, without quotes, not "false"'),
        ("access.shared_channels", "0", "must be true or false, without quotes, not 0"),
        ("channels.follow_ups", '"participant"', '"participant" is not known; did you mean "participants"?'),
        ("consent.consent_signers", '["T0HOME"]', '"T0HOME" is a whole team; here only single people can be named'),
        ("trading.traders", '["T0HOME"]', '"T0HOME" is a whole team; here only single people can be named'),
        ("trading.accounts", '"all"', 'must be "any" or a list of account ids such as [19816], not "all"'),
        ("trading.accounts", '["19816"]', '"19816" is no account id'),
        ("trading.accounts", "[true]", "true is no account id"),
        (
            "trading.max_order_notional",
            "1_000.50",
            '1_000.50 would be rounded by computers: write it in quotes, as "10',
        ),
        ("trading.max_order_notional", "1e6", '1e6 would be rounded by computers: write it in quotes, as "2500.50"'),
        ("trading.max_order_notional", "nan", 'nan would be rounded by computers: write it in quotes, as "2500.50"'),
        ("trading.max_order_notional", '"1,000"', 'must be plain digits, such as "2500.50" or 100000, or "unlimited"'),
        ("trading.max_order_notional", '"$1000"', 'must be plain digits, such as "2500.50" or 100000, or "unlimited"'),
        ("trading.max_order_notional", '"1e9"', "must be plain digits"),
        ("trading.max_order_notional", '"NaN"', "must be plain digits"),
        ("trading.max_order_notional", '"１０"', "must be plain digits"),
        ("trading.max_order_notional", '"10\\n"', "must be plain digits"),
        ("trading.max_order_notional", "-1", "must be plain digits"),
        ("trading.max_order_notional", "true", "must be plain digits"),
        (
            "trading.max_order_notional",
            "2026-11-21",
            'must be plain digits, such as "2500.50" or 100000, or "unlimited"',
        ),
        ("trading.max_day_quantity", "0", "must be more than 0"),
        ("trading.four_eyes_above", '"unlimited"', 'must be plain digits, such as "2500.50" or 100000, or "never"'),
        ("trading.symbols", '"AAPL"', 'must be "any" or a list of tickers such as ["AAPL"], not "AAPL"'),
        ("trading.symbols", '["aapl"]', '"aapl" is no ticker'),
        ("trading.deny_symbols", '"any"', 'must be a list of tickers such as ["AAPL"], not "any"'),
        ("trading.order_types", '["limit"]', '"limit" is not known; did you mean "LIMIT"?'),
        ("trading.order_types", '["OTHER"]', '"OTHER" is not known'),
        ("trading.order_types", "[]", "must name at least one"),
        ("trading.times_in_force", '["GTC"]', '"GTC" is not known. It may be "DAY", "GOOD_TILL_CANCEL"'),
        ("trading.sessions", '["overnight"]', '"overnight" is not known'),
        ("trading.price_collar", "5", 'must be "5%", "50bps" or the like, or "none", in quotes, not 5'),
        ("trading.price_collar", '"5"', 'must be "5%", "50bps" or the like, or "none"'),
        ("trading.price_collar", '"0%"', 'must be more than nothing and at most "100%"'),
        ("trading.price_collar", '"101%"', 'must be more than nothing and at most "100%"'),
        ("trading.max_quote_age_seconds", '"15"', 'must be a whole number from 1 to 3600, without quotes, not "15"'),
        ("trading.max_quote_age_seconds", "0", "must be a whole number from 1 to 3600, without quotes, not 0"),
        ("trading.ticket_expiry_minutes", "1441", "must be a whole number from 1 to 1440"),
        ("trading.ticket_expiry_minutes", "2.5", "must be a whole number from 1 to 1440, without quotes, not 2.5"),
    ],
)
def test_a_wrong_value_is_told_what_it_may_be(key: str, value: str, said: str):
    table, _, name = key.partition(".")
    assert problem(f"[{table}]\n{name} = {value}").startswith(f"[{table}] {name}: {said}")


def test_values_become_what_the_rules_reckon_with():
    read = policy(
        """
        [channels]
        follow_ups = "mention"
        [access]
        where = "direct"
        [trading]
        accounts = [19816, 19817, 19816]
        max_order_notional = "2500.50"
        max_order_quantity = 100_000
        max_day_notional = "unlimited"
        symbols = ["AAPL", "BRK.B"]
        order_types = ["STOP", "LIMIT", "STOP"]
        times_in_force = ["AT_CLOSE"]
        sessions = ["extended"]
        price_collar = "25 bps"
        four_eyes_above = "never"
        """
    )
    trading = read.trading
    assert read.channels.follow_ups is FollowUps.MENTION
    assert read.access.where == ()
    assert trading.accounts == (19816, 19817)
    assert trading.max_order_notional == Decimal("2500.50")
    assert trading.max_order_quantity == Decimal(100_000)
    assert trading.max_day_notional is None
    assert trading.symbols == ("AAPL", "BRK.B")
    assert trading.order_types == (OrderType.STOP, OrderType.LIMIT)
    assert trading.times_in_force == (TimeInForce.AT_CLOSE,)
    assert trading.sessions == (Session.EXTENDED,)
    assert trading.price_collar == Decimal(25)
    assert trading.four_eyes_above is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '[trading]\ntraders = ["U0ANA"]',
            [
                '[trading] max_order_notional: is missing: say how much, as "100000", or "unlimited"',
                '[trading] max_day_notional: is missing: say how much, as "100000", or "unlimited"',
                '[trading] accounts: is missing: name the account ids on which orders may go, or say "any"',
                "[trading] halters: is missing: name at least one person who may stop all trading with /omni halt",
            ],
        ),
        (
            DESK_TRADES.replace('approvers = ["U0BEN", "U0EVE"]', ""),
            ['[trading] approvers: "four_eyes_above" needs people to approve: name them here'],
        ),
        (
            DESK_TRADES + '[[trading.trader]]\nid = "U0EVE"',
            ['[trading] trader[1].id: U0EVE is not in "traders" of [trading]; add it there too'],
        ),
        (
            DESK_TRADES + '[[trading.trader]]\nid = "U0ANA"\n[[trading.trader]]\nid = "U0ANA"',
            ["[trading] trader: U0ANA and U0ANA are one person, and need one [[trading.trader]] between them"],
        ),
        (
            '[channels]\naccount_data = ["C0DESK"]\nno_account_data = ["C0DESK"]',
            ['[channels] no_account_data: C0DESK is in "account_data" too; leave it in one of them'],
        ),
    ],
)
def test_what_does_not_fit_together_is_said(text: str, said: list[str]):
    assert problems(text) == said


def test_limits_that_every_trader_has_of_their_own_need_not_be_said_for_all():
    read = policy(
        """
        [trading]
        traders = ["U0ANA"]
        halters = ["U0EVE"]
        [[trading.trader]]
        id = "U0ANA"
        accounts = "any"
        max_order_notional = 1
        max_day_notional = "unlimited"
        """
    )
    assert read.trading.limits_of(ANA).max_order_notional == 1
    assert read.trading.limits_of(BEN) == read.trading


def test_a_traders_own_denials_add_to_everybodys():
    read = policy(DESK_TRADES + '[[trading.trader]]\nid = "U0BEN"\ndeny_symbols = ["MSFT"]')
    assert read.trading.limits_of(BEN).deny_symbols == ("CLST", "MSFT")
    assert read.trading.limits_of(ANA).deny_symbols == ("CLST",)


def test_the_policy_cannot_be_changed_once_read():
    with pytest.raises(ValueError, match="frozen"):
        policy().trading.options = True  # type: ignore[misc]


@pytest.mark.parametrize(
    ("ids", "doubles"),
    [
        (["T1/U1", "T1/U2"], []),
        (["T1/U1", "T2/U1"], []),
        (["U1", "T1/U1"], [("U1", "T1/U1")]),
        (["T1/U1", "U1"], [("T1/U1", "U1")]),
        (["T1/U1", "T1/U1", "T1/U1"], [("T1/U1", "T1/U1")] * 2),
        (["", "", "U1"], [("", "")]),
    ],
)
def test_entries_that_may_be_one_person_are_found(ids: list[str], doubles: list[tuple[str, str]]):
    assert list(_doubles(ids)) == doubles


def test_very_many_traders_are_compared_in_one_pass():
    looked = 0

    class Id(str):
        def rpartition(self, mark: str) -> tuple[str, str, str]:
            nonlocal looked
            looked += 1
            return super().rpartition(mark)

    assert list(_doubles(Id(f"T1/U{number}") for number in range(4_000))) == []
    assert looked == 4_000


OLD = b'version = 1\n[channels]\ndesk = ["C0DESK"]\nnot_desk = ["C0OTHER"]\n'


def test_keys_of_the_release_before_are_read_with_a_warning_that_names_the_new_ones():
    channels = read_policy(OLD, "policy.toml").channels
    assert (channels.account_data, channels.no_account_data) == (("C0DESK",), ("C0OTHER",))
    assert renamed_keys(OLD, "policy.toml") == [
        "[channels] desk: is called account_data now. The old name is read for this release only: change it.",
        "[channels] not_desk: is called no_account_data now. The old name is read for this release only: change it.",
    ]


def test_an_old_and_a_new_name_together_are_refused():
    with pytest.raises(PolicyError, match="desk: is called account_data now, and that is there too"):
        read_policy(b'version = 1\n[channels]\ndesk = ["C0A"]\naccount_data = ["C0B"]\n', "policy.toml")


def test_new_names_bring_no_warning():
    assert renamed_keys(b'version = 1\n[channels]\naccount_data = ["C0B"]\n', "policy.toml") == []
