"""Sealing API keys at rest: any of the operator's keys opens, the first one seals."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from omnibot import telemetry


class Unreadable(Exception):
    """None of the keys opens this."""


def new_key() -> str:
    """A fresh key for OMNIBOT_ENCRYPTION_KEYS."""
    return Fernet.generate_key().decode()


class Encryption:
    """The operator's keys.

    Args:
        keys: Fernet keys, at least one; `Settings.encryption_keys` has checked them.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        for key in keys:
            telemetry.hide(key, for_good=True)
        self._first = Fernet(keys[0])
        self._any = MultiFernet([Fernet(key) for key in keys])
        # A key of its own kind: what seals must not also sign.
        self._marks = [hashlib.sha256(b"omnibot: fingerprints of API keys" + key.encode()).digest() for key in keys]

    def seal(self, secret: str) -> str:
        """Encrypt with the first key."""
        return self._first.encrypt(secret.encode()).decode()

    def open(self, sealed: str) -> str:
        """Decrypt with whichever key fits; what comes out is hidden from the logs from now on.

        Raises:
            Unreadable: none fits.
        """
        try:
            secret = self._any.decrypt(sealed.encode()).decode()
        except (InvalidToken, UnicodeError):
            # Raised below: the chain of an exception holds what was tried.
            secret = None
        if secret is None:
            raise Unreadable
        telemetry.hide(secret)
        return secret

    def is_current(self, sealed: str) -> bool:
        """Whether the first key sealed this."""
        try:
            self._first.decrypt(sealed.encode())
        except (InvalidToken, UnicodeError):
            return False
        return True

    def fingerprint(self, secret: str) -> str:
        """Tells equal secrets from different ones, to nobody who lacks the first key."""
        return self.fingerprints(secret)[0]

    def fingerprints(self, secret: str) -> list[str]:
        """The fingerprints a secret may have been stored with, the first key's first."""
        return [hmac.digest(mark, secret.encode(), "sha256").hex() for mark in self._marks]
