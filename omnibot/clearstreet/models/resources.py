"""The API's resources. Only what nothing can be done without is required; the rest may be absent or rubbish."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import AliasChoices, Field, PlainValidator, TypeAdapter

from omnibot.clearstreet.models.enums import (
    AnyAccountStatus,
    AnyMessageOutcome,
    AnyMessageRole,
    AnyResponseStatus,
    MessageOutcome,
    ResponseStatus,
)
from omnibot.clearstreet.models.parts import Parts, TextPart, ThinkingPart
from omnibot.clearstreet.models.scalars import JSON, Flag, Identity, MaybeInteger, MaybeText, Moment, Text, Words

TERMINAL = frozenset({ResponseStatus.SUCCEEDED, ResponseStatus.FAILED, ResponseStatus.CANCELED})


@dataclass(frozen=True, slots=True)
class ErrorStatus:
    """Why a response or message failed; `code` is text here, unlike in the envelope (ErrorStatus, all revisions)."""

    code: str = ""
    message: str = ""
    details: Any = None


def _read_error(value: JSON) -> ErrorStatus | None:
    if value is None or isinstance(value, ErrorStatus):
        return value
    if not isinstance(value, dict):
        return ErrorStatus(details=value)
    code, message = (("" if value.get(name) is None else str(value[name])) for name in ("code", "message"))
    return ErrorStatus(code, message, value.get("details"))


MaybeError = Annotated[ErrorStatus | None, PlainValidator(_read_error)]


@dataclass(frozen=True, slots=True)
class Created:
    """A turn has begun (POST threads, POST threads/{id}/messages; all revisions)."""

    thread_id: str
    response_id: str
    user_message_id: str


@dataclass(frozen=True, slots=True)
class Response:
    """A snapshot of an answer in the making (GET responses/{id}, GET threads/{id}/response; all revisions).

    Only `status` says whether it is over: `output_message_id` may be there long before.
    """

    id: str
    status: AnyResponseStatus
    thread_id: Text = ""
    user_message_id: Text = ""
    parts: Parts = ()
    error: MaybeError = None
    output_message_id: MaybeText = None

    @property
    def terminal(self) -> bool:
        """No more will come. An unknown status is not terminal."""
        return self.status in TERMINAL

    @property
    def text(self) -> str:
        """All text parts in order, joined as they are."""
        return "".join([part.text for part in self.parts if isinstance(part, TextPart)])

    @property
    def thoughts(self) -> tuple[str, ...]:
        """All thinking lines in order."""
        return tuple(line for part in self.parts if isinstance(part, ThinkingPart) for line in part.thoughts)


@dataclass(frozen=True, slots=True)
class Message:
    """A finalised message (GET messages/{id}, GET threads/{id}/messages; all revisions).

    `seq` orders the messages of a thread. USER messages carry an outcome too, and from 2026-10 perhaps `context`.
    """

    id: str
    role: AnyMessageRole
    seq: int
    thread_id: Text = ""
    outcome: AnyMessageOutcome = MessageOutcome.COMPLETED
    parts: Parts = ()
    created_at: Moment = None
    error: MaybeError = None
    context: JSON = field(default=None, repr=False)

    @property
    def text(self) -> str:
        """All text parts in order, joined as they are."""
        return "".join([part.text for part in self.parts if isinstance(part, TextPart)])


@dataclass(frozen=True, slots=True)
class Thread:
    """A conversation's title and times, without its messages (GET threads, GET threads/{id}; all revisions)."""

    id: str
    title: Text = ""
    created_at: Moment = None
    updated_at: Moment = None


@dataclass(frozen=True, slots=True)
class Feedback:
    """Feedback was stored (POST messages/{id}/feedback; all revisions)."""

    created_at: Moment = None
    feedback_id: MaybeText = None


@dataclass(frozen=True, slots=True)
class Entitlement:
    """An active grant (GET and POST entitlements; `account_id` was `trading_account_id` in 2026-04)."""

    entitlement_id: str
    account_id: Annotated[Identity, Field(validation_alias=AliasChoices("account_id", "trading_account_id"))]
    entitlement_code: Text = ""
    agreement_id: Text = ""
    granted_at: Moment = None


@dataclass(frozen=True, slots=True)
class Agreement:
    """A document that can be signed (GET entitlement-agreements; all revisions)."""

    agreement_id: str
    agreement_key: str
    document_content: str
    document_sha256: str
    """Hex digest of `document_content` in UTF-8, to be checked by whoever shows it."""
    title: Text = ""
    version: MaybeInteger = None
    entitlement_codes: Words = ()


@dataclass(frozen=True, slots=True)
class EntitlementStatus:
    """Whether an entitlement is on for an account; on by default (GET entitlement-status, POST opt-out; 2026-10)."""

    account_id: Annotated[Identity, Field(validation_alias=AliasChoices("account_id", "trading_account_id"))]
    entitlement_code: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class Account:
    """A trading account (GET /v1/accounts; 2026-08 and later)."""

    id: Identity
    status: AnyAccountStatus
    short_name: Text = ""
    full_name: Text = ""
    type: Text = ""
    """CUSTOMER or OTHER."""
    subtype: Text = ""
    """CASH, MARGIN or OTHER."""
    options_level: MaybeInteger = None


@dataclass(frozen=True, slots=True)
class Canceled:
    """Answer to DELETE responses/{id}; false means that it was over already, which is a success."""

    canceled: Flag = False


@dataclass(frozen=True, slots=True)
class Revoked:
    """Answer to DELETE entitlements/{id}."""

    entitlement_id: Text = ""
    revoked: Flag = False


created = TypeAdapter(Created)
response = TypeAdapter(Response)
maybe_response: TypeAdapter[Response | None] = TypeAdapter(Response | None)
message = TypeAdapter(Message)
messages = TypeAdapter(list[Message])
thread = TypeAdapter(Thread)
threads = TypeAdapter(list[Thread])
feedback = TypeAdapter(Feedback)
entitlements = TypeAdapter(list[Entitlement])
agreements = TypeAdapter(list[Agreement])
entitlement_statuses = TypeAdapter(list[EntitlementStatus])
accounts = TypeAdapter(list[Account])
canceled = TypeAdapter(Canceled)
revoked = TypeAdapter(Revoked)
