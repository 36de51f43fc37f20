"""Finds a Chromium on this machine; as a program prints its path, or says how to get one and exits 1."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
_PLACES = (
    "/usr/lib/chromium/chromium",
    "/snap/bin/chromium",
    "/opt/google/chrome/chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
HOW_TO_GET_ONE = (
    "These tests need Chromium or Chrome, and none was found on PATH or in the usual places. Install one "
    "(Debian and Ubuntu: apt install chromium; macOS: brew install --cask chromium; Fedora: dnf install chromium), "
    "or name yours: CHROMIUM=/path/to/it make test-browser"
)


def chromium() -> str:
    """The path of one.

    Raises:
        LookupError: there is none; says how to get one.
    """
    named = os.environ.get("CHROMIUM")
    if named:
        found = shutil.which(named)
        if found is None:
            raise LookupError(f"CHROMIUM names {named!r}, which cannot be run. {HOW_TO_GET_ONE}")
        return found
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    found = found or next((place for place in _PLACES if Path(place).exists()), None)
    if found is None:
        raise LookupError(HOW_TO_GET_ONE)
    return found


if __name__ == "__main__":
    try:
        print(chromium())
    except LookupError as error:
        sys.exit(str(error))
