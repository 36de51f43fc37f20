"""Slack text and blocks to the words Omni gets, and the command grammar. Pure; nothing here raises."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

Names = Mapping[str, str]

_TOKEN: Final = re.compile(r"<([^<>]*)>")
_ENTITY: Final = re.compile(r"&(amp|lt|gt);")
_CHARACTERS: Final = {"amp": "&", "lt": "<", "gt": ">"}
#: Stands for the bot while a text is put together; taken out of everything that comes in.
_ME: Final = "\x00"
_DASHES: Final = ("-", "–", "—")
_BLANKS: Final = (" ", "\t")
_EMOJI_NAME: Final = re.compile(r":[\w+'-]+:")
#: Why the words of a message were not stored, in what was stored of it.
REFUSED: Final = "refused"
KEY: Final = "key"
#: A text this much poorer in letters than the other was not the whole of it.
_WHOLE: Final = 0.6
_DEEPEST: Final = 12


def question_text(event: Mapping[str, Any], *, bot_user_id: str, names: Names | None = None) -> str:
    """What the person said, as plain words.

    Args:
        event: a Slack message or mention.
        bot_user_id: its mentions are left out: people address Omni with them, and Omni knows.
        names: display names by user id, and names of channels and user groups by theirs.
    """
    text = _string(event.get("text"))
    known = {**_names_in(text), **(names or {}), bot_user_id: _ME}
    written = _from_text(text, known)
    composed = "\n".join(_blocks_text(event, known))
    if _ENTITY.search(composed) and not _ENTITY.search(written):
        composed = _decode(composed)  # somebody escaped the blocks as well
    fuller = _letters(composed) >= _WHOLE * _letters(written) and composed.strip()
    return _tidy(composed if fuller else written)


def question_words(text: str) -> str:
    """A message's text without its mentions: enough to see what it begins with."""
    return " ".join(_TOKEN.sub(lambda token: " " if token[1].startswith("@") else token[0], text).split())


def mentioned_users(event: Mapping[str, Any]) -> list[str]:
    """Ids of the people the message mentions, each once, in order."""
    text = _string(event.get("text"))
    ids = [token[1:].split("|")[0] for token in _TOKEN.findall(text) if token.startswith("@")]
    ids += [_string(element.get("user_id")) for element in _inline(event) if element.get("type") == "user"]
    return list(dict.fromkeys(user for user in ids if user))


def mentions_bot(event: Mapping[str, Any], bot_user_id: str) -> bool:
    """Whether the message mentions the bot."""
    return bot_user_id in mentioned_users(event)


def starts_with_other_mention(event: Mapping[str, Any], bot_user_id: str) -> bool:
    """Whether the message is addressed to somebody else: another person, a group or everybody here."""
    text = _string(event.get("text")).lstrip()
    if text:
        token = _TOKEN.match(text)
        return (
            token is not None
            and token[1][:1] in ("@", "!")
            and token[1].split("|")[0] != f"@{bot_user_id}"
            and (not token[1].startswith("!date"))
        )
    first = next(_inline(event), {})
    addressed = first.get("type") in ("user", "usergroup", "broadcast")
    return addressed and first.get("user_id") != bot_user_id


@dataclass(frozen=True)
class Help:
    """`/omni` and `/omni help`; `about` is the word somebody left without its words."""

    about: str | None = None


@dataclass(frozen=True)
class Stop:
    """`/omni stop`."""


@dataclass(frozen=True)
class Private:
    """`/omni private <question>`: the answer goes to the person alone."""

    question: str


@dataclass(frozen=True)
class Research:
    """`/omni research TICKER [thesis]`."""

    ticker: str
    thesis: str | None = None


@dataclass(frozen=True)
class Reserved:
    """A word of the command's own: `threads`, `account`, …"""

    name: str
    about: str = ""
    """What stands behind it: of `halt` why; of `link` and its like what does not belong there, a key perhaps."""


@dataclass(frozen=True)
class Unclear:
    """A word that stops trading or lets it go on, with words behind it that leave in doubt whether that is meant."""

    name: str


@dataclass(frozen=True)
class Question:
    """Everything else."""

    text: str


Command = Help | Stop | Private | Research | Reserved | Unclear | Question

RESERVED: Final = frozenset({"threads", "orders", "account", "link", "unlink", "consent", "halt", "resume"})
#: Words that are never a question, whatever stands behind them: what somebody types there is a key, or meant for us.
_NEVER_A_QUESTION: Final = frozenset({"link", "unlink", "account", "halt", "resume"})
_PUNCTUATION: Final = "!.,:;=?"
_TICKER: Final = re.compile(r"[A-Z0-9.]{1,6}", re.ASCII)


#: What may stand behind `halt` and `resume` where nobody means a question.
_ALL_TRADING: Final = frozenset({"", "all", "all trading", "everything", "now", "please", "trading", "trading now"})


def misplaced_command(text: str) -> str | None:
    """`halt` or `resume`, said in a message where only `/omni` does it; None: it is a question.

    Whoever says it in a hurry must not believe that trading is halted. “Halt in TSLA?” is a question.
    """
    first, _, rest = text.lower().strip(f" \t\n{_PUNCTUATION}").partition(" ")
    return first if first in ("halt", "resume") and rest.strip() in _ALL_TRADING else None


def parse_command(text: str, names: Names | None = None) -> Command:
    """What `/omni text` asks for. A subcommand only in its exact form: `stop loss on AAPL?` is a question.

    The words may be capitalised, as phones do; a ticker must be. What begins with `link`, `unlink`, `account`, `halt`
    or `resume` is no question, whatever follows.
    """
    words = _tidy(_from_text(text, {**_names_in(text), **(names or {})}))
    word = words.lower()
    if word in ("", "help"):
        return Help()
    if word == "private":
        return Help(about=word)
    if word == "stop":
        return Stop()
    if word in RESERVED:
        return Reserved(word)
    if (ours := _never_a_question(words)) is not None:
        return ours
    if word.startswith("private") and word[len("private")].isspace():
        question = words[len("private") :].strip()
        return _never_a_question(question) or Private(question)
    return _research(words) or Question(words)


def _never_a_question(words: str) -> Reserved | Unclear | None:
    # Up to what follows the longest of them, so that not all of a long question is looked through.
    name = next((name for name in _NEVER_A_QUESTION if words[: len(name)].lower() == name), None)
    if name is None:
        return None
    behind = words[len(name) :]
    if behind and not behind[0].isspace() and behind[0] not in _PUNCTUATION:
        return None
    about = behind.lstrip(_PUNCTUATION).strip()
    # Under pressure nobody types it exactly, and halting by mistake does little harm; going on by mistake does.
    if (name == "halt" and behind.endswith("?")) or (name == "resume" and about):
        return Unclear(name)
    return Reserved(name, about)


def _research(words: str) -> Research | None:
    word, ticker, thesis, *_ = [*words.split(None, 2), "", "", ""]
    if word.lower() != "research" or not _TICKER.fullmatch(ticker) or not ticker.strip("."):
        return None
    return Research(ticker, thesis.strip() or None)


def _from_text(text: str, names: Names) -> str:
    """Slack's mrkdwn as words: tokens resolved, entities decoded once."""
    out, position = [], 0
    text = text.replace(_ME, "")
    for token in _TOKEN.finditer(text):
        out += [_decode(text[position : token.start()]), _resolve(token[1], names)]
        position = token.end()
    return "".join([*out, _decode(text[position:])])


def _resolve(token: str, names: Names) -> str:
    target, _, label = (_decode(half) for half in token.partition("|"))
    match target[:1]:
        case "@":
            return _person(target[1:], names)
        case "#":
            return f"#{names.get(target[1:]) or 'channel'}"
        case "!" if target.startswith("!subteam"):
            return f"@{names.get(target.removeprefix('!subteam^')) or 'group'}"
        case "!" if target.startswith("!date"):
            return label
        case "!":
            return f"@{(label or target[1:]).lstrip('@')}"
    return _link(target, label) if ":" in target else f"<{_decode(token)}>"


def _names_in(text: str) -> dict[str, str]:
    """Names Slack wrote beside the ids of its tokens."""
    named: dict[str, str] = {}
    for token in _TOKEN.findall(text.replace(_ME, "")):
        target, _, label = token.partition("|")
        if label and token[:1] in ("@", "#", "!"):
            named[target.removeprefix("!subteam^").lstrip("@#")] = _decode(label).lstrip("@#")
    return named


def _person(user_id: str, names: Names) -> str:
    name = names.get(user_id)
    return _ME if name == _ME else f"@{name or 'someone'}"


def _link(url: str, label: str) -> str:
    bare = url.removeprefix("mailto:")
    return bare if label in ("", url, bare) else f"{label} ({bare})"


def _blocks_text(event: Mapping[str, Any], names: Names) -> Iterator[str]:
    for element in _rich_elements(event):
        match element.get("type"):
            case "rich_text_section":
                yield _words(element, names).removesuffix("\n")
            case "rich_text_quote":
                yield "\n".join(f"> {line}" for line in _words(element, names).split("\n"))
            case "rich_text_preformatted":
                yield f"```\n{_words(element, names)}\n```"
            case "rich_text_list":
                yield from _list(element, names)


def _list(element: Mapping[str, Any], names: Names) -> Iterator[str]:
    indent = "   " * min(_number(element.get("indent")), _DEEPEST)
    first = _number(element.get("offset")) + 1
    for number, item in enumerate(_dicts(element.get("elements")), start=first):
        marker = f"{number}." if element.get("style") == "ordered" else "-"
        yield f"{indent}{marker} {_words(item, names)}"


def _words(element: Mapping[str, Any], names: Names) -> str:
    return "".join(_ELEMENTS.get(_string(e.get("type")), _plain)(e, names) for e in _dicts(element.get("elements")))


def _plain(element: Mapping[str, Any], names: Names) -> str:
    return _string(element.get("text")) or _string(element.get("fallback"))


def _emoji(element: Mapping[str, Any], names: Names) -> str:
    name = f":{_string(element.get('name'))}:"
    try:
        return (
            "".join(chr(int(code, 16)) for code in _string(element.get("unicode")).split("-")).replace(_ME, "") or name
        )
    except (ValueError, OverflowError):
        return name


def _named(mark: str, key: str, unknown: str) -> Callable[[Mapping[str, Any], Names], str]:
    return lambda element, names: f"{mark}{names.get(_string(element.get(key))) or unknown}"


_ELEMENTS: Final[dict[str, Callable[[Mapping[str, Any], Names], str]]] = {
    "link": lambda element, names: _link(_string(element.get("url")), _string(element.get("text"))),
    "user": lambda element, names: _person(_string(element.get("user_id")), names),
    "usergroup": _named("@", "usergroup_id", "group"),
    "channel": _named("#", "channel_id", "channel"),
    "broadcast": lambda element, names: f"@{_string(element.get('range')) or 'here'}",
    "emoji": _emoji,
    "color": lambda element, names: _string(element.get("value")),
}


def _rich_elements(event: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for block in _dicts(event.get("blocks")):
        if block.get("type") == "rich_text":
            yield from _dicts(block.get("elements"))


def _inline(event: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Words, users, links… of the message's blocks, in order."""
    for element in _rich_elements(event):
        items = _dicts(element.get("elements"))
        for item in items:
            yield from _dicts(item.get("elements")) if element.get("type") == "rich_text_list" else [item]


def _tidy(text: str) -> str:
    """Without the bot's name around the words, trailing spaces and needless empty lines."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\xa0", " ")
    text = _without_trailing_me(_without_leading_me(text)).replace(_ME, "Omni")
    lines = "\n".join(line.rstrip() for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", lines).strip()


def _without_leading_me(text: str) -> str:
    position, found = _past(text, 0, str.isspace), 0
    while text.startswith(_ME, position):
        position = _past(text, position + 1, " \t".__contains__)
        marked = _past(text, position, ":,;".__contains__)
        if (
            marked == position
            and text[position : position + 1] in _DASHES
            and text[position + 1 : position + 2] in _BLANKS
        ):
            marked += 1
        found = position = _past(text, marked, str.isspace)
    return text[found:]


def _without_trailing_me(text: str) -> str:
    """Without the bot's name at the end and the comma before it; what ends the sentence stays."""
    whole = text.rstrip()
    words = whole.rstrip("?!.…")
    end = len(words)
    while end and (words[end - 1] == _ME or words[end - 1].isspace()):
        end -= 1
    if _ME not in words[end:]:
        return text
    before = words[:end]
    if before.endswith((",", ";", "–", "—", "-")):
        before = before[:-1].rstrip(" \t")
    return before + whole[len(words) :]


def _past(text: str, position: int, skipped: Callable[[str], bool]) -> int:
    while position < len(text) and skipped(text[position]):
        position += 1
    return position


def _letters(text: str) -> int:
    return sum(character.isalnum() for character in _EMOJI_NAME.sub("", text))


def _decode(text: str) -> str:
    return _ENTITY.sub(lambda entity: _CHARACTERS[entity[1]], text)


def _string(value: Any) -> str:
    return value.replace(_ME, "") if isinstance(value, str) else ""


def _number(value: Any) -> int:
    return max(value, 0) if isinstance(value, int) else 0


def _dicts(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
