"""A stored answer as the pages of its reply: the same answer, buttons and pictures give the same pages."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from omnibot.blocks.account.consent import card_unit, refusal_unit, stub_unit
from omnibot.blocks.account.prompts import ACCOUNT_ACTION, CHANGE_ACCOUNT
from omnibot.blocks.answers.answer import AI_NOTICE, Unit, answer_pages
from omnibot.blocks.answers.buttons import button_units
from omnibot.blocks.answers.charts import ChartModel, fits_natively, in_words, native_chart, read_chart, thinned
from omnibot.blocks.answers.market_cards import market_card_units
from omnibot.blocks.answers.unsupported import payload_unit
from omnibot.blocks.layout.builders import button, context, escaped_parts, section, shorten
from omnibot.blocks.layout.fallbacks import with_question
from omnibot.blocks.layout.types import Block, Button, Page
from omnibot.blocks.markdown.escaping import escape
from omnibot.clearstreet.models import (
    ChartPart,
    CustomPart,
    OpenChart,
    OpenEntitlementConsent,
    OpenScreener,
    Part,
    StructuredActionPart,
    TextPart,
    UnknownAction,
    UnknownPart,
    read_parts,
)
from omnibot.consent.model import Card
from omnibot.turns.model import OfferedButton, Outcome, Surface, Turn, TurnAnswer
from omnibot.turns.rules import PREFILLED

PLAIN = "This answer is too large, or too unusual, to be laid out: its words stand here as they came."
#: Buttons that stand with the suggestions, where they are Omni's; the others are tools.
_SUGGESTED = ("prompt", "action", "consent", "order", "words")


def reply_pages(
    turn: Turn,
    answer: TurnAnswer,
    buttons: Sequence[OfferedButton],
    *,
    pictures: Mapping[int, str] | None = None,
    chart_url: str | None = None,
    presses: bool = True,
    consent: Card | None = None,
) -> list[Page]:
    """The pages of a final reply.

    Args:
        turn: whose.
        answer: as stored.
        buttons: as stored with it.
        pictures: Slack's ids of the pictures drawn for charts, by part.
        chart_url: the operator's address of a chart, with `{symbol}` and `{timeframe}` in it.
        presses: say who pressed a button; else that somebody did is only marked.
        consent: what the answer asks somebody to sign, as it stands now.
    """

    parts = read_parts(answer.parts)
    content: list[str | Unit] = []
    shown: set[str] = set()
    for index, part in enumerate(parts):
        content.extend(_part_content(index, part, pictures or {}))
        content.extend(_market_cards(answer, index, chart_url))
        if isinstance(part, ChartPart):
            below = [b for b in buttons if b.part_index == index and b.kind in _SUGGESTED]
            shown.update(b.token for b in below)
            content.extend(button_units([_button(b, names=presses) for b in below]))
    content.extend(_market_cards(answer, None, chart_url))
    content.extend(_consent(turn, answer, consent))
    suggested = [b for b in buttons if b.token not in shown]
    notices = [*answer.notices, *_unseen(parts, answer, buttons)]
    return _around(turn, answer, content, suggested, buttons, notices, presses=presses)


def plain_reply_pages(
    turn: Turn,
    answer: TurnAnswer,
    buttons: Sequence[OfferedButton],
    *,
    presses: bool = True,
    consent: Card | None = None,
    **_: Any,
) -> list[Page]:
    """The same answer with all of its words and buttons, and without reading any of it as markdown, table or chart."""
    content: list[str | Unit] = [[section(part)] for words in _plain_words(answer) for part in escaped_parts(words)]
    content.extend(_consent(turn, answer, consent))
    return _around(turn, answer, content, buttons, buttons, [*answer.notices, PLAIN], presses=presses)


def _plain_words(answer: TurnAnswer) -> Iterator[str]:
    """Omni's words, and as JSON what is neither words nor a button."""
    for part in answer.parts:
        if isinstance(text := part.get("text"), str) and part.get("type") == "text":
            yield text
        elif part.get("type") not in ("structured_action", "suggested_actions", "thinking"):
            yield json.dumps(part, ensure_ascii=False)
    for market_card in answer.market_cards:
        yield json.dumps(market_card, ensure_ascii=False)


def _around(
    turn: Turn,
    answer: TurnAnswer,
    content: Sequence[str | Unit],
    suggested: Sequence[OfferedButton],
    buttons: Sequence[OfferedButton],
    notices: Sequence[str],
    *,
    presses: bool,
) -> list[Page]:
    """The answer's content with what stands below it."""
    pages = answer_pages(
        content=content,
        buttons=[_button(b, names=presses) for b in suggested if b.kind in _SUGGESTED and b.part_index >= 0],
        notices=notices,
        mention=turn.person.user if answer.late else None,
        outcome_line=_outcome_line(answer),
        outcome_by=answer.stopped_by,
        tools=[_button(b) for b in _tools(buttons)],
        more_tools=_change_account(turn, answer),
        # Clear Street takes ratings of Omni's messages, by their ids. What has none is no such message: an action that
        # omnibot carried out, an answer that failed or was stopped before Omni named one. Thumbs there could only fail.
        feedback=turn.id if answer.message_id else None,
        footer=f"{AI_NOTICE} Account: {answer.account}" if answer.account else AI_NOTICE,
    )
    return [asked_page(pages[0], turn), *pages[1:]]


def asked_page(page: Page, turn: Turn) -> Page:
    """A pressed button asks without a message in Slack: the reply says what was asked, and by whom."""
    if turn.surface is not Surface.PRESS or not turn.question:
        return page
    return with_question(page, asker=turn.person.user, question=turn.question)


def picture_wanted(part: Part) -> ChartModel | None:
    """The chart of this part, if it is one that Slack cannot draw by itself."""
    if not isinstance(part, ChartPart) or part.payload.data_chart is None:
        return None
    chart = read_chart(part.payload.data_chart)
    return chart if chart.points and not fits_natively(chart) else None


def _part_content(index: int, part: Part, pictures: Mapping[int, str]) -> Iterable[str | Unit]:
    match part:
        case TextPart(text):
            yield text
        case ChartPart() if part.payload.data_chart is not None:
            yield _chart(read_chart(part.payload.data_chart), pictures.get(index))
        case ChartPart() if part.payload.symbol_chart is None:
            yield payload_unit("chart", part.raw)
        case CustomPart(payload):
            yield payload_unit("custom", payload)
        case UnknownPart(kind, raw):
            yield payload_unit(kind, raw)
        case StructuredActionPart() if isinstance(part.action, UnknownAction):
            yield payload_unit(part.action.kind, part.action.raw)
        case _:
            return


def _chart(chart: ChartModel, picture: str | None) -> Unit:
    lines = in_words(chart)
    said = context(escaped_parts(" · ".join(lines))[0])
    if not chart.points:
        return [said]
    if fits_natively(chart):
        few = thinned(chart)
        less = len(few.places) < len(chart.places)
        note = f"{len(few.places)} of {len(chart.places)} points are drawn; the data has all of them."
        return [native_chart(chart), said, *([context(escape(note))] if less else [])]
    if picture is None:
        return [section(part) for part in escaped_parts(f"{chart.title}: {' · '.join(lines)}")]
    image: Block = {
        "type": "image",
        "slack_file": {"id": picture},
        "alt_text": shorten(f"Chart of {chart.title}. {' '.join(lines)}", 1_900),
        "title": {"type": "plain_text", "text": chart.title, "emoji": False},
    }
    return [image, said]


def _market_cards(answer: TurnAnswer, part: int | None, chart_url: str | None) -> Iterable[Unit]:
    for position, market_card in enumerate(answer.market_cards):
        if market_card.get("part") == part:
            yield from market_card_units(market_card, chart_url=chart_url, position=position)


def _consent(turn: Turn, answer: TurnAnswer, card: Card | None) -> Iterable[Unit]:
    if answer.consent is None:
        return
    if card is not None:
        yield card_unit(card) if is_private(turn) else stub_unit(card)
    elif "why" in answer.consent:
        yield refusal_unit(answer.consent)


def is_private(turn: Turn) -> bool:
    """Whether only the asker reads the answer: the bot writes into no direct messages but its own."""
    return turn.channel.startswith("D")


def _tools(buttons: Sequence[OfferedButton]) -> list[OfferedButton]:
    order = {"retry": 0, "action": 1, "regenerate": 2, "export": 3}
    tools = (b for b in buttons if b.kind in order and (b.kind != "action" or b.part_index < 0))
    return sorted(tools, key=lambda b: (order[b.kind], b.position))


def _change_account(turn: Turn, answer: TurnAnswer) -> list[Block]:
    """For whoever presses it, and for this thread: it names the place, which is no secret, and nobody's account."""
    if not answer.account or turn.thread_ts is None:
        return []
    return [button(ACCOUNT_ACTION, f"{turn.channel}:{turn.thread_ts}", CHANGE_ACCOUNT)]


def _unseen(parts: Sequence[Part], answer: TurnAnswer, buttons: Sequence[OfferedButton]) -> list[str]:
    """Say which actions of the answer can be had nowhere in this reply."""
    reached = {b.action_id for b in buttons if b.kind == "action"}
    shown = {market_card.get("part") for market_card in answer.market_cards}
    hidden: list[str] = []
    for index, part in enumerate(parts):
        if isinstance(part, StructuredActionPart) and not isinstance(part.action, UnknownAction):
            if part.action_id in reached or index in shown:
                continue
            if isinstance(part.action, OpenEntitlementConsent) and answer.consent is not None:
                continue
            if answer.orders is not None and isinstance(part.action, PREFILLED):
                continue
            hidden.append(_action_words(part))
        elif isinstance(part, ChartPart) and part.payload.data_chart is None and index not in shown:
            hidden += [f"the chart of {part.payload.symbol_chart.symbol}"] if part.payload.symbol_chart else []
    if not hidden:
        return []
    return [f"Omni also proposed what omnibot cannot carry out here: {', '.join(dict.fromkeys(hidden))}."]


def _action_words(part: StructuredActionPart) -> str:
    match part.action:
        case OpenChart():
            return f"the chart of {part.action.symbol}"
        case OpenScreener():
            return "a screen"
        case other:
            return {"OpenEntitlementConsent": "a consent"}.get(type(other).__name__, "an order")


def _button(offered: OfferedButton, *, names: bool = True) -> Button:
    runs = offered.kind != "words"
    number = offered.position + 1
    return Button(
        token=offered.token, label=offered.label, pressed_by=offered.pressed_by, names=names, runs=runs, number=number
    )


def _outcome_line(answer: TurnAnswer) -> str | None:
    if answer.reason is None:
        return None
    sign = ":black_square_for_stop:" if answer.outcome is Outcome.CANCELED else ":warning:"
    request = f" (request {answer.request_id})" if answer.request_id else ""
    return f"{sign} {answer.reason}{request}"
