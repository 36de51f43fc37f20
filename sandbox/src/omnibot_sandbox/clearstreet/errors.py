"""What the API says when it says no."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

#: Said for an account that is not the caller's.
FORBIDDEN = "The caller does not have permission to execute the specified operation"
#: Said while a thread already answers.
ACTIVE = "thread already has an active response"


class ApiError(Exception):
    """The call is refused with this status and message; it took no effect."""

    def __init__(self, status: int, message: str | None = None, details: list[dict[str, Any]] | None = None) -> None:
        self.status = status
        #: What a machine can read about it.
        self.details = details
        self.message = message if message is not None else HTTPStatus(status).phrase
        super().__init__(self.message)

    @property
    def error(self) -> dict[str, Any]:
        """The envelope's `error`."""
        said = {"code": self.status, "message": self.message}
        return said if self.details is None else {**said, "details": self.details}
