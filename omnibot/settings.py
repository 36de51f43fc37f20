"""The settings: environment variables, read once, checked at start.

Nothing else in omnibot reads the environment.
"""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import Field, SecretStr, StringConstraints, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

from omnibot.errors import SettingsError

#: Hosts that are this computer.
LOOPBACK = ("localhost", "127.0.0.1", "::1")

#: The highest port there is.
MOST_PORT = 65_535

SHORTEST_AUDIT_KEY = 32
"""Characters of a key of the audit, at least."""
_KEYS = "omnibot_encryption_keys"

HttpUrl = Annotated[str, StringConstraints(pattern=r"^https?://[^/\s]+", strip_whitespace=True)]


class Settings(BaseSettings):
    """One field for each variable; the field's name in capitals is the variable's name."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", env_ignore_empty=True)

    #: Slack: the bot token of the one workspace, the app-level token (present: Socket Mode; absent: HTTP), the secret
    #: that signs HTTP deliveries, the API's base URL.
    slack_bot_token: SecretStr
    slack_app_token: SecretStr | None = None
    slack_signing_secret: SecretStr | None = Field(default=None, validate_default=True)
    slack_api_url: HttpUrl = "https://slack.com/api/"

    #: Encrypt the API keys that people link; without them nobody can.
    omnibot_encryption_keys: SecretStr | None = None
    #: Where browsers reach `port`, so that keys can be entered on a page of omnibot's own; none: in Slack only.
    omnibot_public_url: HttpUrl | None = None

    #: Clear Street: the shared key (none where everybody links their own), its account, the API's base URL and
    #: revision, calls a second per key.
    clear_street_api_key: SecretStr | None = Field(default=None, validate_default=True)
    clear_street_account_id: int | None = None
    clear_street_base_url: HttpUrl = "https://api.clearstreet.com"
    clear_street_api_revision: Literal["auto", "2026-04", "2026-08", "2026-10"] = "auto"
    omnibot_api_rate: float = Field(default=50, gt=0)

    #: Where turns are kept; a SQLite file is for one process.
    database_url: str = Field(default=f"sqlite:///{Path('omnibot.sqlite3')}", repr=False)

    #: The policy file; without one full members ask, and nobody trades or signs under the shared key.
    omnibot_policy: Path | None = None

    #: Sign the audit of orders, the first signs; None: a key is derived from another secret.
    omnibot_audit_key: SecretStr | None = None
    #: Where the audit's head is written down whenever it has moved, outside the database; None: nowhere.
    omnibot_audit_head_file: Path | None = None
    #: Whether approved orders are sent. `off`: no order call of any kind is made; approving gives a ticket to copy.
    omnibot_trading: Literal["off", "live"] = "off"

    #: The Slack channel in which trouble is said; None: the log only.
    omnibot_ops_channel: str | None = None

    #: Days for which questions, answers and buttons of ended turns are kept.
    omnibot_retention_days: int = Field(default=30, ge=1)
    #: The address of a chart of one's own, with {symbol} and {timeframe} in it; none: cards have no such link.
    omnibot_chart_url: HttpUrl | None = None
    omnibot_log_level: Literal["debug", "info", "warning", "error"] = "info"

    #: The address the HTTP server listens on; none: every interface.
    omnibot_host: str | None = None
    #: The HTTP server's port, bound in Socket Mode too; 0 takes a free one.
    port: int = Field(default=3000, ge=0, le=MOST_PORT)
    #: `HOST:PORT` on which health, readiness and metrics are, and then nowhere else; none: on `port`.
    omnibot_health_address: str | None = None
    #: Connections at once; where there are more, those that wait longest are closed.
    omnibot_connections: int = Field(default=500, ge=1)
    #: Seconds in which a request has to come as a whole.
    omnibot_request_seconds: float = Field(default=10.0, gt=0)
    #: Seconds for which readiness and metrics are remembered.
    omnibot_ready_seconds: float = Field(default=5.0, gt=0)

    @field_validator("omnibot_health_address")
    @classmethod
    def _names_host_and_port(cls, address: str | None) -> str | None:
        if address is not None:
            split_address(address)
        return address

    @field_validator("slack_signing_secret")
    @classmethod
    def _some_way_in(cls, secret: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if secret is None and info.data.get("slack_app_token") is None:
            raise ValueError("is not set, nor is SLACK_APP_TOKEN: the one is for HTTP, the other for Socket Mode")
        return secret

    @field_validator("omnibot_encryption_keys")
    @classmethod
    def _are_fernet_keys(cls, keys: SecretStr | None) -> SecretStr | None:
        split_keys(keys)
        return keys

    @field_validator("omnibot_public_url")
    @classmethod
    def _keys_travel_encrypted(cls, url: str | None) -> str | None:
        if url is not None and urlsplit(url).scheme != "https" and urlsplit(url).hostname not in LOOPBACK:
            raise ValueError("must begin with https://, for people enter keys there")
        return url

    @field_validator("clear_street_api_key")
    @classmethod
    def _some_key(cls, key: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if key is None and info.data.get("omnibot_encryption_keys") is None:
            raise ValueError(
                "is not set, nor is OMNIBOT_ENCRYPTION_KEYS: the one is shared, the other for people's own"
            )
        return key

    def encryption_keys(self) -> list[str]:
        """The Fernet keys; the first encrypts, any decrypts, none: nobody can link a key."""
        return split_keys(self.omnibot_encryption_keys)

    @field_validator("omnibot_audit_key")
    @classmethod
    def _are_long(cls, keys: SecretStr | None) -> SecretStr | None:
        if any(len(key) < SHORTEST_AUDIT_KEY for key in split_secrets(keys)):
            raise ValueError(f"is too short: a key has {SHORTEST_AUDIT_KEY} characters at least")
        return keys

    @field_validator("omnibot_trading")
    @classmethod
    def _orders_leave_a_trace(cls, trading: str, info: ValidationInfo) -> str:
        if trading == "live" and not any(info.data.get(name) for name in ("omnibot_audit_key", _KEYS)):
            raise ValueError("is live, but neither OMNIBOT_AUDIT_KEY nor OMNIBOT_ENCRYPTION_KEYS signs the audit")
        return trading

    def audit_secrets(self) -> list[str]:
        """What the audit's keys are derived from where it has none of its own."""
        return _secrets_for_audit(self.omnibot_encryption_keys, self.clear_street_api_key)

    @field_validator("omnibot_log_level", mode="before")
    @classmethod
    def _any_case(cls, level: object) -> object:
        return level.lower() if isinstance(level, str) else level

    @field_validator("slack_api_url")
    @classmethod
    def _ends_with_slash(cls, url: str) -> str:
        return url.rstrip("/") + "/"

    @classmethod
    def read(cls) -> Self:
        """Read the environment (and a `.env` file in the working directory).

        Raises:
            SettingsError: names each variable that is missing or wrong, and never its value.
        """
        settings, wrong = cls.survey()
        if not wrong:
            return settings
        text = "\n  ".join(f"{name}: {reason}" for name, reason in wrong.items())
        raise SettingsError(f"omnibot cannot start with these settings:\n  {text}\nThe README lists every variable.")

    @classmethod
    def survey(cls) -> tuple[Self, dict[str, str]]:
        """Read as `read` does, as far as it goes.

        Returns:
            The settings, and by variable what is missing or wrong. A default, or an empty secret, stands in for those.
        """
        try:
            return cls(), {}
        except ValidationError as error:
            wrong = {str(e["loc"][0]): _reason(e["type"], e["msg"]) for e in error.errors()}
        stand_ins: dict[str, Any] = {name: _stand_in(cls.model_fields[name]) for name in wrong}
        return cls(**stand_ins), {name.upper(): reason for name, reason in wrong.items()}

    def secrets(self) -> list[str]:
        """What must never be printed."""
        values = [getattr(self, name) for name in type(self).model_fields]
        secrets = [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
        return [*secrets, *_passwords_in(self.database_url)]


#: As SQLAlchemy reads it: unlike elsewhere, `/`, `?` and `#` may stand in the password as they are.
_PASSWORD = re.compile(r"[\w+]+://[^:/]*:([^@]*)@")


def _passwords_in(url: str) -> list[str]:
    """The password of a database URL as it stands there, and as it is meant."""
    found = [match[1]] if (match := _PASSWORD.match(url)) else []
    with suppress(ValueError):  # no URL at all; opening it says so
        found += parse_qs(urlsplit(url).query).get("password", [])
    return list(dict.fromkeys(spelling for password in found for spelling in (password, unquote(password)) if spelling))


class DatabaseSettings(BaseSettings):
    """What `omnibot db` needs: no Slack, no Clear Street."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", env_ignore_empty=True)

    database_url: str = Field(default=Settings.model_fields["database_url"].default, repr=False)


class KeysSettings(DatabaseSettings):
    """What `omnibot keys` needs."""

    omnibot_encryption_keys: SecretStr | None = None
    omnibot_audit_key: SecretStr | None = None

    def encryption_keys(self) -> list[str]:
        """The Fernet keys, the one that encrypts first.

        Raises:
            SettingsError: there is none, or one is no Fernet key.
        """
        try:
            keys = split_keys(self.omnibot_encryption_keys)
        except ValueError as error:
            raise SettingsError(f"OMNIBOT_ENCRYPTION_KEYS: {error}") from None
        if not keys:
            raise SettingsError("OMNIBOT_ENCRYPTION_KEYS is not set; `omnibot keys new` prints a key for it")
        return keys


class AuditSettings(DatabaseSettings):
    """What `omnibot audit` needs: the keys that sign the audit, or those from which they are derived."""

    omnibot_audit_key: SecretStr | None = None
    omnibot_audit_head_file: Path | None = None
    omnibot_encryption_keys: SecretStr | None = None
    clear_street_api_key: SecretStr | None = None

    def audit_secrets(self) -> list[str]:
        """What the audit's keys are derived from where it has none of its own; the same as a running bot's.

        Raises:
            SettingsError: an encryption key is no Fernet key.
        """
        try:
            return _secrets_for_audit(self.omnibot_encryption_keys, self.clear_street_api_key)
        except ValueError as error:
            raise SettingsError(f"OMNIBOT_ENCRYPTION_KEYS: {error}") from None


_FERNET_KEY = re.compile(r"[A-Za-z0-9+/_-]{43}=", re.ASCII)


def split_secrets(setting: SecretStr | None) -> list[str]:
    """The comma-separated secrets of a setting."""
    text = setting.get_secret_value() if setting is not None else ""
    return [secret.strip() for secret in text.split(",") if secret.strip()]


def _secrets_for_audit(encryption_keys: SecretStr | None, shared_key: SecretStr | None) -> list[str]:
    """The first signs; with the others too, rows verify that were signed before there was a first one."""
    return [*split_keys(encryption_keys), *([shared_key.get_secret_value()] if shared_key is not None else [])]


def split_keys(setting: SecretStr | None) -> list[str]:
    """The comma-separated Fernet keys of a setting.

    Raises:
        ValueError: says which one is none, without showing it.
    """
    keys = split_secrets(setting)
    for place, key in enumerate(keys, start=1):
        if not _FERNET_KEY.fullmatch(key):
            which = f"key {place} of {len(keys)}" if len(keys) > 1 else "what is set"
            raise ValueError(f"{which} is not a Fernet key; `omnibot keys new` prints a good one")
    return keys


def split_address(address: str) -> tuple[str, int]:
    """The host and port of `HOST:PORT`; an IPv6 host may stand in brackets.

    Raises:
        ValueError: it is something else.
    """
    host, _, port = address.strip().rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not (host and port.isascii() and port.isdigit() and int(port[:6]) <= MOST_PORT):
        raise ValueError("is not HOST:PORT, such as 127.0.0.1:9100")
    return host, int(port)


class PolicySettings(BaseSettings):
    """What `omnibot policy` needs."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", env_ignore_empty=True)

    omnibot_policy: Path | None = None


class Platform(BaseSettings):
    """What a platform says of itself; nobody sets these."""

    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True)

    #: The name of this dyno. Its files are gone after each restart.
    dyno: str | None = None


def _stand_in(field: FieldInfo) -> Any:
    return SecretStr("") if field.annotation in (SecretStr, SecretStr | None) else field.default


def _reason(kind: str, message: str) -> str:
    return "is not set" if kind == "missing" else message.removeprefix("Value error, ")
