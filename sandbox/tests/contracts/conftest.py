"""An emulator in the revision the test names, and a caller that speaks plain JSON to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from omnibot_sandbox.clearstreet.server import ClearStreetEmulator

KEY, MAIN = "demo-key", 19816
#: Every kind of part and action the API documents for messages.
ORDER = {
    "order_type": "LIMIT",
    "quantity": "10",
    "side": "BUY",
    "symbol": "AAPL",
    "time_in_force": "DAY",
    "limit_price": "190.10",
}
TARGET = {"account_id": MAIN, "order_id": "019dfd73-8b49-7d21-8d62-a736fc4199d2"}
ACTIONS: list[dict[str, Any]] = [
    {"prefill_order": {"action_type": "NEW", "orders": [ORDER]}},
    {"prefill_order": {"action_type": "CANCEL", "orders": [TARGET]}},
    {"prefill_order": {"action_type": "MODIFY", "orders": [{**TARGET, "limit_price": "178.00"}]}},
    {"open_chart": {"symbol": "AAPL", "timeframe": "1M", "extras": {"overlays": ["sma"]}}},
    {
        "open_screener": {
            "filters": [{"field": "market_cap", "operator": "gte", "value": 10_000_000_000}],
            "columns": ["symbol", "price"],
            "sort_by": "price",
            "sort_direction": "DESC",
            "page_size": 20,
        }
    },
    {
        "open_entitlement_consent": {
            "agreement_key": "omni_account_data_access",
            "reason": "To see your positions.",
            "entitlement_codes": ["omni.account_data"],
            "account_ids": [MAIN],
        }
    },
]
BUTTONS = [
    {"buttonId": "b1", "label": "More", "prompt": {"prompt": "Tell me more"}},
    {"buttonId": "b2", "label": "Do it", "structuredAction": {"actionId": "019dbb03-cf40-7a11-8c55-0d6a5f1b2c30"}},
    {"buttonId": "b3", "label": "Nothing"},
]
SERIES = [{"name": "Revenue", "points": [{"x": "Q1", "y": 100}, {"x": "Q2", "y": 150.5}]}]


def everything(actions: list[dict[str, Any]]) -> dict[str, Any]:
    """A script whose answer to "everything" holds every kind of part, with these actions."""
    ids = [f"019dbb03-cf40-7a11-8c55-0d6a5f1b2c3{number}" for number in range(len(actions))]
    parts: list[dict[str, Any]] = [
        {"type": "text", "text": "Here is everything."},
        *({"type": "structured_action", "action_id": id, "action": one} for id, one in zip(ids, actions, strict=True)),
        {
            "type": "chart",
            "payload": {"chartId": "c", "dataChart": {"series": SERIES}, "actionButtons": BUTTONS},
        },
        {"type": "custom", "payload": {"anything": [1, None, {"x": 2.5}]}},
        {"type": "suggested_actions", "payload": {"actionButtons": BUTTONS}},
    ]
    return {
        "name": "everything",
        "pattern": "^everything$",
        "snapshots": [{"at": 0.2, "reveal": 0.5, "thoughts": ["Looking…"]}],
        "final": {"at": 1, "status": "succeeded", "parts": parts, "thoughts": ["Looking…"]},
    }


class Caller:
    """The demo key, calling an emulator; `seen` has every call and its answer."""

    def __init__(self, emulator: ClearStreetEmulator, session: aiohttp.ClientSession) -> None:
        self.emulator = emulator
        self.session = session
        self.seen: list[tuple[str, int, Any]] = []

    async def __call__(
        self, method: str, path: str, *, json: Any = None, data: str | None = None, **query: Any
    ) -> tuple[int, Any]:
        """Status and body of one call; keywords are the query string."""
        url, headers = f"{self.emulator.base_url}/v1{path}", {"Authorization": f"Bearer {KEY}"}
        async with self.session.request(method, url, json=json, data=data, params=query, headers=headers) as answer:
            status, body = answer.status, await answer.json()
        self.seen.append((self.emulator.calls[-1].name, status, body))
        return status, body

    async def ask(self, text: str, thread: str | None = None, **extra: Any) -> dict[str, str]:
        """Ask a question that must be accepted."""
        body = {"account_id": MAIN, "text": text, **extra}
        if thread is None:
            body.setdefault("type", "instant")
        path = "/omni-ai/threads" if thread is None else f"/omni-ai/threads/{thread}/messages"
        status, answer = await self("POST", path, json=body)
        assert status == 200, answer
        data: dict[str, str] = answer["data"]
        return data

    async def finish(self, asked: dict[str, str]) -> dict[str, Any]:
        """The response, once it is over; every snapshot on the way is seen."""
        while True:
            _, answer = await self("GET", f"/omni-ai/responses/{asked['response_id']}", account_id=MAIN)
            if answer["data"]["status"] not in ("queued", "running"):
                data: dict[str, Any] = answer["data"]
                return data
            await asyncio.sleep(0.005)


def actions_of(revision: str) -> list[dict[str, Any]]:
    """The actions a revision has; the emulator puts them into its words. 2026-04 cannot modify orders."""
    return [ACTIONS[0], ACTIONS[1], *ACTIONS[3:]] if revision == "2026-04" else ACTIONS


@pytest.fixture
def revision() -> str:
    """The revision; a module overrides this."""
    raise NotImplementedError


@pytest.fixture
async def emulator(revision: str) -> AsyncIterator[ClearStreetEmulator]:
    one = ClearStreetEmulator(revision=revision, pace=0.02)
    # Outlasts any machine: what must still be running is, until somebody stops it.
    parts = [{"type": "text", "text": "That was slow."}]
    one.add_script(
        {"name": "endless", "pattern": "^slow", "final": {"at": 10**6, "status": "succeeded", "parts": parts}}
    )
    one.add_script(everything(actions_of(revision)))
    await one.start()
    yield one
    await one.close()


@pytest.fixture
async def call(emulator: ClearStreetEmulator) -> AsyncIterator[Caller]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session:
        yield Caller(emulator, session)
