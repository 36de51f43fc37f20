"""Findings and what they mean. Pure: facts in, findings out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from omnibot.clearstreet.revision import Revision
from omnibot.db.migrate import SchemaStatus
from omnibot.errors import ClearStreetError, Malformed, NotEntitled, NotFound, RateLimited, Unauthorised
from omnibot.settings import Settings
from omnibot.slack.connection.manifest import BOT_SCOPES
from omnibot.slack.connection.token_check import BotToken
from omnibot.slack.errors import Classified, SlackFailure

#: Seconds by which clocks may differ before Slack's signatures count as expired, and before that is worth a word.
CLOCK_LIMIT, CLOCK_WORTH_A_WORD = 300.0, 60.0
#: So many account ids are named; whoever has more knows where to look.
NAMED = 5

_APP = "of the app on https://api.slack.com/apps"
_WHERE = {
    "SLACK_BOT_TOKEN": f"copy the bot token (xoxb-...) from OAuth & Permissions {_APP}",
    "SLACK_SIGNING_SECRET": f"set one of them; both are under Basic Information {_APP}: the app-level token (xapp-..., "
    "scope connections:write) for Socket Mode, the signing secret for HTTP",
    "CLEAR_STREET_API_KEY": "set the API key that Clear Street gave you",
}
_UPGRADE = "run `omnibot db upgrade`"
_DATABASE_URL = (
    "set DATABASE_URL to a SQLite file (sqlite:///omnibot.sqlite3), or to a PostgreSQL server that runs and lets "
    "omnibot in (postgresql://user:password@host/name)"
)
_APP_TOKEN = f"generate an app-level token (xapp-...) with the scope connections:write under Basic Information {_APP}"


class Symbol(StrEnum):
    """How bad it is."""

    OK = "ok"
    #: The bot starts; something is not as it might be, or could not be found out.
    WARNING = "warning"
    #: The bot does not start, or cannot do all it promises.
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    check: str
    mark: Symbol
    message: str
    #: What to do; every problem has one.
    fix: str | None = None


def ok(check: str, message: str) -> Finding:
    """All is well."""
    return Finding(check, Symbol.OK, message)


def warning(check: str, message: str, fix: str | None = None) -> Finding:
    """Worth knowing."""
    return Finding(check, Symbol.WARNING, message, fix)


def problem(check: str, message: str, fix: str) -> Finding:
    """To be mended."""
    return Finding(check, Symbol.PROBLEM, message, fix)


def unchecked(check: str, why: str) -> Finding:
    """Not found out, because of something that has a finding of its own."""
    return warning(check, f"not checked: {why}")


def endless(check: str, seconds: float) -> Finding:
    """A check that did not come to an end."""
    return problem(check, f"no answer within {seconds:.0f} s", "check the network between here and there")


def broken(check: str, error: str) -> Finding:
    """A check that failed in a way nobody foresaw; `error` is the exception's name."""
    return problem(check, f"the check itself failed ({error})", "report this to the authors of omnibot")


# -- settings ---------------------------------------------------------------------------------------------------------


def settings(read: Settings, wrong: Mapping[str, str]) -> list[Finding]:
    """Each variable that is missing or wrong, and how Slack reaches the bot."""
    default = "correct it; the README lists what each variable may be"
    found = [problem("settings", f"{name}: {reason}", _WHERE.get(name, default)) for name, reason in wrong.items()]
    found = found or [ok("settings", "every variable is as it should be")]
    if read.slack_app_token is not None:
        found.append(ok("mode", "Socket Mode, because SLACK_APP_TOKEN is set"))
    elif "SLACK_SIGNING_SECRET" not in wrong:
        found.append(ok("mode", "HTTP, because SLACK_APP_TOKEN is not set: Slack delivers to /slack/events"))
    return found


# -- database ---------------------------------------------------------------------------------------------------------


def no_database(reason: str) -> Finding:
    """It cannot be opened."""
    return problem("database", reason, _DATABASE_URL)


def database(name: str, status: SchemaStatus | None) -> Finding:
    """Its migrations; None: the SQLite file does not exist."""
    if status is None:
        return problem("database", f"{name} does not exist yet", _UPGRADE)
    if status.current == status.head:
        return ok("database", f"{name}, at {status.current}")
    if status.current is None:
        return problem("database", f"{name} has no tables yet", _UPGRADE)
    if status.known:
        return problem("database", f"{name} is at {status.current}, this version needs {status.head}", _UPGRADE)
    return problem(
        "database",
        f"{name} is at {status.current}, which this version does not know",
        "run the version of omnibot that migrated it, or a later one",
    )


def readable(files: Sequence[Path]) -> list[Finding]:
    """SQLite files that others on this computer can read."""
    if not files:
        return []
    names = " ".join(str(file) for file in files)
    said = f"others on this computer can read {names}, which hold questions, answers and account data"
    return [warning("database files", said, f"chmod 600 {names}")]


def sqlite_on_dyno(dyno: str) -> Finding:
    """Questions and answers do not outlive the dyno."""
    return problem(
        "dyno",
        f"the SQLite file is on the dyno {dyno}, whose files are lost with every restart",
        "attach a PostgreSQL database and set DATABASE_URL to it",
    )


# -- Slack ------------------------------------------------------------------------------------------------------------


def bot_token(token: BotToken, host: str) -> Finding:
    """Whether Slack accepts it, and who it is."""
    check = "Slack bot token"
    if token.refusal is not None:
        return _slack_refusal(check, "SLACK_BOT_TOKEN", token.refusal, host, _WHERE["SLACK_BOT_TOKEN"])
    if not token.bot:
        return problem(check, "SLACK_BOT_TOKEN is a person's token, not a bot's", _WHERE["SLACK_BOT_TOKEN"])
    return ok(check, f"{token.name} in the workspace {token.workspace}")


def scopes(token: BotToken) -> Finding:
    """What the installed app may do, against what the manifest asks for."""
    check = "Slack scopes"
    if token.refusal is not None:
        return unchecked(check, "Slack says it only of a token that it accepts")
    if token.scopes is None:
        return unchecked(check, "Slack did not say which are granted")
    missing = [f"{scope} ({purpose})" for scope, purpose in BOT_SCOPES.items() if scope not in token.scopes]
    if missing:
        return problem(
            check,
            f"not granted: {', '.join(missing)}",
            f"put what `omnibot manifest` prints under App Manifest {_APP}, then reinstall the app",
        )
    return ok(check, f"all {len(BOT_SCOPES)} of the manifest are granted")


def app_token(refusal: Classified | None, host: str) -> Finding:
    """Whether Slack would open a Socket Mode connection."""
    check = "Slack app token"
    if refusal is None:
        return ok(check, "Slack opens Socket Mode connections for it")
    if refusal.code == "missing_scope":
        return problem(check, "SLACK_APP_TOKEN lacks the scope connections:write", _APP_TOKEN)
    fix = f"{_APP_TOKEN}, and turn Socket Mode on (paste what `omnibot manifest --socket` prints under App Manifest)"
    return _slack_refusal(check, "SLACK_APP_TOKEN", refusal, host, fix)


def clock(ahead: float | None) -> Finding:
    """Whether Slack's signatures look fresh by our clock. Seconds; negative: ours is behind."""
    if ahead is None:
        return unchecked("clock", "Slack did not say what time it is")
    said = f"ours is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} Slack's"
    fix = "let this computer set its clock by NTP"
    if abs(ahead) >= CLOCK_LIMIT:
        return problem("clock", f"{said}: omnibot takes Slack's deliveries for expired and refuses them", fix)
    if abs(ahead) >= CLOCK_WORTH_A_WORD:
        return warning("clock", f"{said}; from {CLOCK_LIMIT:.0f} s on, Slack's deliveries would be refused", fix)
    return ok("clock", "goes with Slack's")


def _slack_refusal(check: str, variable: str, verdict: Classified, host: str, fix: str) -> Finding:
    match verdict.failure:
        case SlackFailure.UNKNOWN:
            return problem(
                check, f"no answer from Slack at {host} ({verdict.code})", "check the network and SLACK_API_URL"
            )
        case SlackFailure.SLOW_DOWN:
            return warning(check, f"not checked: Slack asks us to wait {verdict.wait:.0f} s", "try again then")
        case _ if not verdict.code.isidentifier():
            return problem(check, f"what answers at {host} is not Slack's Web API", "check SLACK_API_URL")
        case _:
            return problem(check, f"Slack does not accept {variable} ({verdict.code})", fix)


# -- Clear Street -----------------------------------------------------------------------------------------------------


def key_accepted(host: str) -> Finding:
    """The accounts could be listed."""
    return ok("Clear Street key", f"accepted at {host}")


def no_shared_key() -> Finding:
    """Everybody links a key of their own: there is none to look with."""
    return ok("Clear Street key", "no shared key: everybody asks with a key of their own")


def key_refused(error: ClearStreetError, host: str) -> Finding:
    """Why the accounts could not be listed."""
    check, key = "Clear Street key", "CLEAR_STREET_API_KEY"
    request = f" (request {error.request_id})" if error.request_id else ""
    match error:
        case Unauthorised():
            return problem(check, f"Clear Street does not accept {key}{request}", _WHERE[key])
        case NotEntitled():
            return problem(check, f"{key} may not list accounts{request}", "have Clear Street allow the key to")
        case RateLimited():
            wait = f"not checked: Clear Street asks us to wait {error.retry_after:.0f} s"
            return warning(check, wait, "try again then; if it stays so, lower OMNIBOT_API_RATE")
        case NotFound() if error.request_id:
            said = f"Clear Street does not list accounts for {key}{request}"
            return problem(check, said, "ask Clear Street whether the key may use its API")
        case Malformed() | NotFound():
            return problem(check, f"what answers at {host} is not Clear Street's API", "check CLEAR_STREET_BASE_URL")
        case _:
            return problem(
                check,
                f"no good answer from Clear Street at {host}: {error}{request}",
                "check the network and CLEAR_STREET_BASE_URL; try again later",
            )


def revision(setting: str, seen: Revision) -> Finding:
    """The revision that is set, against the one that answers."""
    check = "revision"
    if setting == "auto":
        if seen is Revision.UNKNOWN:
            fix = "set CLEAR_STREET_API_REVISION if it stays so"
            return warning(check, "could not be detected; omnibot then does only what all have in common", fix)
        return ok(check, f"detected: {'earlier than 2026-10' if seen is Revision.EARLIER else seen}")
    fix = "set CLEAR_STREET_API_REVISION to auto, or leave it out"
    if setting == Revision.V2026_10 and seen is Revision.EARLIER:
        return problem(check, f"set to {setting}, but the API is an earlier one", fix)
    if setting != Revision.V2026_10 and seen is Revision.V2026_10:
        return warning(check, f"set to {setting}, but the API is {seen}", fix)
    return ok(check, f"set to {setting}")


def account(ids: Sequence[int], chosen: int | None) -> Finding:
    """Which of the open accounts questions are about."""
    check, variable = "account", "CLEAR_STREET_ACCOUNT_ID"
    named = ", ".join(map(str, ids[:NAMED])) + (", ..." if len(ids) > NAMED else "")
    if not ids:
        return problem(check, "the key sees no open account", "have Clear Street give the key an account")
    if chosen is None and len(ids) > 1:
        return problem(
            check,
            f"the key sees {len(ids)} open accounts, and omnibot does not know which one to ask about",
            f"set {variable} to one of these: {named}",
        )
    if chosen is not None and chosen not in ids:
        return problem(check, f"{variable} is no open account of this key", f"set it to one of these: {named}")
    return ok(check, f"{chosen or ids[0]}, {'the only one' if len(ids) == 1 else f'one of {len(ids)}'} of this key")


# -- policy -----------------------------------------------------------------------------------------------------------


def policy(path: str) -> Finding:
    """The policy file can be used."""
    return ok("policy", f"{path} is in order; `omnibot policy check` says what it allows")


def bad_policy(path: str, problems: Sequence[str]) -> Finding:
    """The bot would not start with this file."""
    return problem("policy", f"{path}: {'; '.join(problems)}", "correct it; `omnibot policy example` shows every key")


def no_policy(*, shared: bool) -> Finding:
    """What holds without a file."""
    signs = ", and nobody signs agreements under the shared key" if shared else ""
    return ok("policy", f"none: full members may ask, nobody trades{signs}; see `omnibot policy example`")


def linking(*, possible: bool, shared: bool) -> Finding:
    """Whether people can link keys of their own."""
    check = "linking"
    if possible:
        return ok(check, "people can link Clear Street keys of their own, which are encrypted")
    fix = "set OMNIBOT_ENCRYPTION_KEYS; `omnibot keys new` prints a key for it"
    return (
        ok(check, f"off, everybody shares one key; to let people link their own, {fix}")
        if shared
        else problem(check, "people cannot link keys, and there is no shared one", fix)
    )


def trading(*, live: bool, traders: int, own_audit_key: bool) -> Finding:
    """Whether approved orders are sent, and whether anybody may approve any."""
    check, nobody = "trading", "the policy names no traders"
    if not live:
        return ok(check, f"off: approving gives a ticket to copy{'' if traders else f', and {nobody}'}")
    if not traders:
        return warning(check, f"live, but {nobody}", "name them in the policy, or set OMNIBOT_TRADING to off")
    if not own_audit_key:
        fix = "set OMNIBOT_AUDIT_KEY (`openssl rand -hex 32` prints one)"
        return warning(check, "live; the audit's key hangs on OMNIBOT_ENCRYPTION_KEYS, and changes with it", fix)
    return ok(check, f"live: approved orders are sent; traders named: {traders}")


# -- port -------------------------------------------------------------------------------------------------------------


def port(number: int, refusal: str | None, *, omnibot: bool) -> Finding:
    """Whether it can be listened on; `refusal` is the system's word, `omnibot` whether one answers there."""
    if number == 0:
        return ok("port", "any free one, because PORT is 0")
    if refusal is None:
        return ok("port", f"{number} is free")
    if omnibot:
        return ok("port", f"{number} is held by an omnibot that runs")
    return problem("port", f"{number} cannot be listened on: {refusal}", "stop what holds it, or set PORT to another")
