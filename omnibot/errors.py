"""Every error that omnibot raises on purpose.

    OmnibotError                    `str(error)` is a sentence a person may read
    ├── SettingsError               the operator's settings cannot work; says which and how to mend it
    ├── OwnershipLost               another instance owns this row now: drop it, write nothing
    └── ClearStreetError            the API did not do what was asked (carries `request_id`, `status`)
        ├── Unavailable             no answer, or 5xx: the outcome of a write is unknown
        │   ├── Malformed           an answer that is not the API's envelope: also unknown for writes
        │   └── Incomplete          a list was not read to its end: what it does not show may exist all the same
        ├── RateLimited             429: not done; `retry_after` seconds
        ├── Unauthorised            401: the key is wrong, expired or revoked
        ├── NotEntitled             403: the key is good, but may not do or see this
        ├── NotFound                404
        ├── Conflict                409
        └── Invalid                 400, 422 and every other 4xx: `api_message` holds the API's own words

Docstrings of the leaves are the sentences people see when nothing more exact is known.
"""

from __future__ import annotations

from typing import Any


class OmnibotError(Exception):
    """Something went wrong inside omnibot."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())


class SettingsError(OmnibotError):
    """The settings cannot work."""


class OwnershipLost(OmnibotError):
    """Another instance has taken this over."""


class ClearStreetError(OmnibotError):
    """Clear Street could not do this.

    Args:
        message: a sentence for a person; the class docstring's first line when absent.
        request_id: the API's `metadata.request_id`, to quote to its support. None when there was no answer.
        status: HTTP status, None when there was no answer.
        api_message: the API's own `error.message`.
        details: the API's own `error.details`, unparsed.
    """

    def __init__(
        self,
        message: str | None = None,
        *,
        request_id: str | None = None,
        status: int | None = None,
        api_message: str | None = None,
        details: Any = None,
    ) -> None:
        super().__init__(message or (type(self).__doc__ or "").split("\n")[0].strip())
        self.request_id = request_id
        self.status = status
        self.api_message = api_message
        self.details = details


class Unavailable(ClearStreetError):
    """Clear Street is not answering right now."""


class Malformed(Unavailable):
    """Clear Street sent an answer that could not be read."""


class Incomplete(Unavailable):
    """Clear Street lists more than could be read, so that it is not known what else there is."""


class RateLimited(ClearStreetError):
    """Clear Street asks us to slow down."""

    def __init__(self, message: str | None = None, *, retry_after: float, **context: Any) -> None:
        super().__init__(message, **context)
        #: Seconds the API asks us to wait.
        self.retry_after = retry_after


class Unauthorised(ClearStreetError):
    """Clear Street does not accept the API key."""


class NotEntitled(ClearStreetError):
    """The API key may not do this, or not for this account."""


class NotFound(ClearStreetError):
    """Clear Street does not know this thread, message or response."""


class Conflict(ClearStreetError):
    """Omni is still busy with an earlier question of this conversation."""


class Invalid(ClearStreetError):
    """Clear Street did not accept the request."""
