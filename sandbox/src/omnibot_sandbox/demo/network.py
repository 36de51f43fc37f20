"""The lines between a bot and both emulators: TCP proxies whose faults befall every connection, Socket Mode's too."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from omnibot_sandbox.clearstreet.server import ClearStreetEmulator
from omnibot_sandbox.demo.forms import LineForm
from omnibot_sandbox.proxy import TcpProxy
from omnibot_sandbox.slack.server import SlackEmulator
from omnibot_sandbox.slack.workspace import JSON


class Network:
    """One line a side, by "slack" and "clear-street"."""

    def __init__(self, proxies: Mapping[str, TcpProxy]) -> None:
        self._proxies = proxies
        #: What each was last set to, for the page.
        self._set: dict[str, LineForm] = {}

    def describe(self) -> JSON:
        """How each line is, and how many connections stand on it."""
        return {
            side: {
                "mode": proxy.mode,
                "seconds": form.seconds if (form := self._set.get(side)) else LineForm.model_fields["seconds"].default,
                "after": form.after if form else LineForm.model_fields["after"].default,
                "connections": proxy.connections,
                "dead": proxy.dead,
            }
            for side, proxy in self._proxies.items()
        }

    async def switch(self, form: LineForm) -> None:
        """Make a line bad, or good again."""
        proxy = self._proxies[form.side]
        self._set[form.side] = form
        match form.mode:
            case "latency":
                await proxy.latency(form.seconds)
            case "truncate":
                await proxy.truncate(form.after)
            case "reset":
                await proxy.reset()
            case "blackhole":
                await proxy.blackhole()
            case "refuse":
                await proxy.refuse()
            case "pass":
                await proxy.passing()

    async def mend(self) -> None:
        """Let everything pass again; connections that lost bytes are torn, since nobody would ever hear from them."""
        for proxy in self._proxies.values():
            await proxy.passing()
            proxy.tear_dead()


@asynccontextmanager
async def network_to(
    slack: SlackEmulator, omni: ClearStreetEmulator, *, slack_port: int = 0, clear_street_port: int = 0
) -> AsyncIterator[Network]:
    """Put a line in front of each emulator; they name its address from now on. Port 0 takes a free one.

    Raises:
        OSError: a port is taken.
    """
    proxies = {
        side: TcpProxy(urlsplit(url).port or 0)
        for side, url in {"slack": slack.api_url, "clear-street": omni.base_url}.items()
    }
    try:
        await proxies["slack"].start(port=slack_port)
        await proxies["clear-street"].start(port=clear_street_port)
        slack.reached_at(f"127.0.0.1:{proxies['slack'].port}")
        omni.base_url = f"http://127.0.0.1:{proxies['clear-street'].port}"
        yield Network(proxies)
    finally:
        for proxy in proxies.values():
            await proxy.close()
