"""The page's own files, as they are served: read once, with the module."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable

_FOLDER = files("omnibot_sandbox.demo") / "page"
_KINDS = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}


def _served(folder: Traversable, at: str) -> Iterator[tuple[str, tuple[bytes, str]]]:
    for entry in folder.iterdir():
        kind = _KINDS.get(entry.name[entry.name.rfind(".") :])
        if entry.is_dir():
            yield from _served(entry, f"{at}{entry.name}/")
        elif kind is not None:
            yield at + entry.name, (entry.read_bytes(), kind)


#: Path to content and type. Read here, because files must not be read in a loop.
PAGE_FILES: dict[str, tuple[bytes, str]] = dict(_served(_FOLDER, "/"))
PAGE_FILES["/"] = PAGE_FILES["/index.html"]
