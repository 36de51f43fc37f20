"""The reply writer on a real socket: our Slack emulator, slack_sdk's client, a real database."""

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from omnibot_sandbox.slack import Message, SlackEmulator
from slack_sdk.web.async_client import AsyncWebClient

from omnibot.charts import Charts
from omnibot.db.engine import Database, open_database
from omnibot.slack.app import open_client, open_session
from omnibot.slack.delivery.files import Pictures
from omnibot.slack.delivery.messages import Messages
from omnibot.slack.delivery.rate_limits import WriteBudget
from omnibot.slack.delivery.replies import SlackReply
from omnibot.turns.model import Kind, NewTurn, Person, Surface, Turn
from omnibot.turns.store import TurnStore


async def always_ours(_turn_id: str, _seconds: float) -> None:
    """The lease is fine."""


@dataclass
class Desktop:
    """One process's reply writer, and the Slack it writes to."""

    slack: SlackEmulator
    client: AsyncWebClient
    database: Database
    store: TurnStore
    reply: SlackReply
    charts: Charts

    def successor(self, budget: WriteBudget | None = None) -> SlackReply:
        """What another process would have: the same database, nothing in memory."""
        posts = Messages(self.client, self.database, assure=always_ours)
        return SlackReply(
            self.client, posts, budget or WriteBudget(), Pictures(self.client, self.database, self.charts)
        )

    def without_streams(self) -> None:
        """A workspace that knows no streams: drafts are posted, and drawn anew."""
        refused = {"ok": False, "error": "channel_type_not_supported"}
        self.slack.gate.refuse("chat.startStream", status=200, body=refused, count=1_000)

    async def turn(self, *, channel: str = "trading", user: str = "ana") -> Turn:
        """A turn whose question stands in Slack."""
        where = self.slack.workspace.channel(channel).id
        ts = await self.slack.say(user, channel, "@Omni hello")
        turn_id = await self.store.accept(
            NewTurn(
                source_key=f"message:{where}:{ts}",
                surface=Surface.MENTION,
                kind=Kind.INSTANT,
                team=self.slack.team_id,
                person=Person(self.slack.team_id, self.slack.workspace.user(user).id),
                channel=where,
                thread_ts=ts,
                message_ts=ts,
                event={},
            )
        )
        turn = await self.store.get(turn_id or "")
        assert turn is not None
        return turn

    def shown(self, turn: Turn) -> list[Message]:
        """The bot's messages in the turn's thread."""
        assert turn.thread_ts is not None
        return [m for m in self.slack.thread(turn.channel, turn.thread_ts) if m.user == self.slack.bot_user_id]

    def text(self, turn: Turn) -> str:
        return "\n".join(self.slack.visible_text(m) for m in self.shown(turn))


@pytest.fixture
async def desktop(tmp_path: Path, migrated: Path) -> AsyncIterator[Desktop]:
    shutil.copyfile(migrated, tmp_path / "replies.sqlite3")
    database = await open_database(f"sqlite:///{tmp_path}/replies.sqlite3")
    async with SlackEmulator() as slack, open_session() as session:
        client = open_client(session, token=slack.bot_token, api_url=slack.api_url)
        charts = Charts()
        posts = Messages(client, database, assure=always_ours)
        reply = SlackReply(client, posts, WriteBudget(), Pictures(client, database, charts))
        yield Desktop(slack, client, database, TurnStore(database, "this"), reply, charts)
        await reply.close()
        await charts.close()
    await database.close()
