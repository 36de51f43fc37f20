"""The short messages around an answer."""

from __future__ import annotations

from typing import Final

from omnibot.blocks.layout.builders import context, escaped_parts, fallback, live_mention, section
from omnibot.blocks.layout.types import Block, Page
from omnibot.blocks.limits import FALLBACK_TEXT, LINE_TEXT, size
from omnibot.blocks.markdown.escaping import clean, escape

#: Characters of a quoted question once escaped; only one of mostly ampersands or brackets needs more.
_QUOTE_TEXT: Final = 11_000
#: What the root message of a command says, by the kind of the question.
_ASKS: Final = {
    "research": "asks Omni AI for research",
    "deep_insights": "asks Omni AI for research",
    "continuation": "continues an earlier conversation with Omni AI",
}

_EXAMPLES: Final = (
    "What moved NVDA today, and is it the whole sector?",
    "research AAPL services margins keep rising",
    "private How much of my account is in technology?",
)
_COMMANDS: Final = (
    ("/omni <question>", "ask where everybody here can read along"),
    ("/omni private <question>", "ask, and get the answer in your own messages with me"),
    ("/omni research TICKER [thesis]", "a longer look at one stock, for or against an idea of yours"),
    ("/omni threads", "what you asked before: open it, or go on with it here"),
    ("/omni consent", "what Omni may see of your accounts, and how to end that"),
    ("/omni orders", "your open tickets and today's orders, for you alone"),
    ("/omni halt, /omni resume", "stop all trading through me, or let it go on, if you may"),
    ("/omni stop", "stop what I am working on for you"),
    ("/omni link", "link a Clear Street API key of your own, or see to the one you have linked"),
    ("/omni account", "choose which of your accounts your questions are about"),
    ("/omni unlink", "forget your key, and what hangs on it"),
    ("/omni help", "this text"),
)
_ELSEWHERE: Final = (
    "Or mention me in a channel, or write to me directly. Answer in the thread to ask on: "
    "I remember what was said there."
)


def root_page(*, asker: str, question: str, kind: str = "question") -> Page:
    """The message a command's thread hangs from: who asks (a verified user id), and what.

    Args:
        question: the person's words; all of them up to 2,900 characters, of more the beginning.
        kind: "research" (or "deep_insights", the API's word for it), or "continuation" of a conversation that began
            with the question; anything else is a question.
    """
    asks = _ASKS.get(kind, "asks Omni AI")
    words = clean(question).strip()
    words = words if len(words) <= LINE_TEXT else words[: LINE_TEXT - 1].rstrip() + "…"
    blocks = [section(f"{live_mention(asker) or 'Somebody'} {asks}:")]
    # Quoting and escaping lengthen a text, so it may take more than one section.
    blocks.extend(section(part) for part in quoted(words))
    return Page(blocks, fallback(f"{asks[0].upper()}{asks[1:]}: {words}", FALLBACK_TEXT))


def one_line_page(sentence: str) -> Page:
    """What a progress message shrinks to once its answer stands elsewhere."""
    parts = escaped_parts(sentence)[:1] or ["Done."]
    return Page([context(parts[0])], fallback(sentence, FALLBACK_TEXT) or parts[0])


def help_page(about: str | None = None) -> Page:
    """What can be typed, taught by examples.

    Args:
        about: "private" when somebody typed that word and no question.
    """
    commands = "\n".join(f"• `{escape(command)}`: {does}" for command, does in _COMMANDS)
    examples = "\n".join(f"> `/omni {escape(example)}`" for example in _EXAMPLES)
    blocks: list[Block] = []
    if about == "private":
        blocks.append(section("Write your question behind the word: `/omni private What do I hold?`"))
    blocks += [
        section("*Ask Omni AI about markets, companies and your account.*"),
        section(f"For example:\n{examples}"),
        section(f"What you can type:\n{commands}"),
        section(_ELSEWHERE),
    ]
    said = "Ask Omni AI with /omni and your question, mention it in a channel, or write to it directly."
    return Page(blocks, said)


def quoted(words: str) -> list[str]:
    """`words` as a quote in mrkdwn, in parts a section can hold."""
    parts: list[str] = []
    space, total = 0, 0
    for line in words.split("\n"):
        for escaped in escaped_parts(line, limit=LINE_TEXT - 2) or [""]:
            quoted = f"> {escaped}"
            total += size(quoted) + 1
            if total > _QUOTE_TEXT:
                return [*parts, "> …"]
            if space >= size(quoted) + 1:
                parts[-1] += f"\n{quoted}"
            else:
                parts.append(quoted)
                space = LINE_TEXT
            space -= size(quoted) + 1
    return parts
