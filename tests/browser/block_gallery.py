"""The page's renderer alone, in Chromium: blocks go in, what a person would see comes out."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect

JSON = dict[str, Any]

PAGE = files("omnibot_sandbox.demo") / "page"
#: As strict as the demo's own: a renderer that needs more would not work there.
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'"
TYPES = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "woff2": "font/woff2",
    "svg": "image/svg+xml",
}
#: What can be loaded beside the page's own files.
OWN = {
    "/gallery.html": b"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Gallery</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="/styles/tokens.css">
<link rel="stylesheet" href="/styles/blocks.css"><div id="shown"></div>
<script type="module" src="/gallery.js"></script></html>""",
    "/gallery.js": b"""
import { html, render } from "/vendor/preact.js";
import { Blocks, Markdown, Mrkdwn, stateValues } from "/blocks/index.js";

const root = document.getElementById("shown");
const names = {
  U0ANA00001: { name: "Ana", kind: "user" },
  U0BEN00001: { name: "Ben", kind: "user" },
  U0OMNI0001: { name: "Omni", kind: "bot" },
  C0TRADING1: { name: "trading", kind: "channel" },
  C0RESEARCH: { name: "research", kind: "channel" },
  C0SECRET01: { name: "secret", kind: "channel", hidden: true },
};
let acted = [];
let waiting = [];
let shown;

function draw() {
  const { blocks, surface, entries, errors, answer, hold, busy } = shown;
  const key = (block, action) => `${block} ${action}`;
  const state = {
    get: (block, action) => entries[key(block, action)],
    set: (block, action, value) => {
      entries[key(block, action)] = value;
      draw();
    },
  };
  const act = async (block, element, value) => {
    acted.push([block.block_id ?? null, element.action_id, value]);
    root.dataset.acted = acted.length;
    if (hold) await new Promise((resolve) => waiting.push(resolve));
    return answer;
  };
  const ctx = { names, me: "U0ANA00001", state, errors, act, file: (id) => `/files/${id}.svg`, busy: new Set(busy) };
  render(html`<${Blocks} blocks=${blocks} surface=${surface} ctx=${ctx} />`, root);
  window.values = () => stateValues(blocks, state);
}

window.show = (blocks, surface, more) => {
  acted = [];
  waiting = [];
  root.dataset.acted = 0;
  render(null, root);
  shown = { blocks, surface, entries: {}, errors: {}, answer: { ok: true }, hold: false, busy: [], ...more };
  draw();
};
window.change = (blocks) => {
  shown.blocks = blocks;
  draw();
};
window.acted = () => acted;
window.release = () => waiting.splice(0).forEach((resolve) => resolve());
const TEXTS = { markdown: Markdown, mrkdwn: Mrkdwn };
window.write = (kind, text) => render(html`<${TEXTS[kind]} text=${text} ctx=${{ names, me: "U0ANA00001" }} />`, root);
root.dataset.ready = "yes";
""",
    "/files/F0CHART001.svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="60" height="40"></svg>',
}


class _Files(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        file = PAGE / self.path.lstrip("/")
        body = OWN.get(self.path) or (file.read_bytes() if file.is_file() else None)
        self.send_response(HTTPStatus.OK if body is not None else HTTPStatus.NOT_FOUND)
        self.send_header("Content-Type", TYPES.get(self.path.rsplit(".", 1)[-1], "text/plain"))
        self.send_header("Content-Length", str(len(body or b"")))
        self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, format: str, *args: object) -> None:
        pass


class Gallery:
    """A page that shows what it is given, and remembers what was done there."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.root: Locator = page.locator("#shown")
        self.complaints: list[str] = []
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, said: ConsoleMessage) -> None:
        if said.type in ("error", "warning"):
            self.complaints.append(said.text)

    def show(self, *blocks: Any, surface: str = "message", **more: Any) -> None:
        """Draw these blocks afresh. `more`: entries, errors, answer (what a press comes back with), hold, busy."""
        self.page.evaluate("([blocks, surface, more]) => window.show(blocks, surface, more)", [blocks, surface, more])

    def change(self, *blocks: Any) -> None:
        """Draw other blocks in place of those shown, as an edited message is."""
        self.page.evaluate("(blocks) => window.change(blocks)", blocks)

    def write(self, kind: str, text: str) -> None:
        """Draw a text by itself, as `markdown` or `mrkdwn`; a second time in place of the first."""
        self.page.evaluate("([kind, text]) => window.write(kind, text)", [kind, text])

    def acted(self, count: int) -> list[list[Any]]:
        """The block_id, action_id and value of each press or selection so far, once there are that many."""
        expect(self.root).to_have_attribute("data-acted", str(count))
        acts: list[list[Any]] = self.page.evaluate("() => window.acted()")
        return acts

    def release(self) -> None:
        """Let the presses that were held come back."""
        self.page.evaluate("() => window.release()")

    def values(self) -> JSON:
        """What Slack would send as state.values now."""
        values: JSON = self.page.evaluate("() => window.values()")
        return values

    def text(self) -> str:
        """All text, also what only screen readers get."""
        return self.root.text_content() or ""

    def markup(self) -> str:
        """The elements drawn."""
        return self.root.inner_html()


@contextmanager
def _serving() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Files) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join(30)


@contextmanager
def open_gallery(browser: Browser, patience: int) -> Iterator[Gallery]:
    """A page for any number of tests, which each draw afresh; `patience` in milliseconds."""
    with _serving() as address:
        context = browser.new_context(viewport={"width": 1000, "height": 800}, locale="en-US", timezone_id="UTC")
        context.set_default_timeout(patience)
        gallery = Gallery(context.new_page())
        gallery.page.goto(f"{address}/gallery.html")
        expect(gallery.root).to_have_attribute("data-ready", "yes")
        yield gallery
        context.close()
