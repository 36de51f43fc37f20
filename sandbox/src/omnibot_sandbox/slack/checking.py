"""The small checks that everything in Block Kit is held to, and the list of what failed."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from omnibot_sandbox.slack.limits import LIMITS


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason why Slack would refuse a message."""

    #: The error code of the whole call.
    code: str
    message: str = ""
    #: Where, as a JSON pointer.
    pointer: str = ""

    @property
    def line(self) -> str:
        """As it stands in response_metadata.messages."""
        return f"[ERROR] {self.message} [json-pointer:{self.pointer}]"


def kind_of(value: Any) -> str:
    """What a block or element says it is."""
    return str(value.get("type")) if isinstance(value, dict) else type(value).__name__


class Check:
    """Collects problems. Each method returns what is worth looking into further."""

    def __init__(self, files: Collection[str] | None = None) -> None:
        self.problems: list[Problem] = []
        #: The ids and addresses of the files an image may come from; None: any.
        self.files = files

    def fail(self, pointer: str, message: str, code: str = "invalid_blocks") -> None:
        self.problems.append(Problem(code, message, pointer))

    def unsupported(self, value: Any, pointer: str) -> None:
        """Something that must not stand here."""
        if not isinstance(value, dict):
            self.fail(pointer, "must provide an object")
        elif "type" not in value:
            self.fail(pointer, "missing required field: type")
        else:
            self.fail(f"{pointer}/type", f"unsupported type: {kind_of(value)}")

    def shape(
        self,
        value: Any,
        pointer: str,
        required: Collection[str],
        optional: Collection[str] = (),
        *,
        typed: bool = True,
    ) -> bool:
        """An object with these fields, a type if it is of a kind that has one, and no others; False: it is none."""
        if not isinstance(value, dict):
            self.fail(pointer, "must provide an object")
            return False
        for name in required:
            if name not in value:
                self.fail(pointer, f"missing required field: {name}")
        for name in value:
            if not (typed and name == "type") and name not in required and name not in optional:
                self.fail(pointer, f"invalid additional property: {name}")
        return True

    def string(self, value: Any, pointer: str, limit: str | None = None, least: int = 1) -> None:
        """A string that is neither empty nor too long; an absent one is somebody else's concern."""
        if value is None:
            return
        if not isinstance(value, str):
            self.fail(pointer, "must provide a string")
        elif len(value) < least:
            self.fail(pointer, f"must be more than {least - 1} characters")
        elif limit is not None and len(value) > LIMITS[limit]:
            self.fail(pointer, f"must be less than {LIMITS[limit] + 1} characters")

    def url(self, value: Any, pointer: str, limit: str | None = None) -> None:
        """A string that starts with a scheme."""
        self.string(value, pointer, limit)
        if isinstance(value, str) and value and ":" not in value:
            self.fail(pointer, "must be a valid URL")

    def number(self, value: Any, pointer: str, limit: str | None = None, least: int = 0) -> None:
        """A whole number up to the limit."""
        if value is None:
            return
        if isinstance(value, bool) or not isinstance(value, int):
            self.fail(pointer, "must provide an integer")
        elif value < least:
            self.fail(pointer, f"must be more than {least - 1}")
        elif limit is not None and value > LIMITS[limit]:
            self.fail(pointer, f"must be less than {LIMITS[limit] + 1}")

    def quantity(self, value: Any, pointer: str) -> None:
        """A number, whole or not; an absent one is somebody else's concern."""
        if value is None:
            return
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            self.fail(pointer, "must be a number")

    def boolean(self, value: Any, pointer: str) -> None:
        if value is not None and not isinstance(value, bool):
            self.fail(pointer, "must provide a boolean")

    def choice(self, value: Any, pointer: str, allowed: Collection[str]) -> None:
        if value is not None and not (isinstance(value, str) and value in allowed):
            self.fail(pointer, "must be a valid enum value")

    def items(self, value: Any, pointer: str, limit: str | None = None, least: int = 1) -> Iterator[tuple[Any, str]]:
        """The items of a list, each with its pointer."""
        if value is None:
            return
        if not isinstance(value, list):
            self.fail(pointer, "must provide an array")
            return
        if len(value) < least:
            self.fail(pointer, f"must provide at least {least} items")
        if limit is not None and len(value) > LIMITS[limit]:
            self.fail(pointer, f"no more than {LIMITS[limit]} items allowed")
        for index, item in enumerate(value):
            yield item, f"{pointer}/{index}"

    def unique(self, name: str, holders: Any, pointer: str) -> None:
        """No two of these have the same `name`."""
        seen = set()
        for index, holder in enumerate(holders if isinstance(holders, list) else ()):
            an_id = holder.get(name) if isinstance(holder, dict) else None
            if isinstance(an_id, str) and an_id in seen:
                self.fail(f"{pointer}/{index}/{name}", f'`{name}` "{an_id}" already exists')
            seen.add(an_id if isinstance(an_id, str) else None)

    def text(
        self,
        value: Any,
        pointer: str,
        limit: str | None,
        kinds: Collection[str] = ("plain_text",),
        *,
        choice: bool | None = None,
    ) -> None:
        """A text object. Where Slack has a choice of schemas, it says first that none of them fitted."""
        if value is None:
            return
        before = len(self.problems)
        self._text(value, pointer, limit, kinds)
        chosen = kind_of(value) in kinds and (len(kinds) > 1 if choice is None else choice)
        if len(self.problems) > before and chosen:
            self.problems.insert(before, Problem("invalid_blocks", "failed to match all allowed schemas", pointer))

    def _text(self, value: Any, pointer: str, limit: str | None, kinds: Collection[str]) -> None:
        kind = kind_of(value)
        flag = "verbatim" if kind == "mrkdwn" else "emoji"
        if not self.shape(value, pointer, ("text",), (flag,)):
            return
        if kind not in kinds:
            self.unsupported(value, pointer)
        self.string(value.get("text"), f"{pointer}/text", limit)
        self.boolean(value.get(flag), f"{pointer}/{flag}")
