"""The example that is shipped has every key, says its default truly, and is a policy itself."""

import re
import tomllib
from importlib import resources
from typing import Any

import pytest

from omnibot.policy.model import Limits, Policy, Trader, Trading
from omnibot.policy.parser import TABLES, read_policy

EXAMPLE = resources.files("omnibot.policy").joinpath("example.toml").read_text("utf-8")

KEYS = [(table, key) for table, kind in TABLES.items() for key in kind.model_fields if key != "trader"]


def test_the_example_is_a_policy():
    assert read_policy(EXAMPLE.encode(), "example.toml").trading.traders


@pytest.mark.parametrize(("table", "key"), KEYS)
def test_every_key_is_in_its_table_with_its_meaning_and_default(table: str, key: str):
    assert key in tomllib.loads(EXAMPLE)[table]
    comment = comment_above(table, key)
    assert len(comment) > 40
    assert "Default: " in comment


@pytest.mark.parametrize(("table", "key"), KEYS)
def test_a_key_left_out_means_the_same_as_the_default_the_example_names(table: str, key: str):
    stated = re.search(r'Default: ("[^"]*"|\[[^]]*\]|[^\s.(]+)', comment_above(table, key))
    assert stated
    # `Trading` alone, without traders, so that nothing is asked for beside it.
    explicit = read_policy(f"version = 1\n[{table}]\n{key} = {stated[1]}".encode(), "x")
    assert getattr(getattr(explicit, table), key) == getattr(getattr(Policy(), table), key)


def test_every_key_that_can_differ_for_one_trader_is_named_there():
    section = EXAMPLE.partition("[[trading.trader]]")[2]
    for key in Trader.model_fields:
        assert re.search(rf"\b{key}\b", section), key


def test_the_keys_that_can_differ_for_one_trader_come_after_the_others():
    body = EXAMPLE.partition("[trading]\n")[2].partition("[[trading.trader]]")[0]
    order = [line.partition(" =")[0] for line in body.splitlines() if " = " in line and not line.startswith("#")]
    shared = [key for key in order if key in Limits.model_fields]
    assert order[-len(shared) :] == shared
    assert set(order) == set(Trading.model_fields) - {"trader"}


def comment_above(table: str, key: str) -> str:
    """The comment right above a key, on one line."""
    section = EXAMPLE.partition(f"\n[{table}]\n")[2]
    found: Any = re.search(rf"((?:^#.*\n)+){key} = ", section, re.MULTILINE)
    assert found, key
    return " ".join(line.lstrip("# ") for line in found[1].splitlines())
