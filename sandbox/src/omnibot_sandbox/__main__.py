"""`omnibot-sandbox`, or `python -m omnibot_sandbox`: Slack and Clear Street on loopback, and a page to use them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from omnibot_sandbox.clearstreet.revision import REVISIONS
from omnibot_sandbox.demo.commands import run_emulators


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until stopped; returns the exit code."""
    parser = argparse.ArgumentParser(prog="omnibot-sandbox", description="Slack and Clear Street on loopback.")
    parser.add_argument("--port", type=int, default=8420, help="port of the page; the next free one if it is taken")
    parser.add_argument("--slack-port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--clear-street-port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--pace", type=float, default=1.0, help="multiplies the time Omni takes")
    parser.add_argument("--revision", choices=list(REVISIONS), default="2026-10", help="of Clear Street's API")
    given = parser.parse_args(arguments)
    return run_emulators(
        port=given.port,
        slack_port=given.slack_port,
        clear_street_port=given.clear_street_port,
        pace=given.pace,
        revision=given.revision,
    )


if __name__ == "__main__":
    sys.exit(main())
