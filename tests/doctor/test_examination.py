"""The doctor as a whole: everything is looked at whatever fails, in words and in JSON, without secrets."""

import json
import socket
from typing import Any

import pytest

from omnibot import web
from omnibot.doctor import model
from omnibot.doctor.model import Symbol
from tests.doctor.conftest import NOWHERE, SECRET, Clinic, problems


async def test_a_bot_that_lacks_nothing_is_found_well(clinic: Clinic):
    found = await clinic.examine()

    assert {finding.mark for finding in found.values()} == {Symbol.OK}
    assert list(found) == [
        "settings",
        "mode",
        "database",
        "Slack bot token",
        "Slack scopes",
        "Slack app token",
        "Clear Street key",
        "revision",
        "account",
        "port",
        "policy",
        "linking",
        "trading",
    ]
    assert "Clear & Co" in found["Slack bot token"].message
    assert "omni" in found["Slack bot token"].message


async def test_it_says_what_it_is_waiting_for(clinic: Clinic):
    await clinic.examine()

    assert clinic.looked_at == [
        "settings",
        "database",
        "Slack bot token",
        "Slack app token",
        "Clear Street",
        "port",
        "policy",
    ]


async def test_everything_is_examined_even_where_everything_is_wrong(clinic: Clinic):
    found = await clinic.examine(
        SLACK_API_URL=f"http://{NOWHERE}/api/",
        CLEAR_STREET_BASE_URL=f"http://{NOWHERE}",
        DATABASE_URL=f"postgresql://somebody@{NOWHERE}/db",
        OMNIBOT_API_RATE="fast",
    )

    assert problems(found) == {"settings", "database", "Slack bot token", "Slack app token", "Clear Street key"}
    assert found["port"].mark is Symbol.OK
    for check in ("Slack scopes", "revision", "account"):
        assert found[check].mark is Symbol.WARNING
        assert "not checked" in found[check].message


async def test_a_check_that_breaks_does_not_keep_the_others_from_telling(clinic: Clinic):
    found = await clinic.examine(DATABASE_URL=f"{clinic.variables['DATABASE_URL']}?no_such_option=1")

    assert problems(found) == {"database"}
    assert "the check itself failed" in found["database"].message
    assert found["Slack bot token"].mark is Symbol.OK


async def test_the_command_prints_a_line_for_each_finding_and_exits_with_0_when_all_is_well(clinic: Clinic):
    code, out, err = await clinic.run("doctor")

    assert (code, err) == (0, "")
    assert len(out.splitlines()) == 14
    assert all(line.startswith("ok  ") for line in out.splitlines()[:10])
    assert out.endswith("All is well.\n")


async def test_the_command_exits_with_1_and_says_how_to_mend_a_problem(clinic: Clinic):
    code, out, err = await clinic.run("doctor", DATABASE_URL=f"sqlite:///{clinic.folder}/none.sqlite3", DYNO="web.1")

    assert (code, err) == (1, "")
    assert "problem  database" in out
    assert "to mend it: run `omnibot db upgrade`" in out
    assert "problem  dyno" in out
    assert out.endswith("2 problems.\n")


async def test_as_json_it_prints_nothing_but_json(clinic: Clinic):
    code, out, err = await clinic.run("doctor", "--json", CLEAR_STREET_API_KEY="second-key")

    report = json.loads(out)
    assert (code, err, report["ok"]) == (1, "", False)
    assert {"check": "mode", "mark": "ok", "message": report["findings"][1]["message"], "fix": None} in report[
        "findings"
    ]
    [account] = [line for line in report["findings"] if line["check"] == "account"]
    assert account["mark"] == "problem"
    assert "CLEAR_STREET_ACCOUNT_ID" in account["fix"]


@pytest.mark.parametrize("form", [(), ("--json",)], ids=["lines", "json"])
@pytest.mark.parametrize("wrong", [False, True], ids=["well", "wrong"])
async def test_no_secret_is_printed_at_any_level(clinic: Clinic, form: tuple[str, ...], wrong: bool):
    said = {"ok": True, "team": f"echo of {clinic.slack.bot_token}", "user": "omni", "bot_id": "B1"}
    clinic.slack.gate.refuse("auth.test", status=200, body=said)
    secrets = {"SLACK_SIGNING_SECRET": SECRET, "DATABASE_URL": f"postgresql://somebody:s3same-0pen@{NOWHERE}/db"}
    if wrong:
        secrets |= {"SLACK_APP_TOKEN": "xapp-1-not-this-one", "CLEAR_STREET_API_KEY": "cs-not-this-one"}

    _, out, err = await clinic.run("doctor", *form, OMNIBOT_LOG_LEVEL="debug", **secrets)

    assert "echo of [redacted]" in out
    for secret in (*{**clinic.variables, **secrets}.items(), ("DATABASE_URL", "s3same-0pen")):
        if secret[0].endswith(("TOKEN", "SECRET", "KEY", "DATABASE_URL")):
            assert secret[1] not in out + err, secret[0]


@pytest.mark.parametrize("variable", ["SLACK_BOT_TOKEN", "CLEAR_STREET_API_KEY"])
async def test_a_missing_variable_is_named_with_where_to_get_it(clinic: Clinic, variable: str):
    found = await clinic.examine(**{variable: ""})

    assert problems(found) == {"settings"}
    assert f"{variable}: is not set" in found["settings"].message


async def test_a_wrong_variable_is_named_and_what_needs_it_is_not_asked(clinic: Clinic):
    found = await clinic.examine(CLEAR_STREET_BASE_URL="api.clearstreet.com")

    assert problems(found) == {"settings"}
    assert "CLEAR_STREET_BASE_URL" in found["settings"].message
    assert "CLEAR_STREET_BASE_URL" in found["Clear Street key"].message
    assert clinic.omni.calls == []


@pytest.mark.parametrize(
    ("variable", "checks"),
    [
        ("PORT", {"port"}),
        ("CLEAR_STREET_ACCOUNT_ID", {"account"}),
        ("SLACK_API_URL", {"Slack bot token", "Slack scopes", "Slack app token"}),
    ],
)
async def test_only_what_needs_a_wrong_variable_goes_unchecked(clinic: Clinic, variable: str, checks: set[str]):
    found = await clinic.examine(**{variable: "rubbish"})

    assert problems(found) == {"settings"}
    assert {check for check, finding in found.items() if finding.mark is Symbol.WARNING} == checks


async def test_the_mode_is_http_with_a_signing_secret_alone(clinic: Clinic):
    assert "Socket Mode" in (await clinic.examine())["mode"].message
    assert "HTTP" in (await clinic.examine(SLACK_APP_TOKEN="", SLACK_SIGNING_SECRET=SECRET))["mode"].message

    undecided = await clinic.examine(SLACK_APP_TOKEN="", SLACK_SIGNING_SECRET="")
    assert "mode" not in undecided
    assert "SLACK_APP_TOKEN" in undecided["settings"].message


async def test_a_port_held_by_another_program_is_a_problem(clinic: Clinic):
    with socket.create_server(("", 0)) as other:
        number = other.getsockname()[1]

        found = await clinic.examine(PORT=str(number))

    assert problems(found) == {"port"}
    assert "in use" in found["port"].message
    assert (await clinic.examine(PORT=str(number)))["port"].message == f"{number} is free"


async def test_the_port_is_tried_where_the_bot_will_listen(clinic: Clinic):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))  # taken, and nobody answers
        number = str(other.getsockname()[1])

        assert problems(await clinic.examine(PORT=number, OMNIBOT_HOST="127.0.0.1")) == {"port"}
    assert problems(await clinic.examine(PORT=number, OMNIBOT_HOST="192.0.2.1")) == {"port"}  # nobody's
    assert problems(await clinic.examine(PORT=number, OMNIBOT_HOST="127.0.0.1")) == set()


async def test_a_port_held_by_a_running_omnibot_is_well(clinic: Clinic):
    async def collect() -> None:
        """No gauges."""

    checks: dict[str, Any] = {}
    with socket.create_server(("", 0)) as free:  # port 0 would be another for each address family
        number = free.getsockname()[1]
    async with web.serving(web.build(checks, events=None, collect=collect), number):
        found = await clinic.examine(PORT=str(number))

    assert found["port"] == model.ok("port", f"{number} is held by an omnibot that runs")
