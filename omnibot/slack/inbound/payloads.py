"""Models of what Slack delivers: the fields omnibot uses; all others are ignored."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator


class _Payload(BaseModel):
    # Errors end in logs; what people said must not.
    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


class SlackMessage(_Payload):
    """A message as it stands in Slack (Events API `message` and `app_mention`, and inside `message_changed`)."""

    ts: str
    type: str = "message"
    subtype: str | None = None
    user: str | None = None
    bot_id: str | None = None
    text: str = ""
    blocks: list[Any] = Field(default_factory=list)
    files: list[Any] = Field(default_factory=list)
    thread_ts: str | None = None
    team: str | None = None
    user_team: str | None = None
    edited: dict[str, Any] | None = None

    @property
    def edited_ts(self) -> str | None:
        """When it was last edited, as Slack's ts."""
        ts = self.edited.get("ts") if self.edited else None
        return ts if isinstance(ts, str) else None

    @field_validator("edited", mode="before")
    @classmethod
    def _rubbish_is_unedited(cls, value: Any) -> Any:
        return value if isinstance(value, dict) else None

    @field_validator("text", mode="before")
    @classmethod
    def _null_is_empty(cls, value: Any) -> Any:
        return value if isinstance(value, str) else ""

    @field_validator("blocks", "files", mode="before")
    @classmethod
    def _rubbish_is_none(cls, value: Any) -> Any:
        return value if isinstance(value, list) else []


class MessageEvent(SlackMessage):
    """The `event` of an Events API envelope for messages and mentions."""

    channel: str
    channel_type: str | None = None
    #: message_changed: how the message stands now and stood before.
    message: SlackMessage | None = None
    previous_message: SlackMessage | None = None
    #: message_deleted.
    deleted_ts: str | None = None


class SlashCommand(_Payload):
    """A slash command's form."""

    trigger_id: str
    user_id: str
    channel_id: str
    team_id: str
    enterprise_id: str | None = None
    text: str = ""


class _Id(_Payload):
    id: str


class _ClickUser(_Id):
    team_id: str | None = None


class _ClickTeam(_Id):
    enterprise_id: str | None = None


class SlackClick(_Payload):
    """A block_actions payload."""

    user: _ClickUser
    team: _ClickTeam | None = None
    enterprise: _Id | None = None
    channel: _Id | None = None
    trigger_id: str | None = None
    container: dict[str, Any] = Field(default_factory=dict)
    message: dict[str, Any] = Field(default_factory=dict)
    #: The modal or App Home it was in; empty for messages.
    view: dict[str, Any] = Field(default_factory=dict)


class ViewSubmission(_Payload):
    """A view_submission payload."""

    user: _ClickUser
    team: _ClickTeam | None = None
    enterprise: _Id | None = None
    view: dict[str, Any] = Field(default_factory=dict)


class SessionStopped(_Payload):
    """The `event` of an Events API envelope when somebody presses the agent's own Stop."""

    channel: str
    thread_ts: str
    user: str
    event_ts: str


class _Tokens(_Payload):
    bot: list[Any] = Field(default_factory=list)


class TokensRevoked(_Payload):
    """The `event` when tokens of the app cease to be valid: the bot's, or those of people."""

    tokens: _Tokens = Field(default_factory=_Tokens)


class _Enterprise(_Payload):
    enterprise_id: str | None = None


class _ChangedUser(_Id):
    team_id: str | None = None
    deleted: bool = False
    enterprise_user: _Enterprise | None = None


class UserChanged(_Payload):
    """The `event` when something about a person changes; `deleted` means deactivated."""

    user: _ChangedUser
