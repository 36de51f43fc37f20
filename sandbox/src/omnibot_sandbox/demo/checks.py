"""Did Slack show what Omni said? Pure comparisons; each returns what differs, in words."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from omnibot_sandbox.slack.workspace import JSON

_WORD = re.compile(r"[^\W_]+")
#: `[label](address)`, `![alt](address)` and `<address|label>`: people read the label, the address may stand elsewhere.
_LINK = re.compile(r"!?\[([^\[\]\n]*)\]\([^()\s]*\)")
_SLACK_LINK = re.compile(r"<(?:https?|mailto):[^<>|\s]*\|([^<>]*)>")
#: So many words of the answer in a row, again, are no coincidence and no repeated head of a table.
_TWICE = 25
_SHOWN = 8
_CUT = ("…", "...")
_LIVE = re.compile(r"<(?:!(?!date\^)|[@#](?=[A-Z0-9]))([^<>|]*)")


def words_of(text: str) -> list[str]:
    """Letters and digits, in order, as a person reads this markdown."""
    text = _SLACK_LINK.sub(r"\1", _LINK.sub(r"\1", text))
    return _WORD.findall(html.unescape(text).lower())


def missing_words(said: str, shown: str) -> list[str]:
    """Every word of the answer must be shown, in order, and once."""
    expected, there = words_of(said), _WORD.findall(html.unescape(shown).lower())
    rest: list[str] = []
    position = 0
    for number, word in enumerate(expected):
        try:
            found = there.index(word, position)
        except ValueError:
            before, after = expected[max(0, number - _SHOWN) : number], expected[number : number + _SHOWN]
            return [f"missing (or out of order) after “{' '.join(before)}”: “{' '.join(after)}”"]
        rest += [*there[position:found], "\n"]  # what stood apart stays apart
        position = found + 1
    return _again(expected, [*rest, *there[position:]])


def _again(expected: Sequence[str], rest: Sequence[str]) -> list[str]:
    known = {tuple(expected[i : i + _TWICE]) for i in range(len(expected) - _TWICE + 1)}
    for start in range(len(rest) - _TWICE + 1):
        if tuple(rest[start : start + _TWICE]) in known:
            return [f"shown twice: “{' '.join(rest[start : start + _SHOWN])} …”"]
    return []


def leftover_thoughts(thoughts: Sequence[str], said: str, shown: str) -> list[str]:
    """No thinking may stand in a finished answer."""
    answer, there = _flat(words_of(said)), _flat(words_of(shown))
    lines = [(line, _flat(words_of(line))) for line in thoughts if words_of(line)]
    return [f"thinking left behind: “{line}”" for line, flat in lines if flat in there and flat not in answer]


def missing_buttons(offered: Sequence[JSON], labels: Sequence[str], shown: str) -> list[str]:
    """Every suggestion is a button, in order; a label too long for one stands whole in the text.

    A suggestion that asks nothing, or that also carries an action, may stand in the text instead.
    """
    problems: list[str] = []
    text = _flat(words_of(shown))
    position = 0
    for button in offered:
        label = str(button.get("label", ""))
        places = [n for n, on_it in enumerate(labels) if n >= position and _is_label(on_it, label, text)]
        if places:
            position = places[0] + 1
        elif "prompt" in button and "structuredAction" not in button:
            problems.append(f"no button (or out of order): “{label}”")
        elif _flat(words_of(label)) not in text:
            problems.append(f"neither button nor words: “{label}”")
    return problems


def _is_label(on_it: str, label: str, text: str) -> bool:
    """The button's words are the label's; a number, or a mark of having been pressed, may stand in front."""
    wanted = words_of(label)
    if words_of(on_it) == wanted:
        return True
    if not on_it.endswith(_CUT):
        return False
    begun = words_of(re.sub(r"^\d+\.\s", "", on_it))
    return bool(begun) and _flat(wanted).startswith(" " + " ".join(begun)) and _flat(wanted) in text


#: What a bot may look up at Omni at any time: which revision answers, what is enabled, what there is to sign.
_LOOKUPS = ("GET entitlement-status", "GET entitlements", "GET entitlement-agreements")


def is_lookup(name: str) -> bool:
    """Whether a call (`short`) only reads accounts, their orders and holdings, the market, or what may be asked."""
    return name in _LOOKUPS or name.startswith("GET /v1/")


def wrong_calls(expected: Sequence[str], calls: Sequence[str]) -> list[str]:
    """The calls must be the expected ones, in order; "…" stands for one or more of its kind."""
    wanted = "".join(rf"(?:{re.escape(name.removesuffix(' …'))};){'+' * name.endswith(' …')}" for name in expected)
    seen = [name for name in map(short, calls) if not is_lookup(name)]
    if re.fullmatch(wanted, "".join(f"{name};" for name in seen)):
        return []
    return [f"calls were {', '.join(collapsed(seen)) or 'none'}; expected {', '.join(expected)}"]


def short(name: str) -> str:
    """A call without what all paths have in common."""
    return name.replace("/v1/omni-ai/", "")


def collapsed(names: Sequence[str]) -> list[str]:
    """Repeats as one entry."""
    return [name for n, name in enumerate(names) if n == 0 or names[n - 1] != name]


def pings(payload: Any, people: Mapping[str, str]) -> list[str]:
    """What in a call's arguments Slack would act on: channel pings, mentions of strangers.

    `people` maps the ids whose mention is meant (asker and bot) to names.
    """
    found = []
    for text in _strings(payload):
        for token in (*_LIVE.finditer(text), *_LIVE.finditer(html.unescape(text))):
            if token[0].removeprefix("<@") not in people:
                found.append(f"live token {token[0]}> in “{text[:60]}”")
    return found


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


def _flat(words: Sequence[str]) -> str:
    return f" {' '.join(words)} "
