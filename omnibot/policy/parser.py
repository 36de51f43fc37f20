"""From a policy file's text to a policy, or to all of its errors at once. Pure."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from omnibot.policy.field_types import Fraction, shown
from omnibot.policy.model import AccessTable, Channels, Consent, Policy, PolicyError, Table, Trader, Trading

#: Bytes; more than any policy needs, and parsed in milliseconds.
LARGEST = 1_000_000

#: Parts of one key: any key of a policy has fewer, and reading takes a time that grows with the square of them.
DEEPEST = 8

#: Pieces of TOML as far as dotted keys go. Each is taken whole, so that scanning a text is linear.
_PIECE = re.compile(
    r"""
      (?P<part>[A-Za-z0-9_+-]++ | "(?:[^"\\\n] | \\.)*+"? | '[^'\n]*+'?)
    | (?P<dot>\.)
    | [ \t]++
    | (?P<other>\#[^\n]*+ | .)
    """,
    re.DOTALL | re.VERBOSE,
)

TABLES: Mapping[str, type[Table]] = {
    "access": AccessTable,
    "channels": Channels,
    "consent": Consent,
    "trading": Trading,
}


#: Keys of the release before, by table: read for one more release, with a warning.
RENAMED: Mapping[str, Mapping[str, str]] = {
    "channels": {"desk": "account_data", "not_desk": "no_account_data"},
}


def renamed_keys(content: bytes, source: str) -> list[str]:
    """A warning for each key that goes by an old name, to whoever wrote the file.

    Raises:
        PolicyError: it is not TOML.
    """
    raw = _parse(content, source)
    return [
        f"[{table}] {old}: is called {new} now. The old name is read for this release only: change it."
        for table, names in RENAMED.items()
        for old, new in names.items()
        if isinstance(raw.get(table), dict) and old in raw[table]
    ]


def read_policy(content: bytes, source: str) -> Policy:
    """The policy in a file's bytes.

    Args:
        source: what to call the file in messages.

    Raises:
        PolicyError: names every table and key that is wrong.
    """
    raw = _parse(content, source)
    problems: list[str] = []
    tables: dict[str, Table] = {}
    for name, value in raw.items():
        if name in TABLES:
            table = _read_table(name, value, problems)
            if table is not None:
                tables[name] = table
        elif name != "version":
            problems.append(f"{_plain(name)}: {_unknown_at_top(name, value)}")
    problems[:0] = _wrong_version(raw)
    if problems:
        raise PolicyError(source, tuple(problems))
    return Policy(**{"version": raw["version"], **tables})


def _parse(content: bytes, source: str) -> dict[str, Any]:
    if len(content) > LARGEST:
        raise PolicyError(source, (f"it is larger than {LARGEST // 1_000_000} MB",))
    try:
        text = content.decode("utf-8-sig")
        if (line := _too_deep(text)) is not None:
            raise PolicyError(source, (f"a key in line {line} has more than {DEEPEST} parts: no key of a policy has",))
        return tomllib.loads(text, parse_float=Fraction)
    except UnicodeDecodeError as error:
        reason = f"it is not UTF-8 text (byte {error.start + 1})"
    except tomllib.TOMLDecodeError as error:
        reason = f"it is not TOML: {_plain(str(error))}"
    except (ValueError, RecursionError):
        # What tomllib lets through: integers of thousands of digits, lists nested too deep.
        reason = "it is not TOML that can be read: a number is too long, or lists are nested too deep"
    raise PolicyError(source, (reason,))


def _too_deep(text: str) -> int | None:
    """The line of a key with more parts than any key here has; None: there is none."""
    parts, joined = 0, False
    for piece in _PIECE.finditer(text):
        match piece.lastgroup:
            case "part":
                parts, joined = parts + 1 if joined else 1, False
                if parts > DEEPEST:
                    return text.count("\n", 0, piece.start()) + 1
            case "dot":
                joined = parts > 0
            case "other":
                parts, joined = 0, False
    return None


def _read_table(name: str, value: Any, problems: list[str]) -> Table | None:
    kind = TABLES[name]
    if not isinstance(value, dict):
        problems.append(f"{name}: is a table: write [{name}] on a line of its own, and its keys below")
        return None
    for old, new in RENAMED.get(name, {}).items():
        if old in value and new in value:
            problems.append(f"[{name}] {old}: is called {new} now, and that is there too; leave {new}")
            return None
    try:
        table = kind.model_validate({RENAMED.get(name, {}).get(key, key): one for key, one in value.items()})
    except ValidationError as error:
        for one in error.errors(include_url=False, include_context=False, include_input=False):
            problems.append(_problem(name, one["loc"], one["type"], one["msg"]))
        return None
    found = [f"[{name}] {key}: {reason}" for key, reason in table.problems()]
    problems += found
    return None if found else table


def _problem(table: str, loc: tuple[int | str, ...], kind: str, message: str) -> str:
    model, where, key = TABLES[table], f"[{table}]", str(loc[0])
    if len(loc) > 1 and isinstance(loc[1], int):
        model, where, key = Trader, f"[[{table}.{loc[0]}]] number {loc[1] + 1}", str(loc[2]) if len(loc) > 2 else ""
    elif len(loc) > 1:
        key = str(loc[-1])
    match kind:
        case "extra_forbidden":
            reason = _unknown(key, table, model)
        case "missing":
            reason = "is missing"
        case "model_type":
            reason = "is a table, with keys of its own"
        case _:
            reason = message.removeprefix("Value error, ")
    return f"{where} {_plain(key)}: {reason}" if key else f"{where}: {reason}"


def _unknown(key: str, table: str, model: type[Table]) -> str:
    known = list(model.model_fields)
    if near := get_close_matches(key.lower()[:100], known, 1):
        return f'is not known; did you mean "{near[0]}"?'
    homes = [f"[{name}]" for name, kind in TABLES.items() if key in kind.model_fields and name != table]
    if homes:
        return f"is not known here; it belongs to {' or '.join(homes)}"
    return f"is not known; [{table}] knows {', '.join(known)}"


def _unknown_at_top(name: str, value: Any) -> str:
    homes = [f"[{table}]" for table, kind in TABLES.items() if name in kind.model_fields]
    if homes:
        return f"is not known here; it belongs to {' or '.join(homes)}"
    near = get_close_matches(name.lower()[:100], ["version", *TABLES], 1)
    if near:
        return f"is not known; did you mean {near[0] if near[0] == 'version' else f'[{near[0]}]'}?"
    return f"is not known; the file has version, {', '.join(f'[{table}]' for table in TABLES)}"


def _wrong_version(raw: Mapping[str, Any]) -> Iterator[str]:
    version = raw.get("version")
    if "version" not in raw:
        yield "version: is missing: begin the file with version = 1"
    elif isinstance(version, bool) or version != 1:
        yield f"version: must be 1, not {shown(version)}"


def _plain(text: str) -> str:
    text = "".join(c if c.isprintable() else "\ufffd" for c in text)
    return text if len(text) <= 200 else f"{text[:197]}..."
