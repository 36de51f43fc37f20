"""The API's envelope `{data, error, metadata}`: bytes in, data or the right error out. No IO.

Source: BaseResponse, ApiError and ResponseMetadata, all revisions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from omnibot.clearstreet.models.scalars import JSON, decode
from omnibot.errors import (
    ClearStreetError,
    Conflict,
    Incomplete,
    Invalid,
    Malformed,
    NotEntitled,
    NotFound,
    RateLimited,
    Unauthorised,
    Unavailable,
)

T = TypeVar("T")

_BY_STATUS: dict[int, type[ClearStreetError]] = {
    401: Unauthorised,
    403: NotEntitled,
    404: NotFound,
    409: Conflict,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer, its data not yet read."""

    status: int
    data: JSON
    request_id: str | None = None
    next_page_token: str | None = None
    previous_page_token: str | None = None

    def read(self, adapter: TypeAdapter[T]) -> T:
        """The data as a value. Raises Malformed when what we cannot work without is missing."""
        try:
            return adapter.validate_python(self.data)
        except ValidationError:
            pass  # its text repeats the data, which may be a person's account: drop it
        raise Malformed(request_id=self.request_id, status=self.status)

    def read_whole(self, adapter: TypeAdapter[T]) -> T:
        """As `read`, of an endpoint that has no pages. Raises Incomplete when it has some after all."""
        if self.next_page_token is not None:
            raise Incomplete(request_id=self.request_id, status=self.status)
        return self.read(adapter)


def open_envelope(status: int, body: bytes, *, header_id: str | None = None) -> Answer:
    """The answer inside a 2xx.

    Args:
        status: HTTP status, 200 to 299.
        body: the bytes of the answer.
        header_id: the `x-request-id` header, for envelopes that do not say.

    Raises:
        Malformed: this is not the envelope.
    """
    try:
        envelope = decode(body)
    except ValueError:
        envelope = None
    if not isinstance(envelope, dict) or not ("data" in envelope or isinstance(envelope.get("metadata"), dict)):
        raise Malformed(request_id=header_id, status=status)
    metadata = envelope.get("metadata")
    if not isinstance(metadata, dict):
        return Answer(status, envelope["data"], header_id)
    return Answer(
        status,
        envelope.get("data"),
        _text(metadata.get("request_id")) or header_id,
        _text(metadata.get("next_page_token")),
        _text(metadata.get("previous_page_token")),
    )


def error_of(status: int, body: bytes, *, retry_after: float, header_id: str | None = None) -> ClearStreetError:
    """The error that an answer other than 2xx stands for; always one of the tree in `omnibot.errors`.

    Args:
        status: HTTP status.
        body: the bytes of the answer, which need not be JSON.
        retry_after: seconds, used for 429 only.
        header_id: the `x-request-id` header, for bodies that do not say.
    """
    try:
        envelope = decode(body)
    except ValueError:
        envelope = None
    error = _object(envelope, "error")
    context: dict[str, Any] = {
        "request_id": _text(_object(envelope, "metadata").get("request_id")) or header_id,
        "status": status,
        "api_message": _text(error.get("message")),
        "details": error.get("details"),
    }
    if status == 429:
        return RateLimited(retry_after=retry_after, **context)
    if 400 <= status < 500:
        return _BY_STATUS.get(status, Invalid)(**context)
    return (Unavailable if status >= 500 else Malformed)(**context)


def _object(value: JSON, name: str) -> dict[str, Any]:
    inner = value.get(name) if isinstance(value, dict) else None
    return inner if isinstance(inner, dict) else {}


def _text(value: JSON) -> str | None:
    return value if isinstance(value, str) and value else None
