"""Checks everything at the same time, whatever fails."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
from sqlalchemy.engine import URL

from omnibot.clearstreet.omni import Omni
from omnibot.clearstreet.trading import Trading
from omnibot.clearstreet.transport import Transport
from omnibot.db.engine import open_database, parse_url, readable_by_others
from omnibot.db.migrate import SchemaStatus, schema_status
from omnibot.doctor import model
from omnibot.doctor.model import Finding
from omnibot.errors import ClearStreetError, SettingsError
from omnibot.policy.live_policy import read_file
from omnibot.policy.model import Policy, PolicyError
from omnibot.settings import Settings, split_address
from omnibot.slack import app
from omnibot.slack.connection.token_check import examine_app_token, examine_bot_token

#: Seconds one try of a call to Clear Street, a look at our own port, and a whole check may take.
CALL_TIMEOUT, LOOK_TIMEOUT, CHECK_TIMEOUT = 5.0, 3.0, 30.0


class Examination:
    """One round of all checks.

    Args:
        settings: as `Settings.survey` found them, …
        wrong: … and the variables for which a default stands in; what needs one of those is not asked.
        dyno: the dyno's name, None elsewhere.
    """

    def __init__(self, settings: Settings, wrong: Mapping[str, str], *, dyno: str | None = None) -> None:
        self._settings = settings
        self._wrong = wrong
        self._dyno = dyno

    async def findings(self, at: Callable[[str], object] = lambda _: None) -> AsyncIterator[Finding]:
        """Every finding, always in the same order.

        Args:
            looking_at: is told the name of what is waited for.
        """
        checks: dict[str, Callable[[], Awaitable[list[Finding]]]] = {
            "settings": self._check_settings,
            "database": self._check_database,
            "Slack bot token": self._check_bot_token,
            "Slack app token": self._check_app_token,
            "Clear Street": self._check_clear_street,
            "port": self._check_port,
            "policy": self._check_policy,
        }
        asked = {name: asyncio.create_task(_whatever_happens(name, check)) for name, check in checks.items()}
        try:
            for name, answer in asked.items():
                at(name)
                for finding in await answer:
                    yield finding
        finally:
            for answer in asked.values():
                answer.cancel()
            await asyncio.gather(*asked.values(), return_exceptions=True)

    async def _check_settings(self) -> list[Finding]:
        return model.settings(self._settings, self._wrong)

    async def _check_database(self) -> list[Finding]:
        try:
            url = parse_url(self._settings.database_url)
            found = [model.database(_name(url), await _status(url, self._settings.database_url))]
        except SettingsError as error:
            return [model.no_database(str(error))]
        if url.get_backend_name() == "sqlite" and url.database:
            found += model.readable(await asyncio.to_thread(readable_by_others, Path(url.database)))
        if self._dyno is not None and url.get_backend_name() == "sqlite":
            found.append(model.sqlite_on_dyno(self._dyno))
        return found

    async def _check_bot_token(self) -> list[Finding]:
        settings = self._settings
        # Only deliveries over HTTP are signed with the time.
        signed = settings.slack_app_token is None and "SLACK_SIGNING_SECRET" not in self._wrong
        if why := self._unusable("SLACK_BOT_TOKEN", "SLACK_API_URL"):
            checks = ["Slack bot token", "Slack scopes", *(["clock"] if signed else [])]
            return [model.unchecked(check, why) for check in checks]
        async with app.open_session() as session:
            token = settings.slack_bot_token.get_secret_value()
            client = app.open_client(session, token=token, api_url=settings.slack_api_url)
            said = await examine_bot_token(client)
        found = [model.bot_token(said, _host(settings.slack_api_url)), model.scopes(said)]
        return [*found, model.clock(said.clock_ahead)] if signed else found

    async def _check_app_token(self) -> list[Finding]:
        settings = self._settings
        if settings.slack_app_token is None:
            return []
        if why := self._unusable("SLACK_API_URL"):
            return [model.unchecked("Slack app token", why)]
        async with app.open_session() as session:
            client = app.open_client(session, token=None, api_url=settings.slack_api_url)
            refusal = await examine_app_token(client, settings.slack_app_token.get_secret_value())
        return [model.app_token(refusal, _host(settings.slack_api_url))]

    async def _check_clear_street(self) -> list[Finding]:
        settings = self._settings
        if why := self._unusable("CLEAR_STREET_API_KEY", "CLEAR_STREET_BASE_URL"):
            return [model.unchecked(check, why) for check in ("Clear Street key", "revision", "account")]
        if settings.clear_street_api_key is None:
            return [model.no_shared_key()]
        key, host = settings.clear_street_api_key.get_secret_value(), _host(settings.clear_street_base_url)
        # Detected even where it is set: the setting may be wrong.
        transport = Transport(base_url=settings.clear_street_base_url, timeout=CALL_TIMEOUT, revision="auto")
        try:
            accounts = await Trading(transport).accounts(key)
            seen = await Omni(transport).supports(key)
        except ClearStreetError as error:
            why = "the key did not list its accounts"
            return [model.key_refused(error, host), *(model.unchecked(c, why) for c in ("revision", "account"))]
        finally:
            await transport.close()
        if why := self._unusable("CLEAR_STREET_ACCOUNT_ID"):
            account = model.unchecked("account", why)
        else:
            account = model.account([account.id for account in accounts], settings.clear_street_account_id)
        return [model.key_accepted(host), model.revision(settings.clear_street_api_revision, seen), account]

    async def _check_policy(self) -> list[Finding]:
        path, shared = self._settings.omnibot_policy, self._settings.clear_street_api_key is not None
        linking = model.linking(possible=bool(self._settings.omnibot_encryption_keys), shared=shared)
        if path is None:
            return [model.no_policy(shared=shared), linking, self._trading(Policy())]
        try:
            policy, _ = await asyncio.to_thread(read_file, path)
        except PolicyError as error:
            why = "the policy cannot be used"
            return [model.bad_policy(str(path), error.problems), linking, model.unchecked("trading", why)]
        return [model.policy(str(path)), linking, self._trading(policy)]

    def _trading(self, policy: Policy) -> Finding:
        if why := self._unusable("OMNIBOT_TRADING", "OMNIBOT_AUDIT_KEY"):
            return model.unchecked("trading", why)
        return model.trading(
            live=self._settings.omnibot_trading == "live",
            traders=len(policy.trading.traders),
            own_audit_key=self._settings.omnibot_audit_key is not None,
        )

    async def _check_port(self) -> list[Finding]:
        if why := self._unusable("PORT", "OMNIBOT_HEALTH_ADDRESS"):
            return [model.unchecked("port", why)]
        number, host = self._settings.port, self._settings.omnibot_host
        refusal = await _listening_refusal(host, number)
        # Where a running omnibot answers for its health.
        address = self._settings.omnibot_health_address
        health = split_address(address) if address is not None else (host, number)
        return [model.port(number, refusal, omnibot=refusal is not None and await _is_omnibot(*health))]

    def _unusable(self, *variables: str) -> str | None:
        bad = [name for name in variables if name in self._wrong]
        return f"{' and '.join(bad)} must be corrected first" if bad else None


async def _whatever_happens(name: str, check: Callable[[], Awaitable[list[Finding]]]) -> list[Finding]:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT):
            return await check()
    except TimeoutError:
        return [model.endless(name, CHECK_TIMEOUT)]
    except Exception as error:  # one check that breaks must not keep the others from telling
        return [model.broken(name, type(error).__name__)]


async def _status(url: URL, database_url: str) -> SchemaStatus | None:
    """Look at the migrations without making a file that is not there."""
    file = Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None
    if file is not None and not await asyncio.to_thread(file.exists):
        return None
    database = await open_database(database_url, exclusive=False)
    try:
        return await schema_status(database)
    finally:
        await database.close()


def _name(url: URL) -> str:
    if url.get_backend_name() == "sqlite":
        return f"the SQLite file {url.database}"
    return f"the PostgreSQL database {url.database or ''} at {url.host or 'this computer'}"


def _host(url: str) -> str:
    """The part of a URL that may be printed."""
    return urlsplit(url).netloc.rpartition("@")[2]


async def _listening_refusal(host: str | None, port: int) -> str | None:
    """Listen for a moment, as `omnibot.web` will; the system's word when it cannot be."""
    try:
        server = await asyncio.get_running_loop().create_server(asyncio.Protocol, host, port)
    except OSError as error:
        return os.strerror(error.errno) if error.errno else str(error)
    server.close()
    await server.wait_closed()
    return None


async def _is_omnibot(host: str | None, port: int) -> bool:
    """Whether what listens there answers `/readyz` as an omnibot does."""
    timeout = aiohttp.ClientTimeout(total=LOOK_TIMEOUT)
    name = f"[{host}]" if host and ":" in host else host or "127.0.0.1"
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(f"http://{name}:{port}/readyz") as answer,
        ):
            report = await answer.json()
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
        return False
    return isinstance(report, dict) and report.keys() == {"ready", "checks"}
