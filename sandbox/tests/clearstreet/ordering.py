"""Placing orders with the emulator, and waiting for what becomes of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from sandbox.tests.clearstreet.conftest import MAIN, Caller

ORDERS = f"/accounts/{MAIN}/orders"
LIMIT: dict[str, Any] = {
    "symbol": "AAPL",
    "side": "BUY",
    "order_type": "LIMIT",
    "limit_price": "250.00",
    "quantity": "10",
    "time_in_force": "DAY",
}


async def place(call: Caller, account: int = MAIN, /, **changes: Any) -> dict[str, Any]:
    """Place an order that must be accepted: a purchase far below the market, but for the changes; None leaves out."""
    body = {name: value for name, value in {**LIMIT, **changes}.items() if value is not None}
    status, answer = await call("POST", f"/accounts/{account}/orders", json=[body])
    assert status == 200, answer
    order: dict[str, Any] = answer["data"][0]
    return order


async def look(call: Caller, id: str) -> dict[str, Any]:
    """The order as it stands."""
    status, answer = await call("GET", f"{ORDERS}/{id}")
    assert status == 200, answer
    order: dict[str, Any] = answer["data"]
    return order


async def until(call: Caller, id: str, wanted: str | Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The order, once it has this status or looks as wanted."""
    while True:
        order = await look(call, id)
        if order["status"] == wanted if isinstance(wanted, str) else wanted(order):
            return order
        await asyncio.sleep(0.005)


async def listed(call: Caller, **query: Any) -> list[dict[str, Any]]:
    """The account's orders."""
    status, answer = await call("GET", ORDERS, **query)
    assert status == 200, answer
    orders: list[dict[str, Any]] = answer["data"]
    return orders
