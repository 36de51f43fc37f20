"""Where a line that is too long may be cut: after a sentence, between words, else between two characters."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from omnibot.blocks.limits import size

_SENTENCE: Final = re.compile(r"[.!?…][\"')\]]*\s+|[。！？]")
# What reads badly in two halves: a link with the host behind it, a code span, bold words.
_WHOLE: Final = re.compile(
    r"\[[^\[\]\n]{1,300}\]\([^()\s]{1,2000}\)(?: \([^()\s]{1,255}\))?|`[^`\n]{1,200}`|\*\*[^*\n]{1,200}\*\*"
)
_WHOLE_REACH: Final = 2_600
_JOINER: Final = "\u200d"


def cut_point(line: str, space: int) -> int:
    """How many characters of `line`, which is longer than `space`, go first: at least one, at most `space` long."""
    most = min(space, len(line))
    while most > 1 and size(line[:most]) > space:
        most -= max((size(line[:most]) - space) // 2, 1)
    most = max(most, 1)
    least = most * 6 // 10
    sentences = [m.end() for m in _SENTENCE.finditer(line, least, most)]
    for cut in [*sentences[:-4:-1], line.rfind(" ", least, most) + 1, _between_characters(line, most)]:
        if cut > 0:
            return _outside(line, cut)
    return most


def _outside(line: str, cut: int) -> int:
    """`cut`, or the start of what it would tear apart."""
    begin = max(cut - _WHOLE_REACH, 0)
    for match in _WHOLE.finditer(line, begin, cut + _WHOLE_REACH):
        if match.start() >= cut:
            break
        if match.end() > cut:
            return match.start() if match.start() > begin else cut
    return cut


def _between_characters(line: str, cut: int) -> int:
    """The last place at or shortly before `cut` that is not inside what people see as one character."""
    for place in range(cut, max(cut - 64, 0), -1):
        if place >= len(line) or not _joined(line, place):
            return place
    return cut


def _joined(line: str, place: int) -> bool:
    before, after = line[place - 1], line[place]
    if _JOINER in (before, after) or unicodedata.category(after).startswith("M"):
        return True
    if "\U0001f3fb" <= after <= "\U0001f3ff":  # a skin tone colours what it follows
        return True
    flags = 0  # two letters make a flag; an odd number of them before the cut leaves one behind
    while place - flags > 0 and flags < 64 and "\U0001f1e6" <= line[place - 1 - flags] <= "\U0001f1ff":
        flags += 1
    return flags % 2 == 1 and "\U0001f1e6" <= after <= "\U0001f1ff"
