"""The one-time web page on which a person enters an API key, so that it does not pass through Slack."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from collections.abc import Awaitable, Callable
from html import escape
from urllib.parse import parse_qs, urlsplit

import structlog
from aiohttp import web

from omnibot.accounts.link_tokens import LinkToken, LinkTokens
from omnibot.accounts.linking import Linking
from omnibot.accounts.model import KeyRefused, Linked, LinkingOff, NotAKey, NotLinked, PageSpent, Person
from omnibot.errors import SettingsError
from omnibot.settings import LOOPBACK
from omnibot.telemetry import KEY_FIELD

log = structlog.get_logger(__name__)

#: Bytes of a form: a key, however much was pasted with it.
MOST_BYTES = 8_192

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:3rem auto;padding:0 1rem;color:#1d1c1d;background:#fff}
label{display:block;font-weight:600;margin-bottom:.25rem}
input{box-sizing:border-box;width:100%;font:inherit;padding:.5rem;border:1px solid #616061;border-radius:4px}
button{font:inherit;font-weight:600;margin-top:1rem;padding:.5rem 1.25rem;border:0;border-radius:4px}
button{color:#fff;background:#007a5a}
input:focus,button:focus{outline:3px solid #1264a3;outline-offset:2px}
.error{border-left:4px solid #b3123f;padding-left:.75rem}
@media (prefers-color-scheme:dark){body{color:#f2f2f2;background:#1a1d21}input{color:inherit;background:#222529}}
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # The address is the secret.
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
}

#: Where people reach the pages over https, their browsers ask by nothing else from then on.
_STRICT = {"Strict-Transport-Security": "max-age=31536000"}

SPENT = "This page was used already, or has expired. Type `/omni link` in Slack for a new one."

_CODE = re.compile(r"`([^`]+)`")

#: Called after a key was linked on a page: tell the person in Slack, whoever sat at the page.
Told = Callable[[Person, str, Linked], Awaitable[None]]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class LinkPage:
    """Makes addresses of pages, and serves the pages.

    A page is bound to a person, is good for ten minutes and for one key, and shows nothing but whom it is for. Nobody
    but that person is told the address; who knows it can link a key of their own choice for the person, so the person
    is told in Slack when it was used.

    Args:
        invitations: who may enter a key on which page.
        linking: checks and stores it, as the modal in Slack does.
        public_url: where browsers reach this process: `https://omnibot.example.com`.
        told: called after each link; a failure of it is logged.

    Raises:
        SettingsError: `public_url` would let keys travel unencrypted.
    """

    def __init__(self, invitations: LinkTokens, linking: Linking, *, public_url: str, told: Told | None = None) -> None:
        parts = urlsplit(public_url)
        # To this computer a form may be sent without encryption.
        if parts.scheme != "https" and parts.hostname not in LOOPBACK:
            raise SettingsError("the address of the page on which people enter keys must begin with https://")
        self._base = public_url.rstrip("/")
        self._invitations = invitations
        self._linking = linking
        self._told = told
        self._encrypted = parts.scheme == "https"
        #: Anybody may ask for pages that do not exist; they take one place among those who wait for the database.
        self._one_look = asyncio.Lock()

    def routes(self) -> list[web.RouteDef]:
        """What the HTTP server serves."""
        show, submit = self._https_only(self.show), self._https_only(self.submit)
        return [web.get("/link/{token}", show), web.post("/link/{token}", submit)]

    async def issue(self, person: Person, *, team: str, name: str) -> str:
        """The address of a new page for this person, for their eyes only; an earlier one is void.

        Args:
            person: whose key it will link.
            team: the workspace they are in.
            name: whom the page says it is for: "Ana at Acme".

        Raises:
            LinkingOff: nobody can link here, or this person may not.
        """
        await self._linking.require(person)
        return f"{self._base}/link/{await self._invitations.issue(person, team=team, name=name)}"

    async def show(self, request: web.Request) -> web.Response:
        """`GET /link/{token}`: the form. However often it is fetched (previews, scanners), it is not used up."""
        try:
            async with self._one_look:
                invitation = await self._invitations.look(request.match_info["token"])
        except LinkingOff:
            invitation = None
        return _page(200, _form(invitation)) if invitation is not None else _spent()

    async def submit(self, request: web.Request) -> web.Response:
        """`POST /link/{token}`: link the key, once."""
        text = await _entered(request)
        try:
            async with self._one_look:
                invitation = await self._invitations.attempt(request.match_info["token"])
        except LinkingOff:
            invitation = None
        if invitation is None:
            return _spent()
        try:
            linked = await self._linking.link(invitation.person, text, team=invitation.team, page=invitation.page)
        except PageSpent:
            return _spent()
        except NotLinked as error:
            status = 422 if isinstance(error, NotAKey | KeyRefused) else 503
            return _page(status, _form(invitation, error))
        await self._tell(invitation, linked)
        return _page(200, _done(linked))

    def _https_only(self, handler: Callable[[web.Request], Awaitable[web.Response]]) -> Handler:
        async def strict(request: web.Request) -> web.StreamResponse:
            try:
                answer: web.Response = await handler(request)
            except web.HTTPException as refusal:
                refusal.headers.update(_STRICT)
                raise
            answer.headers.update(_STRICT)
            return answer

        return strict if self._encrypted else handler

    async def _tell(self, invitation: LinkToken, linked: Linked) -> None:
        if self._told is None:
            return
        try:
            await self._told(invitation.person, invitation.team, linked)
        except Exception:
            log.exception("link_not_told", org=invitation.person.org, user=invitation.person.user)


async def _entered(request: web.Request) -> str:
    """What the form's field held."""
    if request.content_type != "application/x-www-form-urlencoded":
        raise web.HTTPUnsupportedMediaType(headers=_HEADERS)
    # One byte more tells a form that fits from one that does not, whatever its header says.
    body = b""
    while len(body) <= MOST_BYTES and (piece := await request.content.read(MOST_BYTES + 1 - len(body))):
        body += piece
    if len(body) > MOST_BYTES:
        raise web.HTTPRequestEntityTooLarge(MOST_BYTES, len(body), headers=_HEADERS)
    try:
        form = parse_qs(body.decode(), max_num_fields=8, errors="strict")
    except ValueError:
        raise web.HTTPBadRequest(headers=_HEADERS) from None
    return form.get(KEY_FIELD, [""])[0]


def _spent() -> web.Response:
    return _page(410, f'<h1>This page is over</h1>\n<p role="alert">{_words(SPENT)}</p>')


def _form(invitation: LinkToken, error: NotLinked | None = None) -> str:
    trouble, described = "", "for"
    if error is not None:
        request = f" (request {error.request_id})" if error.request_id else ""
        trouble = f'<p class="error" id="error" role="alert">{_words(str(error) + request)}</p>\n'
        described = "error for"
    wrong = ' aria-invalid="true"' if error is not None else ""
    return f"""<h1>Link your Clear Street API key</h1>
<p id="for">The key you enter here will be used for questions that <strong>{escape(invitation.name)}</strong>
(Slack member {escape(invitation.person.user)}) asks Omni in Slack. If that is not you, close this page: never enter a
key for somebody else.</p>
{trouble}<form method="post">
<label for="key">Clear Street API key</label>
<input id="key" name="{KEY_FIELD}" type="password" required autofocus autocomplete="off" autocapitalize="none"
spellcheck="false" aria-describedby="{described}"{wrong}>
<button>Link this key</button>
</form>
<p>It is checked with Clear Street, stored encrypted, and removed with <code>/omni unlink</code>.</p>"""


def _words(text: str) -> str:
    """A sentence as HTML; what Slack would show as code is code."""
    return _CODE.sub(r"<code>\1</code>", escape(text))


def _done(linked: Linked) -> str:
    count = len(linked.accounts)
    sees = "one open account" if count == 1 else f"{count} open accounts"
    more = "" if linked.default is not None else " Choose one with <code>/omni account</code>."
    return f"""<h1>Your key is linked</h1>
<p role="status">It sees {sees}.{more} You can close this page and go on in Slack.</p>"""


def _page(status: int, body: str) -> web.Response:
    text = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>omnibot: link a key</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""
    return web.Response(status=status, text=text, content_type="text/html", headers=_HEADERS)
