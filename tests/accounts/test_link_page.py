"""The one-time page: for one person, for ten minutes, for one key, and nothing else may be done with it."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp import web
from omnibot_sandbox.clearstreet.server import ClearStreetEmulator
from sqlalchemy import select, update

from omnibot.accounts.link_cache import LinkCache
from omnibot.accounts.link_page import MOST_BYTES, LinkPage
from omnibot.accounts.link_tokens import MOST_TRIES, LinkTokens
from omnibot.accounts.model import Linked, LinkingOff, Person, link_principal
from omnibot.accounts.store import LinkStore
from omnibot.db.engine import Database
from omnibot.db.tables import link_pages
from omnibot.encryption import Encryption, new_key
from omnibot.errors import SettingsError
from omnibot.telemetry import KEY_FIELD
from tests.accounts.conftest import ANA, ANAS, BEN, BENS, Keyrings, MakeKeyring, nobody

ACCOUNTS = "GET /v1/accounts"


@dataclass
class Site:
    """Pages on a real socket, and a browser without a memory."""

    keyring: Keyrings
    pages: LinkPage
    browser: aiohttp.ClientSession
    #: Whom the bot told what.
    told: list[tuple[Person, str, Linked]] = field(default_factory=list)

    async def issue(self, person: Person = ANA, name: str = "Ana at Acme") -> str:
        return await self.pages.issue(person, team="T1", name=name)

    async def get(self, url: str) -> tuple[int, str, Any]:
        async with self.browser.get(url) as answer:
            return answer.status, await answer.text(), answer.headers

    async def post(self, url: str, key: str | None, **over: Any) -> tuple[int, str, Any]:
        data = {"data": {} if key is None else {KEY_FIELD: key}, **over}
        async with self.browser.post(url, **data) as answer:
            return answer.status, await answer.text(), answer.headers

    async def key_of(self, person: Person) -> str | None:
        link = await self.keyring.linking.status(person)
        return link.key if link is not None else None


@pytest.fixture
async def site(make_keyring: MakeKeyring, database: Database) -> AsyncIterator[Site]:
    async with serving(make_keyring(), database) as one:
        yield one


@asynccontextmanager
async def serving(keyring: Keyrings, database: Database, scheme: str = "http") -> AsyncIterator[Site]:
    """The pages; with `https` they believe that a proxy in front of them speaks it."""
    told: list[tuple[Person, str, Linked]] = []

    async def tell(person: Person, team: str, linked: Linked) -> None:
        told.append((person, team, linked))

    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    url = f"{scheme}://127.0.0.1:{listening.getsockname()[1]}/"
    pages = LinkPage(LinkTokens(database, keyring.links), keyring.linking, public_url=url, told=tell)
    app = web.Application()
    app.add_routes(pages.routes())
    runner = web.AppRunner(app)
    await runner.setup()
    await web.SockSite(runner, listening).start()
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as browser:
        yield Site(keyring, pages, browser, told)
    await runner.cleanup()


async def test_a_key_entered_on_the_page_is_linked_once_and_the_person_told(site: Site):
    url = await site.issue()
    status, page, _ = await site.get(url)
    assert status == 200
    assert "Ana at Acme" in page
    status, page, _ = await site.post(url, f" {ANAS}\n")
    assert status == 200
    assert "2 open accounts" in page
    assert ANAS not in page
    assert await site.key_of(ANA) == ANAS
    assert [(person, team, linked.principal) for person, team, linked in site.told] == [
        (ANA, "T1", link_principal(ANA))
    ]
    for status, page, _ in (await site.get(url), await site.post(url, BENS)):
        assert status == 410
        assert "/omni link" in page
    assert await site.key_of(ANA) == ANAS


async def test_looking_at_the_page_however_often_does_not_use_it_up(site: Site):
    url = await site.issue()
    for _ in range(MOST_TRIES + 5):
        assert (await site.get(url))[0] == 200
        async with site.browser.head(url) as answer:
            assert answer.status == 200
    assert (await site.post(url, ANAS))[0] == 200


async def test_a_wrong_key_is_said_beside_the_field_and_can_be_entered_again(site: Site):
    url = await site.issue()
    for wrong, said in (("not-a-key-of-theirs", "does not accept this key"), ("two words", "space"), ("", "no key")):
        status, page, _ = await site.post(url, wrong)
        assert status == 422
        assert said in page
        assert 'role="alert"' in page
        assert not wrong or wrong not in page
    assert (await site.post(url, None))[0] == 422
    assert (await site.post(url, ANAS))[0] == 200


async def test_while_clear_street_is_away_the_page_stays(site: Site, clear_street: ClearStreetEmulator):
    url = await site.issue()
    clear_street.gate.refuse(ACCOUNTS, status=503, count=99)
    status, page, _ = await site.post(url, ANAS)
    assert status == 503
    assert "not stored" in page
    clear_street.gate.clear()
    assert (await site.post(url, ANAS))[0] == 200


async def test_after_some_tries_the_page_is_over(site: Site, clear_street: ClearStreetEmulator):
    url = await site.issue()
    for _ in range(MOST_TRIES):
        assert (await site.post(url, "not-a-key-of-theirs"))[0] == 422
    asked = len(clear_street.calls)
    assert (await site.post(url, ANAS))[0] == 410
    assert len(clear_street.calls) == asked
    assert await site.key_of(ANA) is None


async def test_of_two_that_enter_a_key_at_the_same_time_one_is_linked(site: Site, clear_street: ClearStreetEmulator):
    url = await site.issue()
    first, second = clear_street.gate.hold(ACCOUNTS), clear_street.gate.hold(ACCOUNTS)
    both = [asyncio.ensure_future(site.post(url, key)) for key in (ANAS, BENS)]
    await first.reached()
    await second.reached()
    first.release()
    second.release()
    statuses = sorted([status for status, _, _ in await asyncio.gather(*both)])
    assert statuses == [200, 410]
    assert len(site.told) == 1


async def test_after_ten_minutes_the_page_is_over(site: Site, database: Database):
    url = await site.issue()
    async with database.transaction() as connection:
        await connection.execute(update(link_pages).values(expires_at=database.after(-1)))
    assert (await site.get(url))[0] == 410
    assert (await site.post(url, ANAS))[0] == 410
    assert await site.key_of(ANA) is None
    await site.issue(BEN)
    async with database.transaction() as connection:
        assert len((await connection.execute(select(link_pages))).all()) == 1


async def test_a_page_that_expires_while_the_key_is_checked_links_nothing(
    site: Site, database: Database, clear_street: ClearStreetEmulator
):
    url = await site.issue()
    hold = clear_street.gate.hold(ACCOUNTS)
    posting = asyncio.ensure_future(site.post(url, ANAS))
    await hold.reached()
    async with database.transaction() as connection:
        await connection.execute(update(link_pages).values(expires_at=database.after(-1)))
    hold.release()
    assert (await posting)[0] == 410
    assert await site.key_of(ANA) is None


async def test_a_new_page_voids_the_earlier_one_of_the_same_person(site: Site):
    first, of_ben, second = await site.issue(), await site.issue(BEN), await site.issue()
    assert (await site.get(first))[0] == 410
    assert (await site.post(second, ANAS))[0] == 200
    assert (await site.post(of_ben, BENS))[0] == 200
    assert await site.key_of(BEN) == BENS


async def test_unlinking_voids_the_page_too(site: Site):
    url = await site.issue()
    await site.keyring.linking.unlink(ANA)
    assert (await site.post(url, ANAS))[0] == 410


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("token", ["x", "x" * 43, "é" * 43, "%00" * 43, "x" * 5000, "..%2f..%2fetc"])
async def test_an_address_that_was_never_given_out_opens_nothing(site: Site, token: str):
    url = (await site.issue()).rsplit("/", 1)[0] + f"/{token}"
    assert (await site.get(url))[0] == 410
    assert (await site.post(url, ANAS))[0] == 410


async def test_neither_the_token_nor_the_name_is_in_the_database(site: Site, database: Database):
    url = await site.issue()
    async with database.transaction() as connection:
        rows = (await connection.execute(select(link_pages))).mappings().all()
    kept = repr([dict(row) for row in rows])
    assert url.rsplit("/", 1)[1] not in kept
    assert "Acme" not in kept


@pytest.mark.parametrize(("scheme", "kept"), [("http", False), ("https", True)])
async def test_browsers_keep_to_https_where_the_pages_are_reached_by_it(
    make_keyring: MakeKeyring, database: Database, scheme: str, kept: bool
):
    async with serving(make_keyring(), database, scheme) as site:
        url = (await site.issue()).replace("https://", "http://")
        answers = [await site.get(url), await site.post(url, "k" * (MOST_BYTES + 1)), await site.get(url + "x")]
    assert [status for status, _, _ in answers] == [200, 413, 410]
    assert [("Strict-Transport-Security" in headers) for _, _, headers in answers] == [kept] * 3


async def test_the_page_names_whose_questions_will_use_the_key(site: Site):
    _, page, _ = await site.get(await site.issue())
    assert "Ana at Acme" in page
    assert f"Slack member {ANA.user}" in page


async def test_every_answer_forbids_scripts_frames_caches_and_referrers(site: Site):
    url = await site.issue()
    answers = [
        await site.get(url),
        await site.post(url, "wrong"),
        await site.post(url, ANAS, headers={"Content-Type": "text/plain"}, data=ANAS),
        await site.post(url, "k" * (MOST_BYTES + 1)),
        await site.post(url, ANAS),
        await site.get(url),
    ]
    assert [status for status, _, _ in answers] == [200, 422, 415, 413, 200, 410]
    for _, _, headers in answers:
        policy = dict(directive.split(" ", 1) for directive in headers["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
        assert policy["form-action"] == "'self'"
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "Set-Cookie" not in headers


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "body",
    [b"\xff\xfe", b"&&&&&&&&&&&&&&&&&&&&&", b"=" * 100, f"{KEY_FIELD}=%FF%FE".encode(), b"a=1&" * 1000],
)
async def test_a_form_that_is_none_is_refused_and_nothing_breaks(site: Site, body: bytes):
    url = await site.issue()
    status, _, _ = await site.post(url, None, data=body, headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert status in (400, 422)
    assert (await site.post(url, ANAS))[0] == 200


async def test_a_name_cannot_become_part_of_the_page(site: Site):
    url = await site.issue(name="<script>alert('x')</script> \"&")
    _, page, _ = await site.get(url)
    assert "<script" not in page
    assert "&lt;script&gt;" in page


class _Elements(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def the(self, tag: str) -> dict[str, str | None]:
        (attributes,) = [attributes for name, attributes in self.found if name == tag]
        return attributes


async def test_the_form_can_be_used_by_everybody_and_remembers_nothing(site: Site):
    url = await site.issue()
    for _, page, _ in (await site.get(url), await site.post(url, "wrong")):
        elements = _Elements(page)
        field = elements.the("input")
        assert elements.the("html")["lang"] == "en"
        assert elements.the("label")["for"] == field["id"]
        assert field["type"] == "password"
        assert field["autocomplete"] == "off"
        assert "value" not in field
        ids = {attributes.get("id") for _, attributes in elements.found}
        assert set((field["aria-describedby"] or "").split()) <= ids
        assert elements.the("form") == {"method": "post"}
        assert [tag for tag, _ in elements.found if tag in ("script", "img", "link", "iframe")] == []
        assert len(re.findall("<h1>", page)) == 1


async def test_who_may_not_link_gets_no_page(make_keyring: MakeKeyring, database: Database):
    for keyring in (make_keyring(may_link=nobody), make_keyring(seal=None)):
        async with serving(keyring, database) as site:
            with pytest.raises(LinkingOff):
                await site.issue()


async def test_a_page_whose_encryption_key_is_gone_is_over(site: Site, make_keyring: MakeKeyring, database: Database):
    token = urlsplit(await site.issue()).path.rsplit("/", 1)[1]
    other = LinkCache(LinkStore(database), Encryption([new_key()]))
    assert await LinkTokens(database, other).look(token) is None
    async with serving(make_keyring(seal=None), database) as elsewhere:
        url = f"{elsewhere.pages._base}/link/{token}"
        assert (await elsewhere.get(url))[0] == 410
        assert (await elsewhere.post(url, ANAS))[0] == 410


@pytest.mark.parametrize("url", ["http://omnibot.example.com", "ftp://x", "omnibot.example.com", ""])
def test_keys_never_travel_unencrypted(keyring_parts: Any, url: str):
    with pytest.raises(SettingsError, match="https"):
        LinkPage(*keyring_parts, public_url=url)


@pytest.fixture
def keyring_parts(keyring: Keyrings, database: Database) -> tuple[LinkTokens, Any]:
    return LinkTokens(database, keyring.links), keyring.linking
