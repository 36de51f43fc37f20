"""What the page may send: one model a verb, checked before anything is done."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from omnibot_sandbox.clearstreet.market import Condition, Phase

_TS = r"^\d{1,10}\.\d{1,6}$"


class Form(BaseModel):
    """Something one of the people did."""

    model_config = ConfigDict(extra="forbid", strict=True)

    user: Literal["ana", "ben", "cleo", "dan"]


class ChannelForm(Form):
    """Something done in a channel, or in one's DM with the bot."""

    channel: str


class SayForm(ChannelForm):
    """A typed message."""

    text: str = Field(min_length=1, max_length=12_000)
    thread_ts: str | None = None


class CommandForm(ChannelForm):
    """A typed slash command."""

    command: str = Field(pattern=r"^/\S+$", max_length=40)
    text: str = Field(max_length=3_000)


class MessageForm(ChannelForm):
    """Something done to a message: deleted, or one's own ephemeral dismissed."""

    ts: str = Field(pattern=_TS)


class EditForm(MessageForm):
    """A message of one's own, typed anew."""

    text: str = Field(min_length=1, max_length=12_000)


class ReactForm(MessageForm):
    """A reaction put on a message, or taken away."""

    name: str = Field(pattern=r"^[a-z0-9_+'-]+$", max_length=60)
    on: bool


class ReadForm(MessageForm):
    """How far somebody has read a channel, or a thread."""

    thread_ts: str | None = None


class StopForm(ChannelForm):
    """The Stop button of a thread the bot is at work in."""

    thread_ts: str = Field(pattern=_TS)


class PressForm(Form):
    """A press or choice on something interactive, in a message or in a view.

    `value` is what Slack adds to the action for such an element, `state` what the inputs around it hold.
    """

    channel: str | None = None
    ts: str | None = None
    view_id: str | None = None
    block_id: str
    action_id: str
    value: dict[str, Any] = Field(default_factory=dict)
    state: dict[str, Any] | None = None
    #: The dialog that was confirmed: what `/dialog` returned.
    dialog: str | None = None


class DialogForm(Form):
    """A button that asks first was pressed, and its dialog is open."""

    channel: str | None = None
    ts: str | None = None
    view_id: str | None = None
    block_id: str
    action_id: str


class SubmitForm(Form):
    """A modal submitted with what its inputs hold: `state.values` as Slack writes it."""

    view_id: str
    values: dict[str, Any]


class CloseForm(Form):
    """A modal closed: by its button, or with `clear` by the cross, and then all that lie below it too."""

    view_id: str
    clear: bool = False


class HomeForm(Form):
    """The app opened, on one of its tabs."""

    tab: Literal["home", "messages"]


class DismissForm(Form):
    """A refusal somebody has read."""

    refusal: int


class FaultForm(BaseModel):
    """A fault for one side: which calls, what befalls them, and which of those."""

    model_config = ConfigDict(extra="forbid", strict=True)

    side: Literal["slack", "clear-street"]
    pattern: str = Field(min_length=1, max_length=200)
    kind: Literal["delay", "refuse", "drop", "reset", "silence", "truncate", "wrong-json"]
    #: "before": the call never took effect; "after": it did, and only its answer suffers.
    point: Literal["before", "after"] = "before"
    seconds: float = Field(default=1.0, ge=0, le=60)
    jitter: float = Field(default=0.0, ge=0, le=60)
    #: Bytes of the answer's body that still get out, where it is cut off.
    after: int = Field(default=20, ge=0, le=100_000)
    status: int = Field(default=500, ge=200, le=599)
    retry_after: int | None = Field(default=None, ge=0, le=120)
    #: Slack only: the error its answer names; without one, what its front servers say with this status.
    error: str | None = Field(default=None, pattern=r"^[a-z_]{1,60}$")
    #: Which of the fitting calls: all of them, the next `number`, every `number`th, or by chance.
    when: Literal["always", "next", "every", "sometimes"] = "always"
    number: int = Field(default=1, ge=1, le=1000)
    probability: float = Field(default=0.5, ge=0, le=1)


class RuleForm(BaseModel):
    """What shall become of a fault in force."""

    model_config = ConfigDict(extra="forbid", strict=True)

    side: Literal["slack", "clear-street"]
    id: int
    #: "let-go" and "hang-up" are for the calls it keeps without an answer.
    action: Literal["enable", "disable", "remove", "let-go", "hang-up"]


class LineForm(BaseModel):
    """What the whole line to one side does to every connection on it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    side: Literal["slack", "clear-street"]
    mode: Literal["pass", "latency", "reset", "blackhole", "truncate", "refuse"]
    #: Seconds that each piece is late, and bytes of answers after which a connection closes.
    seconds: float = Field(default=1.0, ge=0, le=60)
    after: int = Field(default=500, ge=0, le=1_000_000)


class SwitchForm(BaseModel):
    """A switch of the surroundings, set."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Literal["rate_limits", "duplicates", "out_of_order", "hold_events", "pace", "stream_seconds", "revision"]
    value: bool | float | str


class ExchangeForm(BaseModel):
    """How the exchange shall be; what is not said stays."""

    model_config = ConfigDict(extra="forbid", strict=True)

    #: What `plan`, `condition` and `move` are about; "*": everything (but nothing moves everything).
    symbol: str = Field(default="*", pattern=r"^(\*|[A-Z0-9. ]{1,21})$")
    #: What becomes of orders sent from now on (`order_plans`); "" has them meet the market.
    plan: str | None = Field(default=None, max_length=60)
    condition: Condition | None = None
    #: By so many percent the price moves from where it is, evenly in so many seconds.
    move: float | None = Field(default=None, ge=-90, le=500)
    over: float = Field(default=0.0, ge=0, le=600)
    phase: Phase | None = None
    #: Seconds after which an accepted order can be found.
    list_lag: float | None = Field(default=None, ge=0, le=120)


class ActionForm(BaseModel):
    """Something done once to the bot or its connections."""

    model_config = ConfigDict(extra="forbid", strict=True)

    action: Literal[
        "kill", "restart", "start", "tear-sockets", "refresh-sockets", "clear-calls", "clear-faults", "mend"
    ]
