"""What there is to try: questions that Omni has a scripted answer to, one press each; every script has one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from omnibot.emulator.clearstreet.accounts import ANAS_KEY, BENS_KEY
from omnibot.emulator.slack.workspace import JSON


@dataclass(frozen=True, slots=True)
class Scenario:
    """One line of the drawer."""

    about: str
    #: What is typed.
    text: str
    #: The emulator's scripts that answer it; which one may depend on the account, its orders and the API's generation.
    scripts: tuple[str, ...] = ()
    #: Where: the channel one looks at, the thread that is open (after an answer there), or one's DM with Omni.
    place: Literal["channel", "thread", "dm"] = "channel"


_GROUPS: dict[str, tuple[Scenario, ...]] = {
    "First steps": (
        Scenario("a price, with a comparison one press away", "@Omni what is the price of AAPL?", ("price",)),
        Scenario("two stocks side by side", "@Omni compare AAPL to AMD", ("compare",)),
        Scenario(
            "the next question in the open thread, which Omni knows the first of",
            "compare that to NVDA",
            ("compare_follow_up",),
            "thread",
        ),
        Scenario(
            "the same where nothing was said before: Omni asks back",
            "@Omni compare that to NVDA",
            ("compare_to_what",),
        ),
        Scenario("a table, then “Check my positions” at a press", "@Omni how are the markets doing?", ("markets",)),
        Scenario("a direct message needs no mention", "what is the price of NVDA?", ("price",), "dm"),
        Scenario(
            "asked in a channel, answered in your DM; nobody else sees a thing",
            "/omni private what are my current positions?",
            ("positions", "positions_shared"),
        ),
        Scenario("anything else", "@Omni what should I look at today?", ("default",)),
        Scenario("what /omni can do; only you see the answer", "/omni help"),
    ),
    "Who is asking": (
        Scenario(
            f"link a key of your own: as Ana paste {ANAS_KEY} (two accounts), as Ben {BENS_KEY}; all else is refused",
            "/omni link",
        ),
        Scenario("choose the account your questions are about; with the shared key there is one", "/omni account"),
        Scenario("what you began, to open it or to go on with it here", "/omni threads"),
    ),
    "How answers come": (
        Scenario(
            "thinking comes after the first, empty text, and is gone when the answer is there",
            "@Omni think first, then answer",
            ("think_first",),
        ),
        Scenario(
            "an answer that takes its time: watch the status line, press Stop, or kill the bot meanwhile",
            "@Omni slow",
            ("slow",),
        ),
        Scenario(
            "deep insights: a minute of parallel analysis, step by step, then the report",
            "/omni research AAPL",
            ("deep_insights",),
        ),
        Scenario(
            "a report of 30 kB arrives whole and in order, over several messages",
            "@Omni write a long report on the market",
            ("long_report",),
        ),
    ),
    "Tables and charts": (
        Scenario("a small table", "@Omni show me a small table", ("table_small",)),
        Scenario("a table with more columns than fit", "@Omni show me a wide table", ("table_wide",)),
        Scenario("a table of 150 rows, which pages and sorts", "@Omni show me 150 rows", ("table_long",)),
        Scenario("a line chart", "@Omni draw a line chart", ("chart_line",)),
        Scenario("values below zero", "@Omni chart some negative values", ("chart_negative",)),
        Scenario("several series in one chart", "@Omni chart several series", ("chart_series",)),
        Scenario("more points than Slack's own charts take", "@Omni chart thousands of points", ("chart_thousands",)),
        Scenario("a chart of a single point", "@Omni chart a single point", ("chart_one_point",)),
        Scenario("a chart of nothing", "@Omni chart no points at all", ("chart_no_points",)),
    ),
    "Symbols and screens": (
        Scenario("a press shows a card with price and range", "@Omni open the AAPL chart", ("open_chart",)),
        Scenario("the same without a button for it", "@Omni a chart without a button", ("open_chart_alone",)),
        Scenario(
            "a symbol's chart, as each generation of the API sends it",
            "@Omni chart of TSLA over 3m",
            ("symbol_chart", "symbol_chart_later"),
        ),
        Scenario("a screen: a press shows its rows", "@Omni screen for large tech", ("open_screener",)),
        Scenario("a screen without filters", "@Omni screen everything", ("open_screener_all",)),
        Scenario("filters the API does not know", "@Omni screen for good vibes", ("open_screener_odd",)),
    ),
    "Account and orders": (
        Scenario(
            "account data, asked in a channel",
            "@Omni what are my current positions?",
            ("positions", "positions_shared"),
        ),
        Scenario("an order to buy at a limit", "@Omni buy 100 AAPL at $180", ("prefill_buy",)),
        Scenario("an order to buy at the market", "@Omni buy 10 NVDA at the market", ("prefill_market",)),
        Scenario("an order to sell", "@Omni sell 50 AAPL at $200", ("prefill_sell",)),
        Scenario("a short sale", "@Omni short 20 TSLA at $420", ("prefill_short",)),
        Scenario("options", "@Omni buy 2 AAPL calls", ("prefill_option",)),
        Scenario("two orders at once", "@Omni buy 10 AAPL and sell 5 MSFT", ("prefill_two",)),
        Scenario("one order of every type", "@Omni show every order type", ("prefill_every_type",)),
        Scenario(
            "another price for an open order; without one Omni says so",
            "@Omni change my AAPL order",
            ("prefill_modify", "prefill_modify_by_cancel", "prefill_modify_nothing"),
        ),
        Scenario(
            "an open order taken back; without one Omni says so",
            "@Omni cancel my AAPL order",
            ("prefill_cancel", "prefill_cancel_nothing"),
        ),
    ),
    "Trouble": (
        Scenario(
            "Omni breaks off; its words stay, the reason is said, and one can ask again",
            "@Omni please fail this",
            ("failure",),
        ),
        Scenario(
            "Omni declines, politely, and offers something else",
            "@Omni can you trade on insider news for me?",
            ("refusal",),
        ),
        Scenario(
            "Omni's words try to ping the channel and to disguise a link; they stay words",
            "@Omni ping everyone",
            ("hostile",),
        ),
        Scenario(
            "thirty suggestions, some longer than a button may be", "@Omni show me many buttons", ("many_buttons",)
        ),
        Scenario("a part of somebody's own making", "@Omni send a custom part", ("custom_part",)),
        Scenario(
            "parts no client knows yet: nothing breaks, nothing is hidden",
            "@Omni send strange parts",
            ("strange_parts",),
        ),
    ),
}


def all_scenarios() -> Iterator[tuple[str, Scenario]]:
    """Each, with the heading it stands under."""
    for group, members in _GROUPS.items():
        for scenario in members:
            yield group, scenario


def scenarios() -> list[JSON]:
    """All of them, as the drawer lists them: {name, group, about, text, place}."""
    return [
        {"name": one.text, "group": group, "about": one.about, "text": one.text, "place": one.place}
        for group, one in all_scenarios()
    ]
