"""What a stream holds: text, task cards and blocks, in the order in which they came."""

from __future__ import annotations

import copy
import secrets
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from omnibot_sandbox.slack import markdown_items
from omnibot_sandbox.slack.arguments import SlackError
from omnibot_sandbox.slack.chunks import check_chunks
from omnibot_sandbox.slack.limits import LIMITS
from omnibot_sandbox.slack.reading import as_stored
from omnibot_sandbox.slack.workspace import JSON

DISPLAY_MODES = ("timeline", "plan", "dense")


@dataclass(slots=True)
class Part:
    """One stretch of text, one task card (or the plan that holds them all), or some blocks."""

    kind: Literal["markdown", "task", "plan", "blocks"]
    block_id: str = field(default_factory=lambda: secrets.token_urlsafe(3))
    text: str = ""
    task_id: str = ""
    blocks: list[JSON] = field(default_factory=list)


class StreamContent:
    """Grows by chunks; `blocks` is what people see of it."""

    def __init__(self, display: str = "timeline") -> None:
        self.display = display
        #: How content came so far: as markdown_text or as chunks. Slack lets no stream change from one to the other.
        self.mode: str | None = None
        self.parts: list[Part] = []
        self.tasks: dict[str, JSON] = {}
        self.plan_title = ""
        #: The blocks chat.stopStream put below.
        self.footer: list[JSON] = []
        self.stopped_by_user = False

    def grown(
        self, markdown_text: Any, chunks: Any, files: Collection[str], footer: list[JSON] | None = None
    ) -> StreamContent:
        """This content with more behind it; this one stays as it is. `files` are those that images may come from.

        Raises:
            SlackError: Slack would refuse the addition, or it would grow too large by it.
        """
        if markdown_text and chunks:
            raise SlackError("markdown_text_conflict")
        grown = copy.copy(self)
        grown.parts, grown.tasks = copy.deepcopy(self.parts), copy.deepcopy(self.tasks)
        if markdown_text:
            grown._enter("markdown_text")
            chunks = [{"type": "markdown_text", "text": markdown_text}]
        elif chunks:
            grown._enter("chunks")
        for chunk in check_chunks(chunks or [], files):
            grown._take(chunk)
        grown.footer = footer or self.footer
        grown._check_size(any(chunk["type"] == "markdown_text" for chunk in chunks or []))
        return grown

    def _enter(self, mode: str) -> None:
        if self.mode not in (None, mode):
            raise SlackError("streaming_mode_mismatch")
        self.mode = mode

    def _take(self, chunk: JSON) -> None:
        if chunk["type"] == "markdown_text":
            self._last("markdown").text += chunk["text"]
        elif chunk["type"] == "blocks":
            self._last("blocks").blocks += as_stored(chunk["blocks"])
        elif chunk["type"] == "plan_update":
            self.plan_title = chunk["title"]
            self._ensure_plan()
        else:
            self._task(chunk)

    def _last(self, kind: Literal["markdown", "blocks"]) -> Part:
        if not self.parts or self.parts[-1].kind != kind:
            self.parts.append(Part(kind))
        return self.parts[-1]

    def _ensure_plan(self) -> None:
        if self.display != "timeline" and not any(part.kind == "plan" for part in self.parts):
            self.parts.append(Part("plan"))

    def _task(self, chunk: JSON) -> None:
        task_id = chunk["id"]
        task = self.tasks.get(task_id)
        if task is None:
            task = self.tasks[task_id] = {"block_id": secrets.token_urlsafe(3), "details": "", "output": ""}
            self._ensure_plan()
            if self.display == "timeline":
                self.parts.append(Part("task", task_id=task_id))
        # A task that is known gets a new title and status, but more details and output.
        task |= {"title": chunk["title"], "status": chunk["status"]}
        task["details"] += chunk.get("details") or ""
        task["output"] += chunk.get("output") or ""
        if chunk.get("sources"):
            task["sources"] = [*task.get("sources", ()), *chunk["sources"]]

    # -- how large it is ----------------------------------------------------------------------------------------------

    def _check_size(self, by_text: bool) -> None:
        if self._size() > LIMITS["stream.bytes"]:
            raise SlackError("msg_too_long" if by_text else "msg_blocks_too_long")
        items = list(self._items())
        if len(items) > LIMITS["message.blocks"] or len(self.tasks) > LIMITS["plan.tasks"]:
            message = f"no more than {LIMITS['message.blocks']} items allowed"
            raise SlackError("invalid_blocks", [f"[ERROR] {message} [json-pointer:/chunks]"], errors=[message])
        if [*items, *(block["type"] for block in self.footer)].count("table") > LIMITS["message.tables"]:
            raise SlackError("invalid_attachments", ["[ERROR] only_one_table_allowed [json-pointer:/chunks]"])

    def _size(self) -> int:
        blocks = [block for part in self.parts for block in part.blocks]
        words = [self.markdown, self.plan_title, *_words([*blocks, *self.footer])]
        for task in self.tasks.values():
            words += [task["title"], *(task["details"], task["output"]) * 2, *_words(task.get("sources"))]
        return sum(len(text.encode()) for text in words)

    def _items(self) -> Iterator[str]:
        """The kinds of blocks it comes to, but for those below."""
        for part in self.parts:
            if part.kind == "markdown":
                yield from markdown_items.items(part.text)
            elif part.kind == "blocks":
                yield from (block["type"] for block in part.blocks)
            else:
                yield part.kind

    # -- what people see ----------------------------------------------------------------------------------------------

    @property
    def markdown(self) -> str:
        """All text that was streamed."""
        return "".join(part.text for part in self.parts)

    def blocks(self) -> list[JSON]:
        """Everything, text as markdown blocks."""
        return [*(block for part in self.parts for block in self._shown(part)), *self.footer]

    def _shown(self, part: Part) -> Iterator[JSON]:
        if part.kind == "markdown" and part.text:
            yield {"type": "markdown", "text": part.text, "block_id": part.block_id}
        elif part.kind == "blocks":
            yield from part.blocks
        elif part.kind == "task":
            yield self._card(part.task_id)
        elif part.kind == "plan":
            tasks = [self._card(task_id) for task_id in self.tasks]
            # Slack takes the first task's title as long as the app gave none.
            title = self.plan_title or next((task["title"] for task in tasks), "")
            yield {"type": "plan", "title": title, "tasks": tasks, "block_id": part.block_id}

    def _card(self, task_id: str) -> JSON:
        task = self.tasks[task_id]
        card: JSON = {"type": "task_card", "task_id": task_id, "title": task["title"], "status": task["status"]}
        for name in ("details", "output"):
            if task[name]:
                section = {"type": "rich_text_section", "elements": [{"type": "text", "text": task[name]}]}
                card[name] = {"type": "rich_text", "elements": [section]}
        sources = {"sources": task["sources"]} if "sources" in task else {}
        return {**card, **sources, "block_id": task["block_id"]}

    def close(self) -> None:
        """The stream is over: a task that still runs is shown as failed."""
        for task in self.tasks.values():
            if task["status"] == "in_progress":
                task["status"] = "error"


def _words(value: Any) -> Iterator[str]:
    """What stands in fields called text, url or title, at any depth."""
    if isinstance(value, list):
        for item in value:
            yield from _words(item)
    elif isinstance(value, dict):
        for name, inner in value.items():
            if isinstance(inner, str):
                if name in ("text", "url", "title"):
                    yield inner
            else:
                yield from _words(inner)
