"""What there is to try: questions that Omni has a scripted answer to, one press each; every script has one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from omnibot_sandbox.clearstreet.accounts import ANAS_KEY, BENS_KEY
from omnibot_sandbox.slack.workspace import JSON


@dataclass(frozen=True, slots=True)
class Scenario:
    """One line of the drawer."""

    about: str
    #: What is typed.
    text: str
    #: The emulator's scripts that answer it; which one may depend on the account, its orders and the API's revision.
    scripts: tuple[str, ...] = ()
    #: Where: the channel one looks at, the thread that is open (after an answer there), or one's DM with Omni.
    place: Literal["channel", "thread", "dm"] = "channel"
    #: What is done backstage before it is typed: {verb, form}.
    before: tuple[JSON, ...] = ()
    #: What to press then, and as whom.
    then: str = ""


def _exchange(**form: Any) -> tuple[JSON, ...]:
    return ({"verb": "exchange", "form": form},)


def _fault(**form: Any) -> tuple[JSON, ...]:
    return ({"verb": "fault", "form": {"side": "clear-street", **form}},)


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
            ("positions", "positions_shared", "positions_unshared"),
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
        Scenario("what Omni may see: opt out, ask for your positions, read and sign, or not", "/omni consent"),
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
            "a symbol's chart, as each revision of the API sends it",
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
            ("positions", "positions_shared", "positions_unshared"),
        ),
        Scenario(
            "an order to buy at a limit, filled at once",
            "@Omni buy 10 AAPL at $275",
            ("prefill_buy",),
            then="Press Review the order, then Approve on its card; Edit first, if you like.",
        ),
        Scenario(
            "an order that two people must approve, for it is worth more than $25,000",
            "@Omni buy 200 AAPL at $275",
            ("prefill_buy",),
            then="As Ana press Review the order, then Approve; as Ben, top left, press Approve too, or Decline.",
        ),
        Scenario("an order to buy at the market", "@Omni buy 10 NVDA at the market", ("prefill_market",)),
        Scenario("an order to sell", "@Omni sell 50 AAPL at $265", ("prefill_sell",)),
        Scenario(
            "a price too far from the market: the rules say no",
            "@Omni buy 50 AAPL at $400",
            ("prefill_buy",),
            then="Press Review the order, then Approve: you alone read why not. Edit the limit, and it can be sent.",
        ),
        Scenario("a short sale", "@Omni short 20 TSLA at $410", ("prefill_short",)),
        Scenario("options", "@Omni buy 2 AAPL calls", ("prefill_option",)),
        Scenario(
            "two orders at once",
            "@Omni buy 10 AAPL and sell 5 MSFT",
            ("prefill_two",),
            then="Press Review both orders, then Approve all below the cards; or decide on each by itself.",
        ),
        Scenario("one order of every type", "@Omni show every order type", ("prefill_every_type",)),
        Scenario(
            "an order that is filled slowly, in five parts",
            "@Omni buy 100 KO at $72",
            ("prefill_buy",),
            before=_exchange(symbol="KO", plan="slowly"),
            then="Press Review the order, then Approve, and watch its card.",
        ),
        Scenario(
            "an order filled in part, which one changes or cancels",
            "@Omni buy 50 DIS at $113",
            ("prefill_buy",),
            before=_exchange(symbol="DIS", plan="partial"),
            then="Press Review the order, then Approve; then Change order… or Cancel order…, and approve that too.",
        ),
        Scenario(
            "an order that is filled before it can be canceled",
            "@Omni buy 30 NKE at $66",
            ("prefill_buy",),
            before=_exchange(symbol="NKE", plan="too_late_to_cancel"),
            then="Press Review the order, then Approve; then Cancel order…, and approve that card.",
        ),
        Scenario(
            "an order that Clear Street refuses: its code, in plain words",
            "@Omni buy 20 ORCL at $222",
            ("prefill_buy",),
            before=_exchange(symbol="ORCL", plan="refuse:BUYING_POWER"),
            then="Press Review the order, then Approve.",
        ),
        Scenario(
            "an order that the venue rejects after it was accepted",
            "@Omni buy 20 QCOM at $169",
            ("prefill_buy",),
            before=_exchange(symbol="QCOM", plan="reject"),
            then="Press Review the order, then Approve.",
        ),
        Scenario(
            "Clear Street takes an order and its answer is lost: it is found again, and not sent twice",
            "@Omni buy 15 JPM at $312",
            ("prefill_buy",),
            before=_fault(pattern="POST *orders", kind="drop", point="after", when="next"),
            then="Press Review the order, then Approve, and watch the card and the calls.",
        ),
        Scenario(
            "the same where it is not listed for ten seconds",
            "@Omni buy 15 WMT at $108",
            ("prefill_buy",),
            before=(
                *_exchange(list_lag=10),
                *_fault(pattern="POST *orders", kind="drop", point="after", when="next"),
            ),
            then="Press Review the order, then Approve. Exchange, above, has orders found at once again.",
        ),
        Scenario(
            "an order that is lost on its way: not placed, and approved again by hand",
            "@Omni buy 15 HD at $374",
            ("prefill_buy",),
            before=_fault(pattern="POST *orders", kind="drop", when="next"),
            then="Press Review the order, then Approve. After half a minute press Approve again.",
        ),
        Scenario(
            "Clear Street says that it has this order already (409), as it does when a call comes twice",
            "@Omni buy 15 UNH at $325",
            ("prefill_buy",),
            before=_fault(pattern="POST *orders", kind="refuse", status=409, point="after", when="next"),
            then="Press Review the order, then Approve: it is looked up, and not sent twice.",
        ),
        Scenario(
            "a quote that moves away while one reads the card",
            "@Omni buy 10 NFLX at $112",
            ("prefill_buy",),
            before=_exchange(symbol="NFLX", move=6, over=20),
            then="Press Review the order and wait a little, then Approve: it rests at its limit.",
        ),
        Scenario(
            "no quote at all: nothing is sent blindly",
            "@Omni buy 10 CRM at $264",
            ("prefill_buy",),
            before=_exchange(symbol="CRM", condition="null"),
            then="Press Review the order, then Approve: you alone read why not. Exchange, above, brings prices back.",
        ),
        Scenario(
            "a market that is closed: the card says so, and orders wait for it to open",
            "@Omni buy 10 V at $335",
            ("prefill_buy",),
            before=_exchange(phase="closed"),
            then="Press Review the order. Exchange, above, opens the market again.",
        ),
        Scenario("your open orders and today's; only you see them", "/omni orders"),
        Scenario("nobody's order is sent any more", "/omni halt", then="Approve an order now, and read why not."),
        Scenario("orders are sent again", "/omni resume"),
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
    """All of them, as the drawer lists them: {name, group, about, text, place, before, then}."""
    return [
        {
            "name": one.text,
            "group": group,
            "about": one.about,
            "text": one.text,
            "place": one.place,
            "before": list(one.before),
            "then": one.then,
        }
        for group, one in all_scenarios()
    ]
