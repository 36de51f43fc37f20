"""A process that logs everything while keys pass through it: its log and its database must hold none of them.

python -m tests.accounts.at_debug DATABASE_URL BASE_URL ENCRYPTION_KEYS
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import sys

import aiohttp
import structlog
from aiohttp import web

from omnibot import telemetry
from omnibot.accounts.account_choices import AccountChoices
from omnibot.accounts.link_cache import LinkCache
from omnibot.accounts.link_page import LinkPage
from omnibot.accounts.link_tokens import LinkTokens
from omnibot.accounts.linking import Linking
from omnibot.accounts.model import NoAuthority, NotLinked
from omnibot.accounts.service import Keyring
from omnibot.accounts.store import LinkStore
from omnibot.clearstreet.trading import Trading
from omnibot.clearstreet.transport import Transport
from omnibot.db.engine import open_database
from omnibot.encryption import Encryption
from omnibot.errors import Unauthorised
from tests.accounts.conftest import ANA, ANAS, BEN, BENS

log = structlog.get_logger(__name__)

MISTYPED = "anas-key-mistyped-99"
BROKEN_OFF = "anas-key\n0123456789-broken"


async def main(database_url: str, base_url: str, keys: str) -> None:
    telemetry.configure([], logging.DEBUG)
    database = await open_database(database_url)
    transport = Transport(base_url=base_url)
    trading = Trading(transport)
    links = LinkCache(LinkStore(database), Encryption(keys.split(",")))
    keyring = Keyring(trading, shared_key=None, shared_account_id=None, links=links, choices=AccountChoices(database))
    linking = Linking(links, trading)
    for entered in (MISTYPED, BROKEN_OFF, ANAS):
        # What a library might log of it.
        with contextlib.suppress(NotLinked):
            await linking.link(ANA, entered, team="T1")
        logging.getLogger("a.library").debug("somebody entered %s", entered)
    await on_a_page(LinkPage, LinkTokens(database, links), linking)
    principal = await keyring.principal_of(ANA)
    await keyring.accounts_of(principal)
    log.debug("used", key=await keyring.key_of(principal))
    try:
        await keyring.judge(principal, ANAS, Unauthorised())
    except NoAuthority:
        log.exception("refused")
    try:
        raise RuntimeError(f"{ANAS} and {BENS} and {keys}")
    except RuntimeError:
        log.exception("careless")
    log.debug("nested", several=[ANAS, {"and": BENS}], error=ValueError(f"{ANAS} is no key"), raw=keys.encode())
    await transport.close()
    await database.close()
    print(telemetry.exposition()[0].decode())


async def on_a_page(make: type[LinkPage], invitations: LinkTokens, linking: Linking) -> None:
    """Ben enters his key on a page."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    pages = make(invitations, linking, public_url=f"http://127.0.0.1:{listening.getsockname()[1]}")
    app = web.Application()
    app.add_routes(pages.routes())
    runner = web.AppRunner(app)
    await runner.setup()
    await web.SockSite(runner, listening).start()
    url = await pages.issue(BEN, team="T1", name="Ben at Acme")
    logging.getLogger("a.library").debug("the page is %s", url)
    async with aiohttp.ClientSession() as browser, browser.post(url, data={telemetry.KEY_FIELD: BENS}) as answer:
        assert answer.status == 200
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
