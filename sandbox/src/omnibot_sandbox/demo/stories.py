"""The stories: what people do, and which calls at Clear Street must follow.

What must be read in Slack of an answer stands in no story: it is what the emulated Omni finally said.
"""

from __future__ import annotations

from omnibot_sandbox.clearstreet.accounts import BENS_KEY
from omnibot_sandbox.demo.order_stories import ORDER_STORIES
from omnibot_sandbox.demo.steps import (
    NEW,
    NEXT,
    SIGN,
    Command,
    Link,
    Press,
    Refused,
    Say,
    Sign,
    Story,
    Teach,
    Withhold,
)

_MENDED = {
    "name": "mended",
    "pattern": r"\bfail this\b",
    "snapshots": [{"at": 0.4, "reveal": 0.5, "thoughts": ["Looking into it again..."]}],
    "final": {
        "at": 1.5,
        "status": "succeeded",
        "parts": [{"type": "text", "text": "Now it worked: the **second** side is the better one."}],
    },
}

STORIES: dict[str, Story] = {
    story.name: story
    for story in (
        Story(
            "first-answer",
            "a mention asks for a price; the suggested comparison is one press away",
            (Say("ana", "trading", "@Omni what is the price of AAPL?"), Press("ana", "Compare to AMD")),
            (*NEW, *NEXT),
        ),
        Story(
            "markets",
            "a table in the channel, then “Check my positions” at a press",
            (Say("ana", "trading", "@Omni how are the markets doing today?"), Press("ana", "Check my positions")),
            (*NEW, *NEXT),
        ),
        Story(
            "deep-insight",
            "/omni research: a minute of parallel analysis, step by step, then the report",
            (Command("ana", "research", "research AAPL"),),
        ),
        Story(
            "failure",
            "Omni breaks off; its words stay, the reason is said, and asking again works",
            (
                Say("ana", "trading", "@Omni please fail this"),
                Teach(_MENDED),
                Press("ana", r"ask again|try again|retry"),
            ),
            (*NEW, *NEXT),
        ),
        Story(
            "long",
            "a report of 30 kB arrives whole and in order, over several messages",
            (Say("ben", "research", "@Omni write a long report on the market"),),
        ),
        Story(
            "hostile",
            "Omni's words try to ping the channel and to disguise a link; they stay words",
            (Say("ana", "trading", "@Omni ping everyone"),),
        ),
        Story(
            "think-first",
            "thinking comes after the first, empty text, and is gone when the answer is there",
            (Say("ana", "trading", "@Omni think first, then answer"),),
        ),
        Story(
            "many-buttons",
            "thirty suggestions, some longer than a button may be",
            (Say("ana", "trading", "@Omni show me many buttons"), Press("ana", "Choice number 30")),
            (*NEW, *NEXT),
        ),
        Story(
            "refusal",
            "Omni declines, politely, and offers something else",
            (Say("ben", "trading", "@Omni can you trade on insider news for me?"), Press("ben", "Price of AAPL")),
            (*NEW, *NEXT),
        ),
        Story(
            "dm",
            "a direct message needs no mention, nor does the follow-up in its thread",
            (
                Say("ben", "dm", "what is the price of NVDA?"),
                Say("ben", "dm", "compare that to AMD", reply=True),
            ),
            (*NEW, *NEXT),
        ),
        Story(
            "consent",
            "Omni may not see the account: Ana reads the agreement and signs, and her question is answered",
            (Withhold("demo-key", 19816), Say("ana", "dm", "what are my current positions?"), Sign("ana")),
            (*NEW, *SIGN, *NEXT),
        ),
        Story(
            "another-button",
            "Ben presses a button below Ana's answer: it is his question, asked with his own key about his own account",
            (
                Link("ben", "trading", BENS_KEY),
                Say("ana", "trading", "@Omni how are the markets doing today?"),
                Press("ben", "Check my positions"),
                Link("ben", "trading"),
            ),
            (*NEW, *NEW),
        ),
        Story(
            "outsider",
            "Dan, of another company, asks in the shared channel and presses Ana's button: both are refused, privately",
            (
                Refused(Say("dan", "client-desk", "@Omni what is the price of AAPL?"), "full members"),
                Say("ana", "client-desk", "@Omni what is the price of AAPL?"),
                Refused(Press("dan", "Compare to AMD"), "full members"),
            ),
        ),
        Story(
            "public-channel",
            "positions asked for in a public channel: Omni is asked without an account, so there is nothing to tell",
            (Say("ana", "research", "@Omni what are my current positions?"),),
        ),
        Story(
            "private",
            "/omni private in a channel is answered in the asker's DM, and nobody else sees a thing",
            (Command("ana", "trading", "private what are my current positions?", answered_in="dm"),),
        ),
        *ORDER_STORIES,
    )
}
