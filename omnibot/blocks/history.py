"""Past conversations: their list, and the notice where one is continued."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from omnibot.blocks.layout.builders import actions, button, context, fallback, one_line, section
from omnibot.blocks.layout.types import Block, Page
from omnibot.blocks.limits import FALLBACK_TEXT
from omnibot.blocks.markdown.escaping import escape
from omnibot.blocks.markdown.plain import plain_text
from omnibot.blocks.messages import quoted
from omnibot.turns.history import Exchange, PastConversation

#: How the action ids begin of the buttons that let a conversation go on, and that turn the pages of the list.
CONTINUE_ACTION: Final = "omni_continue"
PAGE_ACTION: Final = "omni_threads"

#: Characters of a question in a list, and of the question and answer that are repeated where it goes on.
TITLE, QUESTION, ANSWER = 100, 600, 1_500
FORGOTTEN: Final = "A question whose words are no longer kept"
NONE_YET: Final = "You have not begun a conversation with Omni yet. Ask something, for example:"
_EXAMPLE: Final = "> `/omni What moved NVDA today, and is it the whole sector?`"
_PRIVATE: Final = "Only you see this list."


def thread_link(workspace_url: str, channel: str, thread_ts: str) -> str:
    """Where a Slack thread opens.

    Args:
        workspace_url: of the workspace, with a slash at its end.
        channel: its channel.
        thread_ts: its first message.
    """
    return f"{workspace_url}archives/{channel}/p{thread_ts.replace('.', '')}?thread_ts={thread_ts}&amp;cid={channel}"


def message_link(workspace_url: str, channel: str, ts: str, thread_ts: str | None) -> str:
    """Where a Slack message opens, in its thread if it stands in one; not escaped."""
    inside = f"?thread_ts={thread_ts}&cid={channel}" if thread_ts else ""
    return f"{workspace_url}archives/{channel}/p{ts.replace('.', '')}{inside}"


def history_blocks(
    conversations: Sequence[PastConversation], *, workspace_url: str, label: str = "Continue here"
) -> list[Block]:
    """One section for each, with the button that lets it go on, if Omni knows it.

    Args:
        conversations: in order.
        workspace_url: of the workspace, with a slash at its end.
        label: of the button.
    """
    blocks = []
    for number, past in enumerate(conversations):
        block = section(f"{_title(past.question)}\n{_where(past, workspace_url)}")
        if past.omni_thread_id is not None:
            block["accessory"] = button(
                f"{CONTINUE_ACTION}:{number}",
                past.id,
                label,
                accessibility_label=f"{label}: {one_line(past.question or FORGOTTEN)}",
            )
        blocks.append(block)
    return blocks


def history_page(
    conversations: Sequence[PastConversation], *, workspace_url: str, number: int = 0, more: bool = False
) -> Page:
    """A page of the list of what somebody began.

    Args:
        conversations: those of this page, the latest first.
        workspace_url: of the workspace, with a slash at its end.
        number: the page's, from 0.
        more: whether there are older ones.
    """
    if not conversations and number == 0:
        return Page([section(f"{NONE_YET}\n{_EXAMPLE}")], NONE_YET)
    heading = "*Your conversations with Omni*" + (f" (page {number + 1})" if number else "")
    blocks = [section(heading)]
    blocks += history_blocks(conversations, workspace_url=workspace_url) or [section("There are no older ones.")]
    turners = [button(f"{PAGE_ACTION}:newer", str(number - 1), "Newer")] if number else []
    turners += [button(f"{PAGE_ACTION}:older", str(number + 1), "Older")] if more else []
    if turners:
        blocks.append(actions(turners))
    return Page([*blocks, context(_PRIVATE)], "Your conversations with Omni.")


def exchange_page(exchange: Exchange | None, *, link: str) -> Page:
    """The last question and answer of a conversation, where it goes on.

    Args:
        exchange: None when neither Clear Street nor omnibot can tell.
        link: of the thread where it was, as `thread_link` makes it.
    """
    earlier = f"<{link}|The whole conversation so far>"
    if exchange is None:
        said = "Omni remembers what was said. Answer here to go on; no mention is needed."
        return Page([section(said), context(earlier)], said)
    question = one_line(exchange.question)[:QUESTION] or FORGOTTEN
    answer = plain_text(exchange.answer, ANSWER) or "Omni said nothing in words."
    blocks = [section("*Last asked*"), *(section(part) for part in quoted(question))]
    blocks += [section(f"*Omni said*\n{answer}")]
    blocks += [context(f"{earlier} · Answer here to go on; no mention is needed.")]
    return Page(blocks, fallback(f"Last asked: {question}", FALLBACK_TEXT))


def _title(question: str | None) -> str:
    words = one_line(question or "")
    if not words:
        return f"_{FORGOTTEN}_"
    return f"*{escape(words if len(words) <= TITLE else words[: TITLE - 1].rstrip() + '…')}*"


def _where(past: PastConversation, workspace_url: str) -> str:
    place = "in your messages with me" if past.channel.startswith("D") else f"in <#{past.channel}>"
    link = thread_link(workspace_url, past.channel, past.thread_ts)
    return f"{slack_date(past.begun_at)} {place} · <{link}|Open in Slack>"


def slack_date(moment: datetime) -> str:
    """A moment (UTC, without zone) in the reader's own time."""
    at = moment.replace(tzinfo=UTC)
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} at {{time}}|{at:%Y-%m-%d %H:%M} UTC>"
