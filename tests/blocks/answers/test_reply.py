"""A stored answer as pages: each part in its place, nothing lost, and Slack takes every page of any JSON."""

from __future__ import annotations

import itertools
import json
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnibot.blocks.answers.exports import file_of
from omnibot.blocks.answers.reply import picture_wanted, reply_pages
from omnibot.blocks.layout.fallbacks import older_page, plain_page, words_only
from omnibot.blocks.layout.types import Page
from omnibot.clearstreet.models import read_parts
from omnibot.turns.model import Kind, Outcome, Person, Surface, Turn, TurnAnswer, TurnState
from omnibot.turns.rules import offers
from tests.blocks import hostile_text
from tests.blocks.slack_limits import check, live, strings
from tests.examples import examples

TURN = Turn(
    id="turn",
    source_key="k",
    surface=Surface.MENTION,
    kind=Kind.INSTANT,
    state=TurnState.FINALIZING,
    team="T1",
    person=Person("T1", "U1"),
    channel="C1",
    thread_ts="1.1",
    message_ts="1.1",
    event={},
    created_at=datetime.fromisoformat("2026-11-21T12:00:00"),
)


def pages_of(
    parts: list[Any], *, market_cards: list[dict[str, Any]] | None = None, pictures=None, **more: Any
) -> list[Page]:
    answer = TurnAnswer(Outcome.SUCCEEDED, parts=parts, market_cards=market_cards or [], message_id="m", **more)
    tokens = (f"t{n}" for n in itertools.count())
    read = read_parts(parts)
    found = offers(read, answer.market_cards, outcome=answer.outcome, kind=Kind.INSTANT, mint=lambda: next(tokens))
    return reply_pages(TURN, answer, found, pictures=pictures)


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def data_chart(points: int, *, series: int = 1, gap: bool = False) -> dict[str, Any]:
    lines = [
        {"name": f"Line {n}", "points": [{"x": f"p{x}", "y": x * 1.5} for x in range(points - (gap and n))]}
        for n in range(series)
    ]
    buttons = [{"buttonId": "b", "label": "More of this chart", "prompt": {"prompt": "More"}}]
    return {"type": "chart", "payload": {"chartId": "c", "dataChart": {"series": lines}, "actionButtons": buttons}}


SUGGESTED = {
    "type": "suggested_actions",
    "payload": {"actionButtons": [{"buttonId": "b", "label": "Next", "prompt": {"prompt": "Next"}}]},
}
SYMBOL = {
    "kind": "symbol", "symbol": "AAPL", "name": "Apple Inc.", "timeframe": "1M", "last": "187.50", "change": "-1.25",
    "change_percent": "-0.6623", "low": "185", "high": "189.9", "volume": 52_100_000, "bid": "187.49", "ask": None,
    "quoted_at": "2026-11-21T15:00:00+00:00", "asked_at": "2026-11-21T15:00:04+00:00", "market_open": True,
    "session": "REGULAR",
}  # fmt: skip
SCREEN = {
    "kind": "screen", "filters": ["Market cap at least 10.00B"], "left_out": ["mood is good"], "unknown_fields": [],
    "sorted_by": "Market cap, largest first", "columns": ["Symbol", "Market cap"],
    "rows": [["AAPL", "$2.90T"], ["AMD", "$0.30T"]], "more": True, "asked_at": "2026-11-21T15:00:04+00:00",
}  # fmt: skip


def test_parts_stand_in_their_order_and_a_charts_buttons_right_below_it():
    [page] = pages_of([text("Before."), data_chart(5), text("After."), SUGGESTED])

    assert [block["type"] for block in page.blocks] == [
        "markdown", "data_visualization", "context", "actions", "markdown", "actions", "actions", "context_actions",
        "context",
    ]  # fmt: skip
    labels = [[e["text"]["text"] for e in block["elements"]] for block in page.blocks if block["type"] == "actions"]
    assert labels == [["More of this chart"], ["Next"], ["Regenerate", "Chart data (CSV)"]]
    check(page)


def test_a_chart_with_more_points_than_slack_draws_says_how_many_are_drawn():
    [page] = pages_of([data_chart(45)])

    said = "\n".join(strings(page.blocks))
    assert "20 of 45 points are drawn" in said
    check(page)


def test_a_chart_for_a_picture_is_a_picture_with_words_for_those_who_cannot_see_it():
    parts = [data_chart(300)]
    assert picture_wanted(read_parts(parts)[0]) is not None
    [page] = pages_of(parts, pictures={0: "F0000000001"})

    assert page.blocks[0]["slack_file"] == {"id": "F0000000001"}
    assert "from 0 (p0) to 448.5 (p299)" in page.blocks[0]["alt_text"]
    check(page)


def test_without_its_picture_a_chart_is_words():
    [page] = pages_of([data_chart(10, series=2, gap=True)])

    assert page.blocks[0]["type"] == "section"
    assert "Line 1: from 0 (p0) to 12 (p8)" in "\n".join(strings(page.blocks))


def test_a_symbol_is_a_card_with_its_price_and_how_old_it_is():
    chart = {"type": "chart", "payload": {"chartId": "c", "symbolChart": {"symbol": "AAPL", "timeframe": "1M"}}}
    [page] = pages_of([chart], market_cards=[{**SYMBOL, "part": 0}])

    said = "\n".join(strings(page.blocks))
    for words in ("AAPL · Apple Inc.", "$187.5 ▼ -1.25 (-0.66%)", "Day 185–189.9", "Volume 52.1 M", "Ask –", "4 s old"):
        assert words in said
    assert "1M" in said
    check(page)


def test_a_symbol_of_which_nothing_is_known_is_still_a_card():
    [page] = pages_of([], market_cards=[{"kind": "symbol", "symbol": "ZZZ", "part": None}])

    assert "No price is known." in "\n".join(strings(page.blocks))
    check(page)


def test_the_operators_chart_is_a_link_on_the_card():
    answer = TurnAnswer(Outcome.SUCCEEDED, market_cards=[{**SYMBOL, "symbol": "BRK/B", "part": None}])
    [page] = reply_pages(TURN, answer, (), chart_url="https://charts.example/{symbol}?t={timeframe}")

    assert page.blocks[0]["actions"][0]["url"] == "https://charts.example/BRK%2FB?t=1M"
    check(page)


def test_a_screen_says_its_filters_and_what_could_not_be_applied():
    [page] = pages_of([], market_cards=[{**SCREEN, "part": None}])

    said = "\n".join(strings(page.blocks))
    for words in ("Market cap at least 10.00B", "mood is good", "largest first", "$2.90T", "2 found and more"):
        assert words in said
    assert any(block["type"] == "data_table" for block in page.blocks)
    check(page)


@pytest.mark.parametrize(
    "part",
    [
        {"type": "custom", "payload": {"kind": "heatmap", "cells": [[1, None]]}},
        {"type": "custom", "payload": None},
        {"type": "hologram", "beam": "<!channel>"},
        {"type": "structured_action", "action_id": "a", "action": {"open_portal": {"to": "tomorrow"}}},
        {"type": "chart", "payload": {"chartId": "c"}},
        {},
        [],
        None,
    ],
)
def test_what_no_client_can_draw_is_a_collapsed_notice_with_its_payload(part):
    [page] = pages_of([text("Words."), part])

    notice = next(block for block in page.blocks if block["type"] == "container")
    assert notice["default_collapsed"] is True
    assert notice["child_blocks"]
    check(page)
    assert not live([page])


def test_an_action_that_cannot_be_carried_out_here_is_named():
    consent = {
        "type": "structured_action",
        "action_id": "a",
        "action": {
            "open_entitlement_consent": {
                "agreement_key": "k", "reason": "r", "requested_entitlement_codes": ["c"], "trading_account_ids": [1]
            }
        },
    }  # fmt: skip
    [page] = pages_of([text("Words."), consent])

    assert "cannot carry out here: a consent" in "\n".join(strings(page.blocks))


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | hostile_text.texts,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(hostile_text.texts | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)
names = st.sampled_from(
    ["type", "text", "payload", "dataChart", "series", "points", "x", "y", "actionButtons", "label", "action", "name"]
)
near_parts = st.one_of(
    json_values,
    st.dictionaries(names, json_values, max_size=6),
    st.builds(
        lambda kind, payload: {"type": kind, "payload": payload, "text": payload, "action_id": "a", "action": payload},
        st.sampled_from(["text", "chart", "custom", "structured_action", "suggested_actions", "thinking", "odd"]),
        json_values,
    ),
    st.builds(text, hostile_text.texts),
    st.builds(data_chart, st.integers(0, 70), series=st.integers(0, 14), gap=st.booleans()),
)
market_cards = st.one_of(
    st.just(SYMBOL), st.just(SCREEN), st.dictionaries(st.sampled_from([*SYMBOL, *SCREEN]), json_values, max_size=12)
)


@given(st.lists(near_parts, max_size=6), st.lists(market_cards, max_size=3))
@examples(100)
def test_slack_takes_every_page_of_any_json_in_every_variant(parts, beside):
    for page in pages_of(parts, market_cards=[{**one, "part": None} for one in beside]):
        for variant in (page, older_page(page), plain_page(page), words_only(page)):
            check(variant)
        assert not live([page])


def test_the_same_answer_gives_the_same_pages():
    parts = [text("Words."), data_chart(30), SUGGESTED]

    assert pages_of(parts, market_cards=[{**SCREEN, "part": None}]) == pages_of(
        parts, market_cards=[{**SCREEN, "part": None}]
    )


def test_an_answer_without_a_message_of_omnis_has_no_thumbs_for_its_rating_could_not_be_sent():
    rated, unrated = (
        reply_pages(TURN, TurnAnswer(Outcome.SUCCEEDED, parts=[text("Words.")], message_id=message_id), ())
        for message_id in ("m", None)
    )
    assert [block["type"] for block in rated[0].blocks].count("context_actions") == 1
    assert "context_actions" not in [block["type"] for block in unrated[0].blocks]


def test_a_chart_without_points_is_given_away_as_the_json_it_came_as():
    part = {"type": "chart", "payload": {"chartId": "c", "dataChart": {"series": [{"name": "n", "points": []}]}}}
    name, content = file_of(part, None) or ("", "")
    assert name == "omni-part.json"
    assert json.loads(content) == part
    assert (file_of(data_chart(2), None) or ("", ""))[0].endswith(".csv")
