"""The pure rules of a turn, as tables."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from omnibot.clearstreet.models import Message, OpenChart, TextPart, Thread, read_parts
from omnibot.errors import (
    ClearStreetError,
    Conflict,
    Invalid,
    Malformed,
    NotEntitled,
    NotFound,
    RateLimited,
    Unauthorised,
    Unavailable,
)
from omnibot.turns.model import Kind, Outcome
from omnibot.turns.rules import (
    Verdict,
    after_create_error,
    answer_to,
    candidate_threads,
    in_plain_words,
    is_first_question,
    is_late,
    joined_text,
    offers,
    poll_after,
    take_over_message,
    to_look_up,
)


@pytest.mark.parametrize(
    ("error", "continuing", "verdict"),
    [
        (RateLimited(retry_after=3), True, Verdict.WAIT),
        (RateLimited(retry_after=3), False, Verdict.WAIT),
        (Conflict(), True, Verdict.BUSY),
        (Conflict(), False, Verdict.UNKNOWN),  # a thread that does not exist yet cannot be busy: somebody made it
        (NotFound(), True, Verdict.GONE),
        (NotFound(), False, Verdict.REFUSED),
        (Unavailable(), True, Verdict.UNKNOWN),
        (Unavailable(), False, Verdict.UNKNOWN),
        (Malformed(), True, Verdict.UNKNOWN),  # a 200 that cannot be read may well have done it
        (Invalid(), True, Verdict.REFUSED),
        (Unauthorised(), True, Verdict.REFUSED),
        (NotEntitled(), False, Verdict.REFUSED),
    ],
)
def test_what_a_failed_create_call_means(error: ClearStreetError, continuing: bool, verdict: Verdict):
    assert after_create_error(error, continuing=continuing) is verdict


def test_every_error_is_told_in_a_whole_sentence_that_says_what_to_do():
    kinds = [Unavailable, Malformed, Unauthorised, NotEntitled, NotFound, Conflict, Invalid]
    for error in [RateLimited(retry_after=1), *(kind() for kind in kinds)]:
        assert in_plain_words(error).endswith(".")
    assert "text is required" in in_plain_words(Invalid(api_message="text is required"))


def polls_until(kind: Kind, seconds: float, *, growing_from: float = 0.0) -> list[float]:
    """When polls happen, the answer changing before each one from `growing_from` on."""
    at = poll_after(kind, 0, 0, 0.5)
    times = [at]
    while at < seconds:
        since_change = 0.0 if at >= growing_from else at
        at += poll_after(kind, at, since_change, 0.5)
        times.append(at)
    return times


def test_an_answer_of_ten_seconds_costs_at_most_twelve_polls():
    assert len([t for t in polls_until(Kind.INSTANT, 10) if t < 10]) <= 12


def test_polls_are_close_enough_to_see_the_end_of_a_growing_answer_soon():
    times = polls_until(Kind.INSTANT, 15)
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert max(gaps) <= 1.0


@pytest.mark.parametrize(("kind", "slowest"), [(Kind.INSTANT, 2.0), (Kind.DEEP_INSIGHTS, 5.0)])
def test_a_response_that_rests_is_polled_ever_more_slowly_down_to_the_floor(kind: Kind, slowest: float):
    waits = [poll_after(kind, age, age, 0.5) for age in (1, 5, 10, 30, 100, 900)]
    assert waits == sorted(waits)
    assert waits[-1] == pytest.approx(slowest)


def test_polls_of_many_turns_do_not_fall_into_step():
    assert poll_after(Kind.INSTANT, 5, 0, 0.0) < poll_after(Kind.INSTANT, 5, 0, 0.999)


def message(seq: int, role: str = "USER", text: str = "price?", id: str = "") -> Message:
    return Message(id=id or f"m{seq}", role=role, seq=seq, thread_id="t", parts=(TextPart(text),))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("messages", "above", "taken", "found"),
    [
        ([], 0, set(), None),
        ([message(1)], 0, set(), "m1"),
        ([message(1)], 1, set(), None),  # an earlier turn's question in the same words
        ([message(1), message(2, "ASSISTANT"), message(3)], 2, set(), "m3"),
        ([message(3)], 2, {"m3"}, None),  # another turn of ours has it
        ([message(3, text="something else")], 2, set(), None),
        ([message(3, "ASSISTANT", text="price?")], 2, set(), None),
        ([message(3, text=" price? \n")], 2, set(), "m3"),
    ],
)
def test_which_message_is_adopted_after_a_lost_call(messages, above, taken, found):
    adopted = take_over_message(messages, text="price?", above_seq=above, taken=taken)
    assert (adopted.id if adopted else None) == found


def test_the_answer_to_a_question_is_the_assistant_message_right_after_it():
    messages = [message(1), message(2, "ASSISTANT"), message(3), message(4, "ASSISTANT")]
    assert answer_to(messages, 1) == messages[1]
    assert answer_to(messages, 3) == messages[3]
    assert answer_to(messages[:3], 3) is None
    assert answer_to([message(1), message(3)], 1) is None


def test_candidate_threads_are_new_unknown_and_tolerate_disagreeing_clocks():
    since = datetime(2026, 11, 21, 12)  # noqa: DTZ001  as the tables keep it
    aware = since.replace(tzinfo=UTC)

    def thread(id: str, created: datetime | None) -> Thread:
        return Thread(id=id, title="", created_at=created, updated_at=created)

    threads = [
        thread("d", aware + timedelta(seconds=1)),
        thread("c", aware - timedelta(seconds=60)),
        thread("b", aware - timedelta(hours=1)),
        thread("a", None),
        thread("known", aware),
    ]
    assert [t.id for t in candidate_threads(threads, since=since, known={"known"})] == ["a", "c", "d"]


@pytest.mark.parametrize(
    ("kind", "said", "ticker", "ours"),
    [
        (Kind.INSTANT, "price?", None, True),
        (Kind.INSTANT, "price of AAPL?", None, False),
        (Kind.DEEP_INSIGHTS, "Give me deep insights on AAPL", "AAPL", True),
        (Kind.DEEP_INSIGHTS, "Give me deep insights on AMD", "AAPL", False),
    ],
)
def test_how_the_first_question_of_a_thread_is_recognised(kind: Kind, said: str, ticker: str | None, ours: bool):
    assert is_first_question(message(1, text=said), kind=kind, question="price?", ticker=ticker) is ours


def test_text_is_all_text_parts_in_order_and_empty_ones_do_not_count():
    parts = read_parts(
        [
            {"type": "text", "text": ""},
            {"type": "text", "text": "one"},
            {"type": "thinking", "thoughts": ["hm"]},
            {"type": "text", "text": "two"},
        ]
    )
    assert joined_text(parts) == "one\n\ntwo"


def made(parts, *, market_cards=(), outcome=Outcome.SUCCEEDED, kind=Kind.ACTION):
    tokens = (f"t{n}" for n in itertools.count())
    return offers(parts, market_cards, outcome=outcome, kind=kind, mint=lambda: next(tokens))


CHART = {"type": "structured_action", "action_id": "a", "action": {"open_chart": {"symbol": "AAPL", "timeframe": "1M"}}}


def test_a_button_runs_the_action_it_names_even_if_it_also_has_a_prompt():
    button = {"buttonId": "b", "label": "Chart", "prompt": {"prompt": "p"}, "structuredAction": {"actionId": "a"}}
    parts = read_parts([CHART, {"type": "suggested_actions", "payload": {"actionButtons": [button]}}])
    [offer] = made(parts)
    assert (offer.kind, offer.action) == ("action", CHART["action"])
    assert to_look_up(parts) == []


def test_an_action_that_no_button_runs_is_looked_up_with_the_answer():
    chart = {"type": "chart", "payload": {"chartId": "c", "symbolChart": {"symbol": "AMD", "timeframe": "1W"}}}
    found = to_look_up(read_parts([{"type": "text", "text": "x"}, CHART, chart]))
    assert found == [(1, OpenChart("AAPL", "1M")), (2, OpenChart("AMD", "1W"))]


@pytest.mark.parametrize(
    ("outcome", "kind", "tools"),
    [
        (Outcome.SUCCEEDED, Kind.INSTANT, ["regenerate"]),
        (Outcome.SUCCEEDED, Kind.DEEP_INSIGHTS, ["regenerate"]),
        (Outcome.SUCCEEDED, Kind.ACTION, []),
        (Outcome.FAILED, Kind.INSTANT, ["retry"]),
        (Outcome.CANCELED, Kind.ACTION, ["retry"]),
    ],
)
def test_what_failed_can_be_asked_again_and_what_succeeded_made_again(outcome, kind, tools):
    assert [offer.kind for offer in made((), outcome=outcome, kind=kind)] == tools


def test_symbols_that_omni_links_can_be_looked_up_each_once():
    text = (
        "[AAPL](ticker:AAPL), [Apple](ticker:aapl), [B](ticker:BRK.B), [x](https://a.b), [y](ticker:), [z](ticker:a b)"
    )
    found = made(read_parts([{"type": "text", "text": text}]))
    assert [(offer.kind, offer.label, offer.action) for offer in found] == [
        ("action", "AAPL quote", {"open_chart": {"symbol": "AAPL"}}),
        ("action", "BRK.B quote", {"open_chart": {"symbol": "BRK.B"}}),
    ]


def test_data_and_payloads_can_be_taken_away():
    points = [{"x": "a", "y": 1}]
    parts = read_parts(
        [
            {"type": "chart", "payload": {"chartId": "c", "dataChart": {"series": [{"name": "s", "points": points}]}}},
            {"type": "hologram"},
        ]
    )
    found = made(parts, market_cards=[{"kind": "symbol"}, {"kind": "screen", "rows": [["AAPL"]]}])
    assert [(offer.kind, offer.button_id) for offer in found] == [
        ("export", "part:0"),
        ("export", "part:1"),
        ("export", "exhibit:1"),
    ]


def test_every_suggested_button_is_offered_and_only_prompts_can_be_pressed():
    buttons = [
        {"buttonId": "b", "label": "Ask", "prompt": {"prompt": "p"}},
        {"buttonId": "b", "label": "Act", "structuredAction": {"actionId": "a"}},
        {"buttonId": "b", "label": "Both", "prompt": {"prompt": "p"}, "structuredAction": {"actionId": "a"}},
        {"buttonId": "b", "label": "Neither"},
    ]
    parts = read_parts(
        [{"type": "text", "text": "x"}, {"type": "suggested_actions", "payload": {"actionButtons": buttons}}]
    )
    found = made(parts)
    assert [(b.label, b.kind) for b in found] == [
        ("Ask", "prompt"),
        ("Act", "words"),
        ("Both", "words"),
        ("Neither", "words"),
    ]
    assert {b.part_index for b in found} == {1}
    assert len({b.token for b in found}) == 4


def test_a_turn_is_late_after_thirty_seconds_of_omni():
    began = datetime(2026, 11, 21, 12)  # noqa: DTZ001  as the tables keep it
    assert not is_late(began, began + timedelta(seconds=30))
    assert is_late(began, began + timedelta(seconds=31))
    assert not is_late(None, began)


NO_POINTS = {"series": [{"name": "Close", "points": []}]}


@pytest.mark.parametrize(
    "part",
    [
        {"type": "hologram", "x": 1},
        {"type": "custom", "payload": {"kind": "heatmap"}},
        {"type": "structured_action", "action_id": "a", "action": {"open_portal": {"x": 1}}},
        {"type": "chart", "payload": {"chartId": "c"}},
        {"type": "chart", "payload": {"chartId": "c", "dataChart": {"series": []}}},
        {"type": "chart", "payload": {"chartId": "c", "dataChart": NO_POINTS}},
    ],
)
def test_the_payload_of_whatever_cannot_be_shown_can_be_had(part):
    (offer,) = made(read_parts([part]))
    assert (offer.kind, offer.button_id, offer.label) == ("export", "part:0", "Payload (JSON)")


def test_the_payload_of_what_is_shown_is_not_offered():
    symbol = {"type": "chart", "payload": {"chartId": "c", "symbolChart": {"symbol": "AAPL", "timeframe": "1M"}}}
    points = [{"x": "a", "y": 1}]
    drawn = {"type": "chart", "payload": {"chartId": "c", "dataChart": {"series": [{"name": "n", "points": points}]}}}
    (offer,) = made(read_parts([{"type": "text", "text": "Words."}, symbol, CHART, drawn]))
    assert (offer.button_id, offer.label) == ("part:3", "Chart data (CSV)")
