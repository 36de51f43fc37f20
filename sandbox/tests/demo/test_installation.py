"""What the demo's workspace knows of the app it is given."""

from pathlib import Path

import yaml
from omnibot_sandbox.demo.installation import Installation, read_manifest
from omnibot_sandbox.slack.server import SlackEmulator

OURS = Path(__file__).parents[3] / "manifest.yml"


def test_the_manifest_says_what_people_find_in_slack():
    app = read_manifest(OURS.read_text())
    assert [command.command for command in app.commands] == ["/omni"]
    assert "research TICKER" in app.commands[0].usage_hint
    assert {"title", "message"} <= app.prompts[0].keys()
    slack = SlackEmulator()
    app.into(slack)
    assert list(slack.commands) == list(app.commands)
    assert slack.stop_subscribed is app.stoppable


def test_tabs_and_the_stop_button_are_there_only_when_the_manifest_names_them():
    manifest = yaml.safe_load(OURS.read_text())
    manifest["features"]["app_home"]["home_tab_enabled"] = True
    manifest["settings"]["event_subscriptions"]["bot_events"] = ["agent_session_stopped"]
    with_all = read_manifest(yaml.safe_dump(manifest))
    assert (with_all.home_tab, with_all.stoppable) == (True, True)
    bare = read_manifest("display_information: {name: Bare}")
    assert bare == Installation(home_tab=False, stoppable=False)
