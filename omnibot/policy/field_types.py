"""Parsers for single values of the policy file. Each raises ValueError with a reason in plain words."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, TypeVar

from omnibot.clearstreet.models.enums import OrderType, TimeInForce
from omnibot.policy.identities import Group

_Member = TypeVar("_Member", bound=StrEnum)

_USER = re.compile(r"(?:[TE][A-Z0-9]{2,20}/)?[UW][A-Z0-9]{2,20}", re.ASCII)
_TEAM = re.compile(r"[TE][A-Z0-9]{2,20}", re.ASCII)
_CHANNEL = re.compile(r"[CG][A-Z0-9]{2,20}", re.ASCII)
SYMBOL = re.compile(r"[A-Z][A-Z0-9.]{0,9}", re.ASCII)
_MONEY = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,8})?", re.ASCII)
_COLLAR = re.compile(r"([0-9]{1,5}(?:\.[0-9]{1,4})?) ?(%|bps)", re.ASCII)

BASIS_POINTS_IN_A_PERCENT = 100
#: Basis points: a collar of a whole price is none.
WIDEST_COLLAR = Decimal(10_000)

_HOW_TO_FIND = "an id looks like U012AB3CD: open the person's profile in Slack, then More, then Copy member ID"


@dataclass(frozen=True, slots=True)
class Fraction:
    """A TOML number with a fraction or exponent, as it was written. No value of the policy is one."""

    text: str


def shown(value: Any) -> str:
    """A value of the file, short enough for one line."""
    if isinstance(value, Fraction):
        return value.text
    if isinstance(value, bool):
        return str(value).lower()
    text = f'"{value}"' if isinstance(value, str) else str(value) if isinstance(value, int) else kind_of(value)
    text = "".join(c if c.isprintable() else "\ufffd" for c in text)
    return text if len(text) <= 60 else f"{text[:57]}..."


def kind_of(value: Any) -> str:
    """What a value is, in TOML's words."""
    kinds = {dict: "a table", list: "a list", tuple: "a list", str: "text", bool: "true or false", int: "a number"}
    return kinds.get(type(value), "a number with a fraction" if isinstance(value, Fraction) else "a date or time")


def flag(value: Any) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, without quotes, not {shown(value)}")
    return value


def whole(least: int, most: int) -> Callable[[Any], int]:
    """A whole number between two bounds."""

    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise ValueError(f"must be a whole number from {least} to {most}, without quotes, not {shown(value)}")
        return value

    return read


def word(kind: type[_Member]) -> Callable[[Any], _Member]:
    """One of a list's words."""

    def read(value: Any) -> _Member:
        return _word_of(list(kind), value)

    return read


def words(known: tuple[_Member, ...]) -> Callable[[Any], tuple[_Member, ...]]:
    """Some of a list's words, at least one."""

    def read(value: Any) -> tuple[_Member, ...]:
        return tuple(dict.fromkeys(_word_of(known, item) for item in _items(value)))

    return read


def _word_of(known: list[_Member] | tuple[_Member, ...], value: Any) -> _Member:
    for member in known:
        if value == member.value:
            return member
    raise ValueError(f"{shown(value)} is not known{_nearest(value, [m.value for m in known])}")


def _nearest(value: Any, known: list[str]) -> str:
    by_fold = {one.casefold(): one for one in known}
    near = get_close_matches(value.casefold(), by_fold, 1) if isinstance(value, str) and len(value) < 100 else []
    meant = f'; did you mean "{by_fold[near[0]]}"?' if near else "."
    return f"{meant} It may be " + ", ".join(f'"{one}"' for one in known)


def group(**special: Group) -> Callable[[Any], Group]:
    """People: one of the words, or a list of user and team ids."""

    def read(value: Any) -> Group:
        if isinstance(value, str) and value in special:
            return special[value]
        if not isinstance(value, list | tuple):
            said = " or ".join(f'"{one}"' for one in special)
            raise ValueError(f'must be {said}, or a list of ids such as ["U012AB3CD"], not {shown(value)}')
        return Group(ids=_ids(value, _USER, _TEAM))

    return read


def users(value: Any) -> tuple[str, ...]:
    """A list of single people; it may be empty."""
    return _ids(_items(value, empty=True), _USER)


def user(value: Any) -> str:
    """One person."""
    return _ids((value,), _USER)[0]


def channels(value: Any) -> tuple[str, ...]:
    """A list of channel ids; it may be empty."""
    return tuple(dict.fromkeys(_channel(item) for item in _items(value, empty=True)))


def everywhere(value: Any) -> tuple[str, ...] | None:
    """Channels: None is all of them, none only direct messages."""
    if value in ("everywhere", "direct"):
        return None if value == "everywhere" else ()
    if not isinstance(value, list | tuple):
        raise ValueError(f'must be "everywhere", "direct" or a list of channel ids, not {shown(value)}')
    return channels(value)


def _ids(items: Any, *patterns: re.Pattern[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_id(item, patterns) for item in items))


def _id(item: Any, patterns: tuple[re.Pattern[str], ...]) -> str:
    if isinstance(item, str):
        if any(pattern.fullmatch(item) for pattern in patterns):
            return item
        if re.fullmatch(r"S[A-Z0-9]{5,20}", item, re.ASCII):
            raise ValueError(f"{shown(item)} is a user group, which cannot be named here; name its people")
        if _TEAM.fullmatch(item):
            raise ValueError(f"{shown(item)} is a whole team; here only single people can be named")
        if "@" in item or not item.isupper():
            raise ValueError(f"{shown(item)} is a name, which people can change; {_HOW_TO_FIND}")
    raise ValueError(f"{shown(item)} is no Slack user id; {_HOW_TO_FIND}")


def _channel(item: Any) -> str:
    if isinstance(item, str) and _CHANNEL.fullmatch(item):
        return item
    if isinstance(item, str) and item.startswith("D") and item.isupper():
        raise ValueError(f"{shown(item)} is a direct message; those need no naming")
    raise ValueError(f"{shown(item)} is no channel id; one looks like C012AB3CD, at the end of the channel's details")


def cap(value: Any) -> Decimal | None:
    """More than nothing, or "unlimited", which is None."""
    if value == "unlimited":
        return None
    amount = _plain_decimal(value, 'or "unlimited"')
    if not amount:
        raise ValueError('must be more than 0; whoever may not trade is simply not in "traders"')
    return amount


def threshold(value: Any) -> Decimal | None:
    """An amount of money from 0 on, or "never", which is None."""
    return None if value == "never" else _plain_decimal(value, 'or "never"')


def _plain_decimal(value: Any, otherwise: str) -> Decimal:
    if isinstance(value, Fraction):
        text = value.text.replace("_", "")
        example = text if _MONEY.fullmatch(text) else "2500.50"
        raise ValueError(f'{value.text} would be rounded by computers: write it in quotes, as "{example}"')
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not _MONEY.fullmatch(text):
        raise ValueError(f'must be plain digits, such as "2500.50" or 100000, {otherwise}, not {shown(value)}')
    return Decimal(text)


def collar(value: Any) -> Decimal | None:
    """A distance in basis points, or "none", which is None."""
    if value == "none":
        return None
    found = _COLLAR.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f'must be "5%", "50bps" or the like, or "none", in quotes, not {shown(value)}')
    points = Decimal(found[1]) * (BASIS_POINTS_IN_A_PERCENT if found[2] == "%" else 1)
    if not 0 < points <= WIDEST_COLLAR:
        raise ValueError(f'must be more than nothing and at most "100%", not {shown(value)}')
    return points


def accounts(value: Any) -> tuple[int, ...] | None:
    """Account ids; None is any."""
    if value == "any":
        return None
    if not isinstance(value, list | tuple):
        raise ValueError(f'must be "any" or a list of account ids such as [19816], not {shown(value)}')
    for item in value:
        if isinstance(item, bool) or not isinstance(item, int) or not 0 < item < 10**19:
            raise ValueError(f"{shown(item)} is no account id: a whole number, without quotes, such as 19816")
    return tuple(dict.fromkeys(value))


def symbols(value: Any) -> tuple[str, ...] | None:
    """Tickers; None is any."""
    return None if value == "any" else tickers(value, otherwise='"any" or ')


def tickers(value: Any, *, otherwise: str = "") -> tuple[str, ...]:
    """Tickers; there may be none."""
    if not isinstance(value, list | tuple):
        raise ValueError(f'must be {otherwise}a list of tickers such as ["AAPL"], not {shown(value)}')
    for item in value:
        if not isinstance(item, str) or not SYMBOL.fullmatch(item):
            raise ValueError(
                f"{shown(item)} is no ticker: capitals, digits and dots, such as BRK.B. "
                "Options go by the ticker of what they are options on"
            )
    return tuple(dict.fromkeys(value))


def tables(value: Any) -> tuple[Any, ...]:
    """A list of tables, not yet looked into."""
    if not isinstance(value, list | tuple):
        raise ValueError("needs double brackets: [[trading.trader]], once for each trader")
    return tuple(value)


def _items(value: Any, *, empty: bool = False) -> list[Any] | tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise ValueError(f"must be a list in square brackets, not {shown(value)}")
    if not value and not empty:
        raise ValueError("must name at least one")
    return value


#: What can be sent; the API has more words for orders as they are read.
ORDER_TYPES = (
    OrderType.MARKET,
    OrderType.LIMIT,
    OrderType.STOP,
    OrderType.STOP_LIMIT,
    OrderType.TRAILING_STOP,
    OrderType.TRAILING_STOP_LIMIT,
)

#: Revisions name the auctions differently; the policy means both by the newest name.
SAME_TIME = {TimeInForce.AT_THE_OPENING: TimeInForce.AT_OPEN, TimeInForce.AT_THE_CLOSE: TimeInForce.AT_CLOSE}

TIMES_IN_FORCE = (
    TimeInForce.DAY,
    TimeInForce.GOOD_TILL_CANCEL,
    TimeInForce.IMMEDIATE_OR_CANCEL,
    TimeInForce.FILL_OR_KILL,
    TimeInForce.GOOD_TILL_DATE,
    TimeInForce.AT_OPEN,
    TimeInForce.AT_CLOSE,
    TimeInForce.GOOD_TILL_CROSSING,
    TimeInForce.GOOD_THROUGH_CROSSING,
    TimeInForce.AT_CROSSING,
)
