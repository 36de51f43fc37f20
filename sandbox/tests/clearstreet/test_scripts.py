"""Every scripted scenario can be reached, runs to its end, and says what it is meant to say."""

import asyncio
import re
import time
from itertools import pairwise

import pytest
from omnibot_sandbox.clearstreet.examples import example
from omnibot_sandbox.clearstreet.scripts import ScriptBook, Situation

from sandbox.tests.clearstreet.conftest import MAIN, new, old

PRICE = "What is current price of AAPL?"
MARKETS = "How are the markets doing today?"
#: Questions that get the script of this name in every revision.
QUESTIONS = {
    "price": PRICE,
    "compare": "Compare NVDA to AMD",
    "compare_to_what": "Compare that to AMD.",
    "markets": MARKETS,
    "failure": "fail this",
    "refusal": "Give me an insider tip",
    "long_report": "Write a long report on the market",
    "think_first": "think first",
    "slow": "a slow answer, please",
    "hostile": "ping everyone",
    "many_buttons": "many buttons",
    "strange_parts": "strange parts",
    "default": "Good morning",
}
#: And those whose answers are charts, tables and actions.
PARTS = {
    "chart_line": "Show me a line chart",
    "chart_series": "Show me a chart with several series",
    "chart_negative": "Show me a chart with negative values",
    "chart_thousands": "Show me a chart with thousands of points",
    "chart_one_point": "Show me a chart with one point",
    "chart_no_points": "Show me a chart with no points",
    "open_chart": "Open TSLA's chart",
    "open_chart_alone": "A chart without a button, please",
    "open_screener": "Screen for large tech stocks",
    "open_screener_all": "Screen everything",
    "open_screener_odd": "Screen for good vibes",
    "table_small": "Show me a small table",
    "table_wide": "Show me a wide table",
    "table_long": "Show me a table with 150 rows",
    "custom_part": "Show me a custom part",
    "prefill_buy": "Buy 100 AAPL at 187.50",
    "prefill_market": "Buy 10 shares of NVDA at the market",
    "prefill_sell": "Sell 5 AAPL",
    "prefill_short": "Short 20 TSLA at $420",
    "prefill_two": "Buy 10 MSFT and sell 5 AAPL",
    "prefill_option": "Buy 2 AAPL calls",
    "prefill_every_type": "Show me every order type",
    "prefill_cancel_nothing": "Cancel my last order",
    "prefill_modify_nothing": "Change my AAPL order",
}
#: Questions whose script depends on the revision.
POSITIONS, CHART = "What are my current positions?", "Show me the chart of AAPL over 1Y"
EARLIER = {"positions_unshared": POSITIONS, "symbol_chart": CHART}
MIDDLE = {"positions_unshared": POSITIONS, "symbol_chart_later": CHART}
NEWEST = {"positions_shared": POSITIONS, "symbol_chart_later": CHART}
#: Scripts that need an open order, a caller who can ask for consent, or another thread or kind of thread.
OTHERS = {
    "positions",
    "prefill_cancel",
    "prefill_modify",
    "prefill_modify_by_cancel",
    "deep_insights",
    "compare_follow_up",
    "default_insights",
}


def parts_in(revision):
    """The questions about charts, tables and actions that can be asked in a revision at once, by script."""
    return {**PARTS, **{"2026-04": EARLIER, "2026-08": MIDDLE, "2026-10": NEWEST}[revision]}


def text_of(content):
    return "".join(part.get("text", "") for part in content["parts"] if part["type"] == "text")


def buttons_of(content):
    return [
        b for part in content["parts"] if part["type"] == "suggested_actions" for b in part["payload"]["actionButtons"]
    ]


async def watch(call, question, **extra):
    """All different snapshots of the turn, the last message, and the script that was chosen."""
    asked = await call.ask(question, **extra)
    snapshots = [await call.poll(asked["response_id"])]
    while snapshots[-1]["status"] in ("queued", "running"):
        await asyncio.sleep(0.002)
        snapshot = await call.poll(asked["response_id"])
        if snapshot != snapshots[-1]:
            snapshots.append(snapshot)
    message = (await call.messages(asked["thread_id"]))[-1]
    return snapshots, message, call.emulator.threads[asked["thread_id"]].scripts[-1]


async def research(call, ticker="AAPL", thesis=None):
    body = {"account_id": MAIN, "type": "deep_insights", "target": {"type": "ticker", "ticker": ticker}}
    _, answer = await call("POST", "/omni-ai/threads", json=body | ({"thesis": thesis} if thesis else {}))
    return answer["data"]


def test_every_script_has_a_question_here():
    assert {*QUESTIONS, *PARTS, *EARLIER, *MIDDLE, *NEWEST, *OTHERS} == set(ScriptBook().names)


@pytest.mark.parametrize("revision", ["2026-04", "2026-08", "2026-10"])
def test_no_question_is_caught_by_another_script(revision):
    book, situation = ScriptBook(), Situation(revision, entitled=revision == "2026-10")

    for name, question in {**QUESTIONS, **parts_in(revision)}.items():
        assert book.plan("instant", question, [], {}, MAIN, situation).script == name


@pytest.mark.parametrize(("name", "question"), QUESTIONS.items())
async def test_every_scenario_reaches_its_end(call, name, question):
    snapshots, message, script = await watch(call, question)

    assert script == name
    assert snapshots[-1]["status"] == ("failed" if name == "failure" else "succeeded")
    assert message["outcome"] == ("errored" if name == "failure" else "completed")
    assert text_of(message["content"])
    assert message["id"] == snapshots[-1]["output_message_id"]


async def test_every_scenario_of_parts_reaches_its_end(call, omni, revision):
    omni.pace = 0.001
    for name, question in parts_in(revision).items():
        snapshots, message, script = await watch(call, question)

        assert (script, snapshots[-1]["status"], message["outcome"]) == (name, "succeeded", "completed")
        assert text_of(message["content"])


@pytest.mark.parametrize("question", [*QUESTIONS.values(), *PARTS.values()])
def test_text_only_grows_and_ends_as_the_message_has_it(question):
    frames = ScriptBook().plan("instant", question, [], {}, MAIN).frames
    texts = [text_of({"parts": frame.parts}) for frame in frames]

    assert all(after.startswith(before) for before, after in pairwise(texts))


@old
async def test_the_price_comes_after_the_thinking(call, omni):
    _, message, _ = await watch(call, PRICE)
    (response,) = omni.store.responses.values()
    frames = [frame.parts for frame in response.plan.frames if frame.parts]

    thinking = {"thoughts": ["Fetching current market data for AAPL..."], "type": "thinking"}
    assert frames[0] == [thinking]
    assert frames[-1][-1] == thinking
    assert text_of(message["content"]).startswith("AAPL is currently trading at **$271.06**")
    assert {"label": "Compare to AMD", "prompt": {"prompt": "Compare that to AMD."}}.items() <= buttons_of(
        message["content"]
    )[0].items()


@pytest.mark.parametrize(("question", "ticker"), [("price of NVDA", "NVDA"), ("Quote for $brk.b?", "BRK.B")])
async def test_any_ticker_has_a_price(call, question, ticker):
    _, message, _ = await watch(call, question)

    assert re.match(rf"{re.escape(ticker)} is currently trading at \*\*\$[\d,.]+\*\*", text_of(message["content"]))


async def test_a_comparison_knows_what_was_talked_about(call):
    first = await call.ask("price of MSFT")
    await call.finish(first["response_id"])

    _, message, script = await watch(call, "Compare that to AMD.", thread=first["thread_id"])

    assert script == "compare_follow_up"
    assert text_of(message["content"]).startswith("Here is MSFT next to AMD:")
    assert "|---|---:|---:|" in text_of(message["content"])


@old
async def test_the_markets_have_a_table_and_the_documented_button(call):
    _, message, _ = await watch(call, MARKETS)

    assert text_of(message["content"]).startswith("**Pre-market as of 7:30 AM ET**\n\n| Index |")
    assert message["content"]["parts"][-1] == {
        "payload": {
            "actionButtons": [
                {
                    "buttonId": "btn_followup_0",
                    "label": "Check my positions",
                    "prompt": {"prompt": "What are my current positions?"},
                }
            ]
        },
        "type": "suggested_actions",
    }


async def test_deep_insights_think_in_four_steps_before_the_report(call, omni):
    asked = await research(call)
    frames = omni.store.responses[asked["response_id"]].plan.frames

    assert frames[1].parts == [
        {"text": "", "type": "text"},
        example("active_response")["data"]["content"]["parts"][1],
    ]
    assert [len(frame.parts[1]["thoughts"]) for frame in frames[1:5]] == [1, 2, 3, 4]
    assert frames[-1].at == 40
    response = await call.finish(asked["response_id"])
    report = text_of(response["content"])
    assert report.startswith("# Apple Inc. (AAPL): deep insights")
    assert report.count("\n## ") == 7
    assert "chart" in [part["type"] for part in response["content"]["parts"]]


async def test_a_failed_turn_keeps_its_partial_text_and_says_why(call):
    snapshots, message, _ = await watch(call, "break")

    error = {"code": "MODEL_UNAVAILABLE", "message": "The assistant could not finish this answer. Please try again."}
    assert snapshots[-1]["error"] == message["error"] == error
    assert text_of(message["content"]) == "Let me look at this from two sides. The first one is that"


async def test_a_refusal_is_polite_and_a_success(call):
    snapshots, message, _ = await watch(call, "insider tip")

    assert snapshots[-1]["status"] == "succeeded"
    assert text_of(message["content"]).startswith("I'm sorry, but I can't help")


async def test_the_long_report_is_longer_than_30_000_characters(call):
    _, message, _ = await watch(call, "long report")
    report = text_of(message["content"])

    assert len(report) > 30_000
    assert report.endswith("This is the end of the long report.")
    assert report.count("```") % 2 == 0
    assert "{" not in report.replace("{row['symbol']:<6} {row['weight']:>6.1%} {row['quarter']:>+6.1%}", "")


async def test_thinking_may_come_after_an_empty_text(call, omni):
    asked = await call.ask("think first")
    frames = omni.store.responses[asked["response_id"]].plan.frames

    assert frames[1].parts == [{"text": "", "type": "text"}]
    assert [part["type"] for part in frames[-1].parts] == ["text", "thinking"]


async def test_the_slow_one_takes_a_minute(call, omni):
    omni.pace = 1
    asked = await call.ask("slow")

    assert omni.store.responses[asked["response_id"]].plan.frames[-1].at == 60
    assert omni.active() == [asked["response_id"]]


@pytest.mark.parametrize(
    "danger",
    [
        "<!channel>",
        "<!here>",
        "<@U012AB3CD>",
        "<!subteam^S123>",
        "&lt;!channel&gt;",
        "[https://clearstreet.com](https://evil.example/?q=secret)",
        "[AAPL](ticker:AAPL)",
        "![x](https://evil.example/x.png)",
    ],
)
async def test_the_hostile_answer_is_hostile(call, danger):
    _, message, _ = await watch(call, "ping everyone")

    assert danger in text_of(message["content"])


async def test_many_buttons_are_of_every_kind(call):
    _, message, _ = await watch(call, "many buttons")
    buttons = buttons_of(message["content"])
    labels = [button["label"] for button in buttons]

    assert len(buttons) == 30
    assert max(map(len, labels)) == 200
    assert len(set(labels)) < 30
    assert any(not button.get("prompt") and not button.get("structuredAction") for button in buttons)


async def test_strange_parts_survive_the_wire(call):
    _, message, _ = await watch(call, "strange parts")

    assert [part["type"] for part in message["content"]["parts"]][:3] == ["hologram", "custom", "custom"]
    assert text_of(message["content"]) == "After the strange parts comes this plain text."


async def test_what_the_demo_does_not_know_it_repeats_as_text(call):
    _, message, _ = await watch(call, "hello {ticker} {question}")

    assert text_of(message["content"]).startswith("You asked: “hello {ticker} {question}”")
    assert buttons_of(message["content"])


async def test_scripted_time_is_multiplied_by_the_pace(call, omni):
    omni.pace = 0.1
    started = time.monotonic()
    await call.finish((await call.ask(PRICE))["response_id"])
    assert time.monotonic() - started >= 0.25

    omni.pace = 1000
    asked = await call.ask(PRICE)
    assert omni.active() == [asked["response_id"]]
    omni.pace = 0.0001
    assert (await call.finish(asked["response_id"]))["status"] == "succeeded"


class TestAddedScripts:
    @staticmethod
    def script(name, **extra):
        return {"name": name, "pattern": "price", "final": {"at": 0, "status": "succeeded", "parts": []}, **extra}

    async def test_the_newest_match_wins(self, call, omni):
        omni.add_script(self.script("older"))
        omni.add_script(self.script("newer"))
        omni.add_script(self.script("elsewhere", pattern="weather"))

        assert (await watch(call, PRICE))[2] == "newer"

    async def test_one_may_wait_for_another(self, call, omni):
        omni.add_script(self.script("second", follows="first"))
        omni.add_script(self.script("first", pattern="open sesame"))

        assert (await watch(call, PRICE))[2] == "price"
        first = await call.ask("open sesame")
        assert (await watch(call, PRICE, thread=first["thread_id"]))[2] == "second"

    async def test_values_of_the_pattern_and_the_account_are_filled_in(self, call, omni):
        payload = {"account": "{account_id}", "text": "{what} in {account_id}", "left": "{nothing}"}
        final = {"at": 0, "status": "succeeded", "parts": [{"type": "custom", "payload": payload}]}
        omni.add_script({"name": "x", "pattern": "buy (?P<what>\\w+)", "final": final})

        _, message, _ = await watch(call, "buy tea")

        filled = {"account": MAIN, "text": f"tea in {MAIN}", "left": "{nothing}"}
        assert message["content"]["parts"][0]["payload"] == filled

    @pytest.mark.parametrize(
        "broken",
        [
            {"final": {"at": 0, "status": "running"}},
            {"pattern": "("},
            {"snapshots": [{"at": 5, "parts": []}], "final": {"at": 1, "status": "succeeded"}},
            {"when": {"weather": True}},
        ],
    )
    async def test_a_script_that_cannot_be_performed_is_refused(self, omni, broken):
        with pytest.raises((ValueError, re.error)):
            omni.add_script({**self.script("broken"), **broken})
        with pytest.raises(ValueError, match="lacks"):
            omni.add_script({"name": "empty"})

    async def test_what_a_script_spells_out_itself_is_left_alone(self, call, omni, revision):
        part = {"type": "chart", "payload": {"chartId": "c", "clicked": True, "itemId": "i", "dataChart": None}}
        omni.add_script(self.script("own", final={"at": 0, "status": "succeeded", "parts": [part]}))

        assert (await watch(call, PRICE))[1]["content"]["parts"] == [part]


@new
async def test_no_ticker_no_insights(call):
    asked = await research(call, "???")
    response = await call.finish(asked["response_id"])

    assert text_of(response["content"]).startswith("I can't make out a ticker")
