"""Would Slack take these streaming chunks?"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from omnibot_sandbox.slack.arguments import SlackError
from omnibot_sandbox.slack.blocks import validate_message
from omnibot_sandbox.slack.checking import Check, kind_of
from omnibot_sandbox.slack.limits import LIMITS
from omnibot_sandbox.slack.workspace import JSON

STATUSES = ("pending", "in_progress", "complete", "error")


def _markdown_text(check: Check, it: JSON, at: str) -> None:
    check.shape(it, at, ("text",))
    check.string(it.get("text"), f"{at}/text", least=0)


def _task_update(check: Check, it: JSON, at: str) -> None:
    check.shape(it, at, ("id", "title", "status"), ("details", "output", "sources", "hide_title", "icon"))
    check.string(it.get("id"), f"{at}/id")
    check.string(it.get("title"), f"{at}/title", "task.title")
    check.choice(it.get("status"), f"{at}/status", STATUSES)
    for name in ("details", "output"):
        check.string(it.get(name), f"{at}/{name}", least=0)
    for source, where in check.items(it.get("sources"), f"{at}/sources", least=0):
        if check.shape(source, where, ("url", "text")):
            check.choice(source.get("type", ""), f"{where}/type", ("url",))
            check.url(source.get("url"), f"{where}/url")
            check.string(source.get("text"), f"{where}/text")


def _plan_update(check: Check, it: JSON, at: str) -> None:
    check.shape(it, at, ("title",))
    check.string(it.get("title"), f"{at}/title", "plan.title")


def _blocks(check: Check, it: JSON, at: str) -> None:
    check.shape(it, at, ("blocks",))
    for _ in check.items(it.get("blocks"), f"{at}/blocks"):
        pass


_CHUNKS: Mapping[str, Callable[[Check, JSON, str], None]] = {
    "markdown_text": _markdown_text,
    "task_update": _task_update,
    "plan_update": _plan_update,
    "blocks": _blocks,
}


def check_chunks(chunks: Any, files: Collection[str]) -> list[JSON]:
    """The chunks of one call, if Slack would take them.

    Raises:
        SlackError: it would not: invalid_chunks, msg_too_long (all text of the call counts), or what is wrong with
            the blocks of a `blocks` chunk.
    """
    check = Check()
    for chunk, where in check.items(chunks, "/chunks", least=0):
        kind = kind_of(chunk)
        if not isinstance(chunk, dict) or kind not in _CHUNKS:
            check.unsupported(chunk, where)
        else:
            _CHUNKS[kind](check, chunk, where)
    if check.problems:
        raise SlackError("invalid_chunks", [problem.line for problem in check.problems])
    checked: list[JSON] = chunks
    if sum(len(chunk["text"]) for chunk in checked if chunk["type"] == "markdown_text") > LIMITS["message.markdown"]:
        raise SlackError("msg_too_long")
    for chunk in checked:
        if chunk["type"] == "blocks":
            check_blocks_of(chunk["blocks"], files)
    return checked


def check_blocks_of(blocks: Any, files: Collection[str]) -> None:
    """Hold blocks that come in a stream to the rules for messages."""
    if not isinstance(blocks, list):
        raise SlackError("invalid_blocks_format")
    problems = validate_message(blocks, "-", files)
    if problems:
        lines = [p.line for p in problems if p.code == problems[0].code and p.message]
        more = {"errors": [line.removeprefix("[ERROR] ") for line in lines]} if lines else {}
        raise SlackError(problems[0].code, lines, **more)
