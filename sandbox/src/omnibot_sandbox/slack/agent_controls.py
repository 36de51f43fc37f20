"""What people do with the agent's sessions, and how long Slack lets things last."""

from __future__ import annotations

from omnibot_sandbox.slack import sessions, streams
from omnibot_sandbox.slack.workspace import JSON, TEAM_ID, Channel, User, Workspace


class AgentControls:
    """The Stop button, session titles and suggested prompts. Names or ids do for users and channels."""

    workspace: Workspace

    async def stop(self, user: str, channel: str, thread_ts: str) -> None:
        """Press Stop in a thread whose session is processing.

        Raises:
            LookupError: this person sees no Stop button there.
        """
        who, where = self._in(user, channel)
        session = self.workspace.sessions.get((where.id, thread_ts))
        if session is None or session["status"] != "processing" or not self.workspace.stop_subscribed:
            raise LookupError(f"there is no Stop button in {thread_ts} of #{where.name}")
        event = {
            "type": "agent_session_stopped",
            "channel": where.id,
            "thread_ts": thread_ts,
            "user": who.id,
            "streaming_message_ts": streams.stop_by_user(self.workspace, where, thread_ts),
        }
        self.workspace.on_event("agent_session_stopped", where, None, {"event": event})

    async def retitle(self, user: str, channel: str, thread_ts: str, title: str) -> None:
        """Give a session another title, as people may."""
        who, where = self._in(user, channel)
        session = self.workspace.sessions.get((where.id, thread_ts))
        if session is None:
            raise LookupError(f"there is no session in {thread_ts} of #{where.name}")
        before = {"previous_title": session["title"]} if "title" in session else {}
        sessions.retitle(self.workspace, where, thread_ts, title)
        event = {
            "type": "agent_session_title_changed",
            "channel": where.id,
            "thread_ts": thread_ts,
            "team_id": TEAM_ID,
            **before,
            "title": session["title"],
            "user": who.id,
        }
        self.workspace.on_event("agent_session_title_changed", where, None, {"event": event})

    @property
    def sessions(self) -> dict[tuple[str, str], JSON]:
        """Agent sessions by (channel id, thread_ts): status, title, initiator_user_id, when processing will lapse."""
        return self.workspace.sessions

    @property
    def prompts(self) -> dict[tuple[str, str | None], JSON]:
        """Suggested prompts by (channel id, thread_ts, or None at the top of the Messages tab): title and prompts."""
        return self.workspace.prompts

    @property
    def stop_subscribed(self) -> bool:
        """Whether the app subscribed to agent_session_stopped. Without: a warning, and no Stop button."""
        return self.workspace.stop_subscribed

    @stop_subscribed.setter
    def stop_subscribed(self, value: bool) -> None:
        self.workspace.stop_subscribed = value

    @property
    def stream_seconds(self) -> float:
        """Seconds from its start until a stream dies, whatever happens in it. Changes count for open streams too."""
        return self.workspace.stream_seconds

    @stream_seconds.setter
    def stream_seconds(self, seconds: float) -> None:
        self.workspace.stream_seconds = seconds
        streams.set_deadlines(self.workspace)

    def _in(self, user: str, channel: str) -> tuple[User, Channel]:
        who, where = self.workspace.user(user), self.workspace.channel(channel)
        if who.id not in where.members:
            raise LookupError(f"{who.name} is not in #{where.name}")
        return who, where
