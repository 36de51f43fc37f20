"""The command line: parses, delegates, prints."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import typer
from rich.console import Console

from omnibot.db import migrate
from omnibot.errors import OmnibotError
from omnibot.settings import DatabaseSettings, Settings

app = typer.Typer(
    name="omnibot",
    help="Clear Street's Omni AI, the conversational trading assistant, inside Slack.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    add_completion=False,
)
db = typer.Typer(help="The database.", no_args_is_help=True)
app.add_typer(db, name="db")
_errors = Console(stderr=True)


@app.command()
def run() -> None:
    """Answer in Slack until stopped."""
    from omnibot.app import run as run_service

    _finish(run_service(Settings.read()))


@db.command()
def upgrade() -> None:
    """Bring the database to the tables this version needs."""
    revision = _finish(migrate.upgrade(DatabaseSettings().database_url))
    typer.echo(f"The database is at {revision}.")


def _finish(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


def main() -> None:
    """Run the command line; errors made for people are shown as sentences."""
    try:
        app()
    except OmnibotError as error:
        _errors.print(str(error), style="red", markup=False, highlight=False)
        raise SystemExit(1) from None
