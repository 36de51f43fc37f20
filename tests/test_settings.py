"""Settings are checked at start, in words, without values."""

from pathlib import Path

import pytest

from omnibot.errors import SettingsError
from omnibot.settings import Settings

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
    assert "xoxb-1" not in repr(read(monkeypatch))


def test_every_setting_is_in_the_readme_and_in_the_example():
    root = Path(__file__).parent.parent
    readme, example = (root / "README.md").read_text(), (root / ".env.example").read_text()
    for name in Settings.model_fields:
        assert f"`{name.upper()}`" in readme
        assert f"{name.upper()}=" in example


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


def test_an_empty_variable_is_one_that_is_not_set(monkeypatch):
    assert read(monkeypatch, CLEAR_STREET_ACCOUNT_ID="").clear_street_account_id is None
