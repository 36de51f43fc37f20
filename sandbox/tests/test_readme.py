"""What the README of the sandbox shows works as it is written there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from omnibot_sandbox.clearstreet.server import ClearStreetEmulator

from sandbox.tests.contracts.environments import Sdk

README = (Path(__file__).parents[1] / "README.md").read_text()


def test_the_example_runs_and_prints_what_it_says(tmp_path: Path):
    [example] = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    (tmp_path / "example.py").write_text(example)
    ended = subprocess.run(
        [sys.executable, "example.py"], cwd=tmp_path, capture_output=True, text=True, env=os.environ, check=False
    )
    assert ended.stderr == ""
    assert ended.stdout.splitlines() == ["503 200", "['POST /v1/omni-ai/threads', 'POST /v1/omni-ai/threads']"]


async def test_the_quick_start_of_the_official_sdk_runs():
    """Its own README begins with the accounts and one order."""
    sdk = Sdk("0.11.0")
    try:
        async with ClearStreetEmulator(revision="2026-10") as clear_street:
            accounts = await sdk(clear_street.base_url, "v1.accounts.get_accounts")
            assert accounts.error is None
            [account, *_] = accounts.data
            order = {"symbol": "AAPL", "side": "BUY", "order_type": "MARKET", "quantity": "1", "time_in_force": "DAY"}
            placed = await sdk(
                clear_street.base_url,
                "v1.orders.submit_orders",
                account_id=account["id"],
                orders=[order],
            )
            assert placed.error is None
            assert [one["symbol"] for one in placed.data] == ["AAPL"]
    finally:
        sdk.close()


def test_the_command_names_its_options():
    ended = subprocess.run(
        [sys.executable, "-m", "omnibot_sandbox", "--help"], capture_output=True, text=True, env=os.environ, check=False
    )
    assert ended.returncode == 0
    for option in ("--port", "--slack-port", "--clear-street-port", "--pace", "--revision"):
        assert option in ended.stdout
