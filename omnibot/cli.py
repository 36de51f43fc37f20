"""The command line: parses, delegates, prints."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from enum import Enum
from functools import partial
from importlib import resources
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import typer
from rich.console import Console

from omnibot import __version__
from omnibot.errors import OmnibotError
from omnibot.settings import AuditSettings, DatabaseSettings, KeysSettings, PolicySettings, Settings, split_secrets

app = typer.Typer(
    name="omnibot",
    help="Clear Street's Omni AI, the conversational trading assistant, inside Slack.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    add_completion=False,
)
db = typer.Typer(help="The database.", no_args_is_help=True)
app.add_typer(db, name="db")
keys = typer.Typer(help="The keys that encrypt linked API keys.", no_args_is_help=True)
app.add_typer(keys, name="keys")
policy = typer.Typer(help="Who may what.", no_args_is_help=True)
app.add_typer(policy, name="policy")
audit = typer.Typer(help="What was done with orders, by whom, and what they saw.", no_args_is_help=True)
app.add_typer(audit, name="audit")
_errors = Console(stderr=True)


class Revision(Enum):
    """The revisions of Clear Street's API that the sandbox speaks."""

    FIRST = "2026-04"
    MIDDLE = "2026-08"
    LATEST = "2026-10"


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def omnibot(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which.")] = False,
) -> None:
    """Clear Street's Omni AI, the conversational trading assistant, inside Slack."""


@app.command()
def run() -> None:
    """Answer in Slack until stopped."""
    from omnibot.app import run as run_service

    _finish(run_service(Settings.read()))


@app.command()
def demo(
    play: Annotated[
        list[str] | None,
        typer.Option(metavar="STORY", help="Play this story in the terminal, and check it; may be given repeatedly."),
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the stories.")] = False,
    port: Annotated[int, typer.Option(help="Port of the page; the next free one if it is taken.")] = 8420,
    pace: Annotated[float, typer.Option(help="Multiplies the time Omni takes.", min=0)] = 1.0,
    revision: Annotated[Revision, typer.Option(help="Revision of Clear Street's API.")] = Revision.LATEST,
) -> None:
    """Ask Omni in a Slack you can see: no account, no network, everything on this computer."""
    commands = _sandbox()
    if list_:
        code = commands.list_stories()
    elif play:
        code = commands.play(play, pace=pace, revision=revision.value)
    else:
        code = commands.show_page(port=port, pace=pace, revision=revision.value)
    raise typer.Exit(code)


@app.command()
def emulator(
    port: Annotated[int, typer.Option(help="Port of the page; the next free one if it is taken.")] = 8420,
    slack_port: Annotated[int, typer.Option(help="0 takes a free one.")] = 0,
    clear_street_port: Annotated[int, typer.Option(help="0 takes a free one.")] = 0,
    pace: Annotated[float, typer.Option(help="Multiplies the time Omni takes.", min=0)] = 1.0,
    revision: Annotated[Revision, typer.Option(help="Revision of Clear Street's API.")] = Revision.LATEST,
) -> None:
    """Run Slack and Clear Street on loopback, for authors of bots."""
    commands = _sandbox()
    ports = {"port": port, "slack_port": slack_port, "clear_street_port": clear_street_port}
    raise typer.Exit(commands.run_emulators(**ports, pace=pace, revision=revision.value))


@app.command()
def doctor(
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of lines.")] = False,
) -> None:
    """Find out what keeps the bot from working, and how to mend it; exits with 1 when something does."""
    from omnibot.doctor.report import run as examine

    raise typer.Exit(_finish(examine(as_json=json)))


@app.command()
def manifest(
    socket: Annotated[
        bool, typer.Option("--socket", help="For Socket Mode, which needs no public address; the default.")
    ] = False,
    http: Annotated[
        str | None,
        typer.Option(metavar="URL", help="For HTTP, with the bot's address, as https://omnibot.example.com."),
    ] = None,
) -> None:
    """Print the manifest from which Slack makes the app."""
    from omnibot.slack.connection.manifest import as_yaml, build, request_url

    if socket and http is not None:
        raise typer.BadParameter("Slack reaches the bot in one way only: --socket or --http, not both.")
    typer.echo(as_yaml(build(request_url(http) if http is not None else None)), nl=False)


@db.command()
def upgrade() -> None:
    """Bring the database to the tables this version needs."""
    from omnibot.db.migrate import upgrade as upgrade_database

    revision = _finish(upgrade_database(DatabaseSettings().database_url))
    typer.echo(f"The database is at {revision}.")


_NEW_KEY = """\
Put this key first in OMNIBOT_ENCRYPTION_KEYS, before the ones that are there, with commas between:
the first key encrypts, any of them decrypts. Keep it secret, and keep a copy outside the database.
Restart every omnibot with it, then run `omnibot keys rotate`: it says which of the older keys are still needed.
"""


@keys.command()
def new() -> None:
    """Print a fresh key for OMNIBOT_ENCRYPTION_KEYS, and what to do with it."""
    from omnibot.encryption import new_key

    # The words go elsewhere, so that the key can be piped.
    typer.echo(_NEW_KEY, err=True, nl=False)
    typer.echo(new_key())


@keys.command()
def rotate() -> None:
    """Encrypt every linked API key with the first of OMNIBOT_ENCRYPTION_KEYS; bots may go on running."""
    from omnibot.accounts.rotation import describe, rotate_database
    from omnibot.orders.audit_report import older_keys_needed

    settings = KeysSettings()
    report = _finish(rotate_database(settings.database_url, settings.encryption_keys()))
    typer.echo(describe(report))
    audit_keys = split_secrets(settings.omnibot_audit_key)
    if needed := _finish(older_keys_needed(settings.database_url, settings.encryption_keys(), audit_keys)):
        typer.echo(needed)
    raise typer.Exit(0 if report.complete else 1)


@policy.command()
def check(
    path: Annotated[Path | None, typer.Argument(help="The file; what OMNIBOT_POLICY says if left out.")] = None,
) -> None:
    """Say in sentences what a policy file allows, or all that is wrong with it; exits with 1 when something is."""
    from omnibot.policy.describe import summary
    from omnibot.policy.live_policy import read_file, warnings_of
    from omnibot.policy.model import Policy

    path = path or PolicySettings().omnibot_policy
    read = Policy() if path is None else read_file(path)[0]
    typer.echo("OMNIBOT_POLICY is not set. Without a policy file:" if path is None else f"{path} is in order.")
    for warning in () if path is None else warnings_of(path):
        typer.echo(f"Warning: {warning}")
    typer.echo(f"\n{summary(read)}")


@policy.command()
def example() -> None:
    """Print an example of a policy file, with every key and its meaning."""
    typer.echo(resources.files("omnibot.policy").joinpath("example.toml").read_text("utf-8"), nl=False)


@policy.command()
def explain(
    ticket: Annotated[str, typer.Argument(help="Its id, or the client order id of its order.")],
) -> None:
    """Say what each rule said whenever somebody tried to approve an order; exits with 1 when there is no such one."""
    from omnibot.orders.explaining import explain_database

    told = _finish(explain_database(DatabaseSettings().database_url, ticket))
    if told is None:
        raise NoSuchTicket
    typer.echo(told)


class NoSuchTicket(OmnibotError):
    """There is no such ticket. Its id stands on its card, and in the audit."""


@audit.command()
def verify(
    head: Annotated[str | None, typer.Option(metavar="HASH", help="A head that was noted or logged earlier.")] = None,
    head_file: Annotated[
        Path | None, typer.Option(help="A file with heads; what OMNIBOT_AUDIT_HEAD_FILE says if left out.")
    ] = None,
) -> None:
    """Find out whether the audit was changed or cut off, or tickets are not what it says; exits with 1 if so."""
    from omnibot.orders.audit_report import describe, verify_database

    settings = AuditSettings()
    keys, others = split_secrets(settings.omnibot_audit_key), settings.audit_secrets()
    head_file = head_file or settings.omnibot_audit_head_file
    found = _finish(verify_database(settings.database_url, keys, others, head=head, head_file=head_file))
    typer.echo(describe(found))
    raise typer.Exit(0 if found.sound else 1)


@audit.command()
def export(
    csv: Annotated[bool, typer.Option("--csv", help="One line a row, names first; the default.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Print the whole audit."""
    from omnibot.orders.audit_report import print_database

    if csv and json:
        raise typer.BadParameter("Choose one of --csv and --json.")
    _finish(print_database(DatabaseSettings().database_url, "json" if json else "csv", partial(typer.echo, nl=False)))


class NoSandbox(OmnibotError):
    """The demo is not installed: it is a package of its own. Install it with: pip install 'omnibot[demo]'."""


def _sandbox() -> ModuleType:
    """The commands of the sandbox, which is not installed where the bot trades.

    Raises:
        NoSandbox: it is not installed.
    """
    try:
        from omnibot_sandbox.demo import commands
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "omnibot_sandbox":
            raise
        raise NoSandbox from None
    return commands


def _finish(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


def main() -> None:
    """Run the command line; errors made for people are shown as sentences."""
    try:
        app()
    except OmnibotError as error:
        _errors.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        raise SystemExit(1) from None
