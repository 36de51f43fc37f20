"""Both emulators in this process, and the unchanged bot as a process of its own between them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, NoReturn

from omnibot_sandbox.clearstreet.entitlements import long_document
from omnibot_sandbox.clearstreet.server import ClearStreetEmulator
from omnibot_sandbox.demo.installation import Installation, read_manifest
from omnibot_sandbox.demo.network import Network, network_to
from omnibot_sandbox.slack.server import SlackEmulator

#: The key of the emulator's first client.
API_KEY = "demo-key"
#: Seconds in which the bot must have connected to Slack, and in which it must have left after SIGTERM.
_READY = 30.0
_DRAIN = 10.0
_LOG_LINES = 25

# What the surroundings say to a real omnibot must not reach this one; and no proxy leads to loopback.
_FOREIGN = ("SLACK_", "CLEAR_STREET_", "OMNIBOT_", "DATABASE_URL", "PORT")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")


class DemoError(Exception):
    """The demo cannot go on; the text is for the person who started it."""


@dataclass(slots=True)
class DemoSession:
    """A running demo."""

    slack: SlackEmulator
    omni: ClearStreetEmulator
    lines: Network
    bot: Bot
    app: Installation


class Bot:
    """`omnibot db upgrade`, then `omnibot run`."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self._environment = environment
        #: Where its database and its log are.
        self.folder = folder
        self._log = folder / "bot.log"
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """Its process id; None: it does not run."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def start(self, slack: SlackEmulator, *, upgrade: bool = True) -> None:
        """Start it and wait until it is connected to this Slack.

        Raises:
            DemoError: it ended or did not connect; with the end of its log.
        """
        if upgrade and (code := await (await self._run("db", "upgrade")).wait()):
            raise self._trouble(f"`omnibot db upgrade` ended with exit code {code}.")
        # A bot that was killed may have left connections whose end was not noticed yet.
        before = set(slack.socket_mode.sockets)
        process = await self._run("run")
        connected = asyncio.create_task(
            slack.wait_for(lambda: bool(set(slack.socket_mode.sockets) - before), timeout=_READY)
        )
        ended = asyncio.create_task(process.wait())
        try:
            await asyncio.wait((connected, ended), return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                raise self._trouble(f"The bot ended at once, with exit code {process.returncode}.")
            if connected.exception() is not None:
                raise self._trouble(f"The bot did not connect to Slack within {_READY:.0f} s.")
        finally:
            for task in (connected, ended):
                task.cancel()
            await asyncio.gather(connected, ended, return_exceptions=True)

    async def manifest(self) -> str:
        """The manifest it prints.

        Raises:
            DemoError: it printed none; with the end of its log.
        """
        path = self.folder / "manifest.yml"
        with path.open("wb") as printed, self._log.open("ab") as log:
            process = await self._execute("manifest", output=printed, log=log)
        try:
            code = await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if code:
            raise self._trouble(f"`omnibot manifest` ended with exit code {code}.")
        return path.read_text("utf-8")

    async def ended(self) -> int:
        """Wait until it ends; its exit code."""
        assert self._process is not None
        return await self._process.wait()

    async def watch(self) -> NoReturn:
        """Wait until it ends by itself.

        Raises:
            DemoError: it did.
        """
        code = await self.ended()
        raise self._trouble(f"The bot ended, with exit code {code}.")

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    def terminate(self) -> None:
        """SIGTERM: it finishes what it is writing, then goes."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)

    async def stop(self) -> None:
        """Let it finish what it is writing; kill it if that takes too long."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        self.terminate()
        try:
            await asyncio.wait_for(process.wait(), _DRAIN)
        except TimeoutError:
            self.kill()
            await process.wait()

    async def _run(self, *arguments: str) -> asyncio.subprocess.Process:
        with self._log.open("ab") as log:
            self._process = await self._execute(*arguments, output=log, log=log)
        return self._process

    async def _execute(self, *arguments: str, output: IO[bytes], log: IO[bytes]) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "omnibot", *arguments),
            env=self._environment,
            cwd=self.folder,  # away from any .env file
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for us: we tell the bot when it is time
        )

    def _trouble(self, sentence: str) -> DemoError:
        lines = self._log.read_text("utf-8", "replace").splitlines()[-_LOG_LINES:]
        return DemoError("\n".join([sentence, "The end of its log:", *(f"  {line}" for line in lines)]))


def bot_variables(slack: SlackEmulator, omni: ClearStreetEmulator) -> dict[str, str]:
    """The environment variables that point a bot at these emulators."""
    return {
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "SLACK_API_URL": slack.api_url,
        "CLEAR_STREET_API_KEY": API_KEY,
        "CLEAR_STREET_BASE_URL": omni.base_url,
    }


@asynccontextmanager
async def open_emulators(
    *, revision: str, pace: float, slack_port: int = 0, clear_street_port: int = 0
) -> AsyncIterator[tuple[SlackEmulator, ClearStreetEmulator, Network]]:
    """Slack and Clear Street on loopback, and the lines a bot reaches them by; port 0 takes a free one.

    Raises:
        DemoError: a port is taken.
    """
    slack, omni = SlackEmulator(), ClearStreetEmulator(revision=revision, pace=pace)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(slack.close)
        stack.push_async_callback(omni.close)
        try:
            await slack.start()
            await omni.start()
            opening = network_to(slack, omni, slack_port=slack_port, clear_street_port=clear_street_port)
            lines = await stack.enter_async_context(opening)
        except OSError as error:
            raise DemoError(f"Cannot listen on 127.0.0.1: {error.strerror or error}.") from error
        yield slack, omni, lines


@asynccontextmanager
async def open_session(*, revision: str, pace: float) -> AsyncIterator[DemoSession]:
    """Everything started and connected; nothing is left of it afterwards.

    Raises:
        DemoError: the bot did not start.
    """
    with TemporaryDirectory(prefix="omnibot-demo-", ignore_cleanup_errors=True) as folder:
        async with open_emulators(revision=revision, pace=pace) as (slack, omni, lines):
            port = str(_free_port())
            environment = {
                **{name: value for name, value in os.environ.items() if not _kept_out(name)},
                **bot_variables(slack, omni),
                "DATABASE_URL": f"sqlite:///{folder}/omnibot.sqlite3",
                "OMNIBOT_HOST": "127.0.0.1",
                "PORT": port,
                "OMNIBOT_PUBLIC_URL": f"http://127.0.0.1:{port}",
                # A Fernet key, for this demo alone.
                "OMNIBOT_ENCRYPTION_KEYS": urlsafe_b64encode(os.urandom(32)).decode(),
                "OMNIBOT_POLICY": _policy(slack, Path(folder)),
                # The money is the emulator's.
                "OMNIBOT_TRADING": "live",
            }
            omni.entitlements.publish(long_document())
            bot = Bot(environment, Path(folder))
            reading = asyncio.create_task(bot.manifest())
            try:
                await bot.start(slack)
                app = read_manifest(await reading)
                app.into(slack)
                yield DemoSession(slack, omni, lines, bot, app)
            finally:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)
                await bot.stop()


_POLICY = """version = 1

[consent]
consent_signers = ["{ana}"]

[trading]
traders = ["{ana}", "{ben}"]
approvers = ["{ben}"]
halters = ["{ana}", "{ben}"]
with_shared_key = true
accounts = "any"
max_order_notional = "100000"
max_day_notional = "500000"
order_types = ["LIMIT", "MARKET", "STOP", "STOP_LIMIT", "TRAILING_STOP", "TRAILING_STOP_LIMIT"]
times_in_force = ["DAY", "GOOD_TILL_CANCEL", "GOOD_TILL_DATE", "IMMEDIATE_OR_CANCEL", "FILL_OR_KILL"]
sessions = ["regular", "extended"]
price_collar = "20%"
short_sales = true
options = true
four_eyes_above = "25000"
"""


def _policy(slack: SlackEmulator, folder: Path) -> str:
    """Where the demo's policy is: Ana may sign for the shared key, both trade, and above $25,000 Ben approves too."""
    path = folder / "policy.toml"
    people = {name: slack.workspace.user(name).id for name in ("ana", "ben")}
    path.write_text(_POLICY.format(**people), "utf-8")
    return str(path)


def _kept_out(name: str) -> bool:
    return name.startswith(_FOREIGN) or name.lower() in _PROXIES


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def names_of(slack: SlackEmulator) -> Mapping[str, str]:
    """Ids of people and channels, and what people call them."""
    workspace = slack.workspace
    people = {user.id: user.real_name for user in workspace.users.values()}
    return people | {channel.id: channel.name for channel in workspace.channels.values()}
