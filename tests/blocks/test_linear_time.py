"""Whatever somebody writes, reading it takes steps in proportion to its length, and makes text in proportion to it.

Steps are counted, lines of Python and attempts of patterns, and never timed.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

import pytest

import omnibot.blocks
from omnibot.blocks.markdown import structure
from tests.blocks import regex_steps
from tests.blocks.regex_steps import Counted, Counter, Program, attacks

MODULES = [
    importlib.import_module(name)
    for name in (
        *(found.name for found in pkgutil.walk_packages(omnibot.blocks.__path__, "omnibot.blocks.")),
        "omnibot.accounts.key_detection",
        "omnibot.slack.inbound.text",
        "omnibot.telemetry",
        "omnibot.clearstreet.models.scalars",
    )
]
#: Twice the text may take so many times the steps.
TWICE = 2.3
#: A text that just fits a bounded repetition costs little, one that does not so many attempts a character.
MATCHED = 40
LENGTHS = (100, 600, 1_600)
#: Characters that may be made of one, beside those our own words take.
MADE, OURS = 8, 12_000


def patterns() -> Iterator[tuple[ModuleType, str, re.Pattern[str]]]:
    seen: set[re.Pattern[str]] = set()
    for module in MODULES:
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern) and value not in seen:
                seen.add(value)
                yield module, name, value


def uses(module: ModuleType, name: str) -> set[str]:
    """What is asked of the pattern: whether it stands at a certain place, whether it is all there is, where it is."""
    used = set(re.findall(rf"\b{name}\.(\w+)", Path(str(module.__file__)).read_text()))
    return used if used <= {"match", "fullmatch"} else {"finditer"}


def cost(program: Program, text: str, use: str) -> int:
    counter = Counter()
    if use == "finditer":
        for _ in program.spans(text, 0, counter):
            pass
    else:
        program.match(text, 0, counter, whole=use == "fullmatch")
    return counter.steps


@pytest.mark.parametrize(("module", "name", "pattern"), [pytest.param(*found, id=found[1]) for found in patterns()])
def test_a_pattern_takes_steps_in_proportion_to_the_text(module: ModuleType, name: str, pattern: re.Pattern[str]):
    program = Program(pattern)

    for attack in attacks(pattern):
        some, twice = attack(100), attack(200)
        for use in uses(module, name) if len(twice) > 1.7 * len(some) else ():
            assert cost(program, twice, use) <= TWICE * cost(program, some, use) + MATCHED * len(twice), (use, twice)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [(r"\s*x", " "), (r"a*b", "a"), (r"[\w-]+\.", "-"), (r"<[^>]*[.:][^>]*\|", "<."), (r"(?:[ \t]*,)?\s*x", " ")],
)
def test_a_pattern_that_grows_faster_is_noticed(pattern: str, text: str):
    program = Program(re.compile(pattern))

    some, twice = text + text[-1] * 300, text + text[-1] * 600
    assert cost(program, twice, "finditer") > TWICE * cost(program, some, "finditer") + MATCHED * len(twice)


#: What the attacks were made of, and other texts that are long in one way.
SHAPES: dict[str, Callable[[int], str]] = {
    "blanks before words": lambda n: "price" + " " * n + "of AAPL",
    "no-break spaces": lambda n: "price" + "\xa0" * n + "of AAPL",
    "empty lines": lambda n: "price" + "\n" * n + "of AAPL",
    "empty lines with blanks": lambda n: "price" + "\n \t" * (n // 3) + "of AAPL",
    "a link of hyphens": lambda n: f"[{'-' * n}](https://evil.com)",
    "a link of dots": lambda n: f"[{'a.' * (n // 2)}](https://evil.com)",
    "links of hyphens": lambda n: f"[{'-' * 50}](https://evil.com) " * (n // 70),
    "a definition used often": lambda n: f"[a]: https://x.y/{'z' * (n // 2)}\n\n" + "[a] " * (n // 8),
    "many definitions": lambda n: "".join(f"[{i}]: https://x.y/{i}\n" for i in range(n // 20)),
    "many used definitions": lambda n: "".join(f"[{i}]: https://x.y/{i}\n\n[{i}]\n\n" for i in range(n // 30)),
    "open brackets": lambda n: "[" * n,
    "open and closed brackets": lambda n: "[" * (n // 2) + "]" * (n // 2),
    "open links": lambda n: "[a](" * (n // 4),
    "open images": lambda n: "![a](https://x.y/" * (n // 17),
    "nested images": lambda n: "![" * (n // 6) + "](x.y)" * (n // 6),
    "open tokens": lambda n: "<" * n,
    "open addresses": lambda n: "<https:" * (n // 7),
    "dots behind an open token": lambda n: "<" + "." * n,
    "escaped tokens": lambda n: "&lt;http:" * (n // 9),
    "entities": lambda n: "&amp;" * (n // 5),
    "backticks": lambda n: "".join("`" * (i % 30 + 1) + "a" for i in range(n // 16)),
    "stars": lambda n: "*a" * (n // 2),
    "backslashes": lambda n: "|" + "\\" * n,
    "quotes": lambda n: "> " * (n // 2) + "a",
    "list marks": lambda n: "- " * (n // 2) + "a",
    "headings": lambda n: "# a\n" * (n // 4),
    "rules": lambda n: "---\n\n" * (n // 5),
    "fences": lambda n: "```\na\n" * (n // 6),
    "nested items": lambda n: "\n".join("  " * (i % 12) + "- a" for i in range(n // 14)),
    "a sentence of one word": lambda n: "a" * n,
    "emoji": lambda n: "\U0001f1e6" * n,
    "a table of many rows": lambda n: "|a|b|\n|-|-|\n" + "|1|2|\n" * (n // 6),
    "a table of many columns": lambda n: "|a" * (n // 4) + "|\n" + "|-" * (n // 4) + "|\n|1|\n",
    "a wide table of short rows": lambda n: "|a" * (n // 6) + "|\n" + "|-" * (n // 6) + "|\n" + "|1\n" * (n // 9),
    "many tables": lambda n: "|a|\n|-|\n|1|\n\n" * (n // 14),
    "blanks in a table": lambda n: f"|a|b|\n|-|-|\n|{' ' * n}x|2|\n",
    "colons": lambda n: ":" * n,
    "emoji names": lambda n: ":a" * (n // 2),
    "mentions": lambda n: "<@UBOT> " * (n // 8),
    "commas before the bot": lambda n: "price" + " ,\t" * (n // 3) + "<@UBOT>",
    "half a key": lambda n: "eyJ________" * (n // 11),
    "bearers": lambda n: "bearer " * (n // 7),
    "the field of a key": lambda n: 'clear_street_key":"' * (n // 19),
    "nested lists of JSON": lambda n: "[" * n,
}
#: What functions want beside the text, by the parameter's name.
MORE: dict[str, Any] = {
    "limit": 3_000, "position": 0, "bot_user_id": "UBOT", "token": "t", "action_id": "a", "value": "v", "label": "l",
    "mrkdwn": "m", "names": None, "title": "t", "key": "k", "url": "https://x.y", "words": "w", "space": 300,
}  # fmt: skip
TEXTS = ("str", "str | None", "bytes", "Mapping[str, Any]", "list[str]")
#: Not a text of somebody else's but a name, an id or a number of ours.
NOT_FOREIGN = {
    "omnibot.telemetry.observe_delivery", "omnibot.telemetry.hide", "omnibot.telemetry.configure",
    "omnibot.blocks.markdown.link_targets.destination",
}  # fmt: skip


def event(text: str) -> dict[str, Any]:
    pieces = [text[start : start + 40] for start in range(0, len(text), 40)]
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": piece} for piece in pieces]}
    return {"text": text, "blocks": [{"type": "rich_text", "elements": [section]}]}


def functions() -> Iterator[tuple[str, Callable[[str], Any]]]:
    """Every public function of a text, found by what it takes: a new one is tried without being named."""
    for module in MODULES:
        for name, function in vars(module).items():
            whole = f"{module.__name__}.{name}"
            if name.startswith("_") or not inspect.isfunction(function) or function.__module__ != module.__name__:
                continue
            parameters = list(inspect.signature(function).parameters.values())
            if (
                not parameters
                or parameters[0].kind is parameters[0].VAR_POSITIONAL
                or whole in NOT_FOREIGN
                or str(parameters[0].annotation) not in TEXTS
            ):
                continue
            needed = [p for p in parameters[1:] if p.default is p.empty and p.kind is not p.VAR_KEYWORD]
            if all(p.name in MORE for p in needed):
                yield whole, calling(function, parameters[0], needed)


def calling(function: Any, first: inspect.Parameter, needed: list[inspect.Parameter]) -> Callable[[str], Any]:
    by_name = {p.name: MORE[p.name] for p in needed}
    made: dict[str, Callable[[str], Any]] = {
        "bytes": lambda text: text.encode("utf-8", "replace"),
        "Mapping[str, Any]": event,
        "list[str]": lambda text: text.split("\n"),
    }
    read = made.get(str(first.annotation), lambda text: text)

    def call(text: str) -> Any:
        try:
            found = function(**{first.name: read(text), **by_name})
            return list(found) if inspect.isgenerator(found) else found
        except ValueError:
            return ""

    return call


def lines_of(work: Callable[[str], Any], text: str, counter: Counter) -> Any:
    """Do the work, and count every line of Python it runs."""
    structure._read.cache_clear()

    def trace(frame: FrameType, _event: str, _argument: Any) -> Any:
        if frame.f_code.co_filename == regex_steps.__file__:
            return None  # it counts by itself
        counter.steps += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        return work(text)
    finally:
        sys.settrace(before)


def made_of(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(map(made_of, value.values()))
    if isinstance(value, (list, tuple)):
        return sum(map(made_of, value))
    return made_of(vars(value)) if hasattr(value, "__dict__") else 0


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counter:
    """Every pattern counts its attempts."""
    counter = Counter()
    for module in MODULES:
        for name, value in list(vars(module).items()):
            if isinstance(value, re.Pattern):
                monkeypatch.setattr(module, name, Counted(value, counter))
    return counter


@pytest.mark.parametrize(("name", "work"), [pytest.param(*found, id=found[0]) for found in functions()])
def test_reading_takes_steps_in_proportion_to_the_text(name: str, work: Callable[[str], Any], counted: Counter):
    def taken(text: str) -> int:
        before = counted.steps
        made = lines_of(work, text, counted)
        assert made_of(made) <= MADE * len(text) + OURS, (name, shape)
        return counted.steps - before

    def measured(write: Callable[[int], str], length: int) -> tuple[int, float]:
        """The steps of a text about twice as long, and how many the shorter one's steps allow it."""
        some, twice = write(length), write(2 * length)
        return taken(twice), TWICE / 2 * len(twice) / max(len(some), 1) * taken(some) + 500

    for shape, write in SHAPES.items():
        # What is bounded by a message's length, say, grows in proportion only beyond that.
        assert any(steps <= allowed for steps, allowed in (measured(write, length) for length in LENGTHS)), shape


def test_the_functions_that_read_foreign_text_are_all_found():
    found = {name.removeprefix("omnibot.") for name, _ in functions()}

    assert found >= {
        "blocks.markdown.render.safe",
        "blocks.markdown.links.rewrite_links",
        "blocks.markdown.splitting.split",
        "blocks.markdown.plain.plain_text",
        "blocks.layout.tables.segments",
        "blocks.markdown.escaping.neutralise",
        "blocks.markdown.escaping.escape",
        "blocks.markdown.lines.annotate",
        "blocks.markdown.cutting.cut_point",
        "blocks.layout.builders.escaped_parts",
        "slack.inbound.text.question_text",
        "slack.inbound.text.parse_command",
        "accounts.key_detection.holds_key",
        "clearstreet.models.scalars.decode",
    }
