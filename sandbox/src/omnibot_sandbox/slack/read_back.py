"""How streamed markdown reads back: Slack splits it into header, divider, table and rich_text blocks."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import count, pairwise

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from omnibot_sandbox.slack.composer import escape, inline
from omnibot_sandbox.slack.limits import LIMITS
from omnibot_sandbox.slack.workspace import JSON

# Slack's own tokens look like HTML or autolinks to a parser of markdown. Text that came from entities and escapes stays
# apart from the text around it (`text_join` is off), because Slack never reads a token out of it.
_MARKDOWN = (
    MarkdownIt("commonmark", {"html": False})
    .enable(["table", "strikethrough"])
    .disable(["autolink", "html_inline", "html_block", "text_join"])
)
_STYLES = {"strong": "bold", "em": "italic", "s": "strike"}
#: Inline elements that are tokens in the text field: their kind, the field that names what they mean, their sigil.
_TOKENS = (
    ("user", "user_id", "@"),
    ("channel", "channel_id", "#"),
    ("broadcast", "range", "!"),
    ("usergroup", "usergroup_id", "!subteam^"),
)
_WRAPS = {"bold": "*", "italic": "_", "strike": "~", "code": "`"}


def split(text: str, block_id: str) -> list[JSON]:
    """The blocks that Slack makes of a piece of markdown; their ids start with `block_id`."""
    return copy.deepcopy(_split(text, block_id))


@lru_cache(maxsize=64)  # threads are read more often than streams grow
def _split(text: str, block_id: str) -> list[JSON]:
    blocks: list[JSON] = []
    for node in SyntaxTreeNode(_MARKDOWN.parse(text)).children:
        if (block := _own_block(node)) is not None:
            blocks.append(block)
            continue
        if not blocks or blocks[-1]["type"] != "rich_text":
            blocks.append({"type": "rich_text", "elements": []})
        _flow(blocks[-1]["elements"], node)
    said = [block for block in blocks if block["type"] != "rich_text" or block["elements"]]
    return [{**block, "block_id": f"{block_id}{index}"} for index, block in enumerate(said)]


def _own_block(node: SyntaxTreeNode) -> JSON | None:
    """Headings, rules and tables do not stand among other text."""
    if node.type == "heading":
        words = _plain(_inlines(node))
        if 0 < len(words) <= LIMITS["header.text"]:
            return {"type": "header", "text": {"type": "plain_text", "text": words, "emoji": True}}
    if node.type == "hr":
        return {"type": "divider"}
    return _table(node) if node.type == "table" else None


def _table(node: SyntaxTreeNode) -> JSON:
    rows = [row.children for part in node.children for row in part.children]
    aligned = [str(cell.attrs.get("style", "")).removeprefix("text-align:") or "left" for cell in rows[0]]
    table: JSON = {"type": "table", "rows": [[_cell(cell) for cell in row] for row in rows]}
    if set(aligned) != {"left"}:
        table["column_settings"] = [{"align": align} for align in aligned]
    return table


def _cell(node: SyntaxTreeNode) -> JSON | None:
    elements = _inlines(node)
    if not elements:
        return None
    if all(element.keys() == {"type", "text"} for element in elements):
        return {"type": "raw_text", "text": _plain(elements)}
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": elements}]}


# -- text -------------------------------------------------------------------------------------------------------------


def _flow(parts: list[JSON], node: SyntaxTreeNode) -> None:
    """Put a paragraph, list, quote or fence after what stands there; paragraphs share one section."""
    if node.type in ("paragraph", "heading"):
        elements = _inlines(node)
        if parts and parts[-1]["type"] == "rich_text_section":
            parts[-1]["elements"] += [_text("\n\n"), *elements]
        elif elements:
            lead = [_text("\n")] if parts else []
            parts.append({"type": "rich_text_section", "elements": [*lead, *elements]})
        return
    if parts and parts[-1]["type"] == "rich_text_section":
        parts[-1]["elements"].append(_text("\n\n"))
    if node.type in ("bullet_list", "ordered_list"):
        parts += _lists(node, 0)
    elif node.type == "blockquote":
        quoted = [element for child in node.children for element in (*_inlines(child), _text("\n"))]
        parts.append({"type": "rich_text_quote", "elements": quoted[:-1] or [_text(" ")]})
    elif node.content.strip():
        parts.append({"type": "rich_text_preformatted", "elements": [_text(node.content)]})


def _lists(node: SyntaxTreeNode, indent: int) -> Iterator[JSON]:
    """A list, cut where lists stand within its items: they are parts of their own, further in."""
    style = "bullet" if node.type == "bullet_list" else "ordered"
    shown, items = 0, list[JSON]()

    def part() -> JSON:
        offset = {"offset": shown} if shown and style == "ordered" else {}
        return {"type": "rich_text_list", "elements": items, "style": style, "indent": indent, **offset}

    for item in node.children:
        lists = [child for child in item.children if child.type in ("bullet_list", "ordered_list")]
        elements = [element for child in item.children if child not in lists for element in _inlines(child)]
        items.append({"type": "rich_text_section", "elements": elements or [_text(" ")]})
        if lists:
            yield part()
            shown, items = shown + len(items), []
            for child in lists:
                yield from _lists(child, indent + 1)
    if items:
        yield part()


def _inlines(node: SyntaxTreeNode) -> list[JSON]:
    """The inline elements of a node, whatever it holds."""
    if node.type in ("fence", "code_block"):
        return [_text(node.content, ("code",))] if node.content else []
    if node.type == "inline" and node.children:
        return _runs([child for inner in node.children for child in _run(inner, (), None)])
    return [element for child in node.children for element in _inlines(child)]


def _run(node: SyntaxTreeNode, styles: tuple[str, ...], url: str | None) -> Iterator[JSON]:
    kind = node.type
    if kind in ("softbreak", "hardbreak"):
        yield _text("\n", styles)
    elif kind == "code_inline":
        yield _worded(node.content, (*styles, "code"), url)
    elif kind == "text_special":
        yield _worded(node.content, styles, url)
    elif kind == "text":
        for element in inline(node.content) if url is None else [_worded(node.content, styles, url)]:
            yield element | _style(styles)
    elif kind == "image":
        yield _worded(node.content or str(node.attrs["src"]), styles, str(node.attrs["src"]))
    else:
        inner = (*styles, _STYLES[kind]) if kind in _STYLES else styles
        for child in node.children:
            yield from _run(child, inner, str(node.attrs["href"]) if kind == "link" else url)


def _runs(elements: list[JSON]) -> list[JSON]:
    """Join neighbours that look the same, and drop what is empty."""
    out: list[JSON] = []
    for element in elements:
        if element.get("text") == "":
            continue
        before = out[-1] if out else {}
        same = element["type"] in ("text", "link") and {**before, "text": ""} == {**element, "text": ""}
        if same:
            before["text"] += element["text"]
        else:
            out.append(element)
    return out


def _style(styles: tuple[str, ...]) -> JSON:
    return {"style": dict.fromkeys(styles, True)} if styles else {}


def _text(text: str, styles: tuple[str, ...] = ()) -> JSON:
    return {"type": "text", "text": text} | _style(styles)


def _worded(text: str, styles: tuple[str, ...], url: str | None) -> JSON:
    link: JSON = {"type": "link", "url": url, "text": text}
    return link | _style(styles) if url is not None else _text(text, styles)


def _plain(elements: Sequence[JSON]) -> str:
    return "".join(str(e.get("text") or e.get("url") or e.get("name") or "") for e in elements)


# -- the text field ---------------------------------------------------------------------------------------------------


def as_text(blocks: list[JSON]) -> str:
    """The `text` field of a streamed message: its words in Slack's own markup, then the titles of its tasks."""
    words = "\n\n".join(filter(None, (_words(block).strip("\n") for block in blocks)))
    tasks = [task for block in blocks for task in ([block] if block["type"] == "task_card" else block.get("tasks", ()))]
    return " ".join(filter(None, (words, *(str(task["title"]) for task in tasks))))


def _words(block: JSON) -> str:
    if block["type"] == "header":
        return str(block["text"]["text"])
    if block["type"] == "rich_text":
        return "".join(_marked(part, before) for before, part in pairwise([{}, *block["elements"]]))
    if block["type"] == "table":
        return "\n".join(" ".join(_cell_words(cell) for cell in row) for row in block["rows"])
    return ""


def _cell_words(cell: JSON | None) -> str:
    if cell is None:
        return ""
    return _words(cell) if cell["type"] == "rich_text" else str(cell.get("text", ""))


def _marked(part: JSON, before: JSON) -> str:
    # Sections bring their own line breaks.
    apart = "\n" if before and "rich_text_section" not in (before["type"], part["type"]) else ""
    if part["type"] == "rich_text_list":
        first = part.get("offset", 0) + 1
        marks = (f"{n}. " if part["style"] == "ordered" else "• " for n in count(first))
        lines = [mark + _line(item) for mark, item in zip(marks, part["elements"], strict=False)]
        return apart + "\n".join("    " * part["indent"] + line for line in lines)
    words = _line(part)
    if part["type"] == "rich_text_preformatted":
        return f"{apart}```\n{words.strip()}\n```"
    if part["type"] == "rich_text_quote":
        return apart + "\n".join(f"&gt; {line}" for line in words.split("\n"))
    return words


def _line(part: JSON) -> str:
    return "".join(_marked_run(element) for element in part["elements"])


def _marked_run(element: JSON) -> str:
    for kind, name, sigil in _TOKENS:
        if element["type"] == kind:
            return f"<{sigil}{element[name]}>"
    if element["type"] == "link":
        return f"<{element['url']}|{element['text']}>" if element.get("text") else f"<{element['url']}>"
    words = escape(str(element["text"]))
    for style in element.get("style", {}):
        words = _WRAPS[style] + words + _WRAPS[style]
    return words
