"""A small app of somebody else's, for `omnibot emulator`: a command that opens a modal, a Home, a refused block.

/omni order     opens a modal, whose submission is checked, then answered with a second view
/omni bad       posts a block that Slack refuses
/omni silence   is never acknowledged
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

app = AsyncApp(client=AsyncWebClient(os.environ["SLACK_BOT_TOKEN"], base_url=os.environ["SLACK_API_URL"]))


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def option(text: str) -> dict[str, Any]:
    return {"text": plain(text), "value": text.lower()}


ORDER = {
    "type": "modal",
    "callback_id": "order",
    "title": plain("An order"),
    "submit": plain("Review"),
    "close": plain("Cancel"),
    "notify_on_close": True,
    "blocks": [
        {
            "type": "input",
            "block_id": "quantity",
            "label": plain("Quantity"),
            "element": {"type": "plain_text_input", "action_id": "value"},
        },
        {
            "type": "input",
            "block_id": "side",
            "label": plain("Side"),
            "element": {
                "type": "static_select",
                "action_id": "value",
                "placeholder": plain("Choose"),
                "options": [option("Buy"), option("Sell")],
            },
        },
        {
            "type": "actions",
            "block_id": "more",
            "elements": [{"type": "button", "action_id": "terms", "text": plain("Terms")}],
        },
    ],
}


def view(callback_id: str, title: str, words: str, **more: Any) -> dict[str, Any]:
    block = {"type": "section", "text": {"type": "mrkdwn", "text": words}}
    return {"type": "modal", "callback_id": callback_id, "title": plain(title), "blocks": [block], **more}


@app.command("/omni")
async def command(ack: Any, command: dict[str, Any], client: AsyncWebClient) -> None:
    if command["text"] == "silence":
        return
    await ack()
    if command["text"] == "order":
        await client.views_open(trigger_id=command["trigger_id"], view=ORDER)
    elif command["text"] == "bad":
        button = {"type": "button", "action_id": "x", "text": plain("x" * 90)}
        blocks = [{"type": "actions", "elements": [button]}]
        await client.chat_postMessage(channel=command["channel_id"], text="bad", blocks=blocks)


@app.action("terms")
async def terms(ack: Any, body: dict[str, Any], client: AsyncWebClient) -> None:
    await ack()
    await client.views_push(trigger_id=body["trigger_id"], view=view("terms", "Terms", "Be *careful*."))


@app.view("order")
async def ordered(ack: Any, view: dict[str, Any], body: dict[str, Any]) -> None:
    values = view["state"]["values"]
    quantity, side = values["quantity"]["value"]["value"], values["side"]["value"]["selected_option"]["value"]
    if not quantity.isdigit():
        await ack(response_action="errors", errors={"quantity": f"{quantity} is no number"})
    else:
        review = globals()["view"](
            "review", "Review", f"{side} *{quantity}*, {body['user']['name']}?", submit=plain("Send")
        )
        await ack(response_action="update", view=review)


@app.view("review")
async def reviewed(ack: Any, body: dict[str, Any], client: AsyncWebClient) -> None:
    await ack()
    await client.chat_postMessage(channel="C0TRADING1", text=f"<@{body['user']['id']}> sent an order")


@app.event("app_home_opened")
async def home(event: dict[str, Any], client: AsyncWebClient) -> None:
    if event["tab"] == "home":
        blocks = [{"type": "header", "text": plain("Welcome home")}]
        await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": blocks})


@app.view_closed("order")
async def closed(ack: Any) -> None:
    await ack()


@app.event("message")
async def message() -> None:
    """Nothing to do."""


async def main() -> None:
    await AsyncSocketModeHandler(app, os.environ["SLACK_APP_TOKEN"]).start_async()


if __name__ == "__main__":
    asyncio.run(main())
