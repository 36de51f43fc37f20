"""Settings are checked at start, in words, without values."""

import re
from pathlib import Path
from typing import Literal, get_args, get_origin

import pytest

from omnibot.errors import SettingsError
from omnibot.settings import AuditSettings, DatabaseSettings, Settings

ROOT = Path(__file__).parent.parent
#: What the README says of settings whose absence means something.
IN_WORDS = {
    "slack_signing_secret": "required for HTTP",
    "clear_street_account_id": "the only one",
    "clear_street_api_key": "required without `OMNIBOT_ENCRYPTION_KEYS`",
    "omnibot_host": "every interface",
    "omnibot_health_address": "on `PORT`",
}
GOOD = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1", "CLEAR_STREET_API_KEY": "key"}


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path):
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)


def read(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    for name, value in {**GOOD, **variables}.items():
        monkeypatch.setenv(name, value)
    return Settings.read()


def test_the_defaults_are_those_of_production(monkeypatch):
    settings = read(monkeypatch)
    assert settings.slack_api_url == "https://slack.com/api/"
    assert settings.clear_street_base_url == "https://api.clearstreet.com"
    assert settings.clear_street_api_revision == "auto"
    assert settings.omnibot_api_rate == 50


def test_every_missing_variable_is_named_at_once():
    with pytest.raises(SettingsError) as refused:
        Settings.read()
    for name in ("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "CLEAR_STREET_API_KEY"):
        assert f"{name}: is not set" in str(refused.value)
    assert "SLACK_APP_TOKEN" in str(refused.value)


def test_a_signing_secret_alone_is_a_way_in(monkeypatch):
    monkeypatch.setenv("SLACK_SIGNING_SECRET", "shh")
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1")
    monkeypatch.setenv("CLEAR_STREET_API_KEY", "key")
    assert Settings.read().slack_app_token is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CLEAR_STREET_ACCOUNT_ID", "my account"),
        ("CLEAR_STREET_API_REVISION", "2020-01"),
        ("OMNIBOT_API_RATE", "-17.25"),
        ("SLACK_API_URL", "slack.com/api"),
        ("OMNIBOT_HEALTH_ADDRESS", "metrics.example"),
        ("OMNIBOT_HEALTH_ADDRESS", "127.0.0.1:70123"),
        ("OMNIBOT_CONNECTIONS", "-17"),
        ("OMNIBOT_REQUEST_SECONDS", "-18"),
    ],
)
def test_a_wrong_value_is_named_and_never_shown(monkeypatch, name: str, value: str):
    with pytest.raises(SettingsError) as refused:
        read(monkeypatch, **{name: value})
    assert name in str(refused.value)
    assert value not in str(refused.value).replace(name, "")


def test_an_api_url_works_with_and_without_its_last_slash(monkeypatch):
    assert read(monkeypatch, SLACK_API_URL="http://127.0.0.1:1/api").slack_api_url == "http://127.0.0.1:1/api/"


def test_secrets_do_not_show_in_a_printed_settings_object(monkeypatch):
    url = "postgresql://bot:hunter22@db.example/omnibot"
    settings = read(monkeypatch, CLEAR_STREET_API_KEY="s3same", DATABASE_URL=url)
    assert len(settings.secrets()) == 4
    for secret in settings.secrets():
        assert secret not in repr(settings)
        assert secret not in repr(DatabaseSettings())


def readme_table() -> dict[str, tuple[str, str]]:
    """The README's table of settings: what each variable means, and its default."""
    section = (ROOT / "docs" / "operations.md").read_text().split("\n## Settings\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| ?(.*?) ?\|$", section, re.MULTILINE)
    return {name: (meaning, default) for name, meaning, default in rows}


def test_the_readmes_table_has_every_setting_and_nothing_else():
    assert sorted(readme_table()) == sorted(name.upper() for name in Settings.model_fields)


@pytest.mark.parametrize("name", Settings.model_fields)
def test_the_readme_says_the_default_of_each_setting(name: str):
    field, (_, default) = Settings.model_fields[name], readme_table()[name.upper()]
    if field.is_required():
        assert default == "required"
    elif field.default is None:
        assert default == IN_WORDS.get(name, "")
    else:
        assert default == f"`{field.default}`"


@pytest.mark.parametrize("name", [n for n, f in Settings.model_fields.items() if get_origin(f.annotation) is Literal])
def test_the_readme_lists_what_a_choice_may_be(name: str):
    meaning, _ = readme_table()[name.upper()]
    assert re.findall(r"`(.+?)`", meaning) == list(get_args(Settings.model_fields[name].annotation))


def example() -> dict[str, tuple[bool, str]]:
    """The lines of `.env.example`: whether each is commented out, and its value."""
    lines = re.findall(r"^(# )?(\w+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE)
    return {name: (bool(comment), value) for comment, name, value in lines}


def test_the_example_has_every_setting_and_nothing_else():
    assert sorted(example()) == sorted(name.upper() for name in Settings.model_fields)


@pytest.mark.parametrize("name", [n for n, f in Settings.model_fields.items() if f.default and not f.is_required()])
def test_the_example_shows_the_default_of_each_setting(name: str):
    assert example()[name.upper()] == (True, str(Settings.model_fields[name].default))


def test_the_example_as_it_stands_is_a_bot_in_socket_mode(monkeypatch):
    for name, (commented_out, value) in example().items():
        if not commented_out:
            monkeypatch.setenv(name, value)
    assert Settings.read().slack_app_token is not None


def test_a_survey_goes_on_where_reading_gives_up(monkeypatch):
    monkeypatch.setenv("CLEAR_STREET_ACCOUNT_ID", "my account")
    monkeypatch.setenv("OMNIBOT_RETENTION_DAYS", "7")

    settings, wrong = Settings.survey()

    assert list(wrong) == ["SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "CLEAR_STREET_API_KEY", "CLEAR_STREET_ACCOUNT_ID"]
    assert settings.omnibot_retention_days == 7
    assert settings.clear_street_account_id is None


def test_the_secrets_are_those_that_are_set(monkeypatch):
    assert read(monkeypatch).secrets() == ["xoxb-1", "xapp-1", "key"]
    with_password = read(monkeypatch, DATABASE_URL="postgresql://bot:hunter22@db.example/omnibot")
    assert with_password.secrets() == ["xoxb-1", "xapp-1", "key", "hunter22"]


@pytest.mark.parametrize(
    ("url", "passwords"),
    [
        ("postgresql://bot:hunter%2322@db.example/omnibot", ["hunter%2322", "hunter#22"]),
        ("postgresql://bot:hunter/#?22@db.example/omnibot", ["hunter/#?22"]),
        ("postgresql:///omnibot?host=db.example&password=hunter%2322", ["hunter#22"]),
        ("postgresql://bot@db.example:5432/omnibot", []),
        ("postgresql://bot:@db.example/omnibot", []),
        ("sqlite:///C:/omnibot.sqlite3", []),
        ("postgresql://[db.example", []),
    ],
)
def test_a_databases_password_is_a_secret_however_it_is_written(monkeypatch, url: str, passwords: list[str]):
    assert read(monkeypatch, DATABASE_URL=url).secrets() == ["xoxb-1", "xapp-1", "key", *passwords]


FERNET, ANOTHER = "A" * 42 + "g=", "B" * 42 + "g="


def test_encryption_keys_are_separated_by_commas_however_they_are_pasted(monkeypatch):
    settings = read(monkeypatch, OMNIBOT_ENCRYPTION_KEYS=f" {FERNET},\n{ANOTHER} ,")
    assert settings.encryption_keys() == [FERNET, ANOTHER]
    assert FERNET not in repr(settings)


def test_without_encryption_keys_there_are_none(monkeypatch):
    assert read(monkeypatch).encryption_keys() == []


@pytest.mark.parametrize("wrong", ["secret-of-mine", FERNET[:-1], FERNET + "=", "A" * 43, "ä" * 43 + "=", FERNET[1:]])
def test_a_wrong_encryption_key_is_counted_and_never_shown(monkeypatch, wrong: str):
    with pytest.raises(SettingsError) as refused:
        read(monkeypatch, OMNIBOT_ENCRYPTION_KEYS=f"{FERNET},{wrong}")
    said = str(refused.value)
    assert "OMNIBOT_ENCRYPTION_KEYS: key 2 of 2 is not a Fernet key" in said
    assert "omnibot keys new" in said
    assert wrong not in said
    assert FERNET not in said


@pytest.mark.parametrize("url", ["https://omnibot.example.com", "http://127.0.0.1:3000", "http://localhost:3000/"])
def test_keys_may_be_entered_over_https_or_on_this_computer(monkeypatch, url: str):
    assert read(monkeypatch, OMNIBOT_PUBLIC_URL=url).omnibot_public_url == url


def test_a_public_url_without_encryption_is_refused(monkeypatch):
    with pytest.raises(SettingsError, match="OMNIBOT_PUBLIC_URL: must begin with https://"):
        read(monkeypatch, OMNIBOT_PUBLIC_URL="http://omnibot.example.com")


def test_an_empty_variable_is_one_that_is_not_set(monkeypatch):
    assert read(monkeypatch, CLEAR_STREET_ACCOUNT_ID="").clear_street_account_id is None


SHARED, ENCRYPTION = "the shared key", "A" * 43 + "="


@pytest.mark.parametrize(
    ("variables", "secrets"),
    [
        ({"CLEAR_STREET_API_KEY": SHARED}, [SHARED]),
        ({"OMNIBOT_ENCRYPTION_KEYS": ENCRYPTION}, [ENCRYPTION]),
        ({"CLEAR_STREET_API_KEY": SHARED, "OMNIBOT_ENCRYPTION_KEYS": ENCRYPTION}, [ENCRYPTION, SHARED]),
    ],
)
def test_what_a_bot_signs_the_audit_with_is_what_the_command_line_verifies_it_with(
    variables: dict[str, str], secrets: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1", **variables}.items():
        monkeypatch.setenv(name, value)
    assert Settings.read().audit_secrets() == AuditSettings().audit_secrets() == secrets
