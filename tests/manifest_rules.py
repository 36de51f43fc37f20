"""Slack's rules for app manifests as a JSON Schema, as far as omnibot's keys reach.

From Slack's manifest reference and its published schema of version 2: lengths, counts, and which keys there are.
"""

from typing import Any

JSON = dict[str, Any]

FLAG: JSON = {"type": "boolean"}


def text(longest: int, *, least: int = 1, **more: Any) -> JSON:
    return {"type": "string", "minLength": least, "maxLength": longest, **more}


def some(item: JSON, most: int, **more: Any) -> JSON:
    return {"type": "array", "maxItems": most, "items": item, **more}


def group(required: str = "", **properties: JSON) -> JSON:
    """An object of these keys and no others; `required` names those that must be there."""
    return {
        "type": "object",
        "properties": properties,
        "required": required.split(),
        "additionalProperties": False,
    }


def url(longest: int) -> JSON:
    return text(longest, pattern="^https?://")


def _where_slack_delivers(*, socket_mode: bool) -> JSON:
    """Request URLs belong to HTTP: there each is needed, in Socket Mode none is used."""

    def place(name: str) -> JSON:
        return {"not": {"required": [name]}} if socket_mode else {"required": [name]}

    settings = {
        "event_subscriptions": place("request_url"),
        "interactivity": place("request_url"),
        "socket_mode_enabled": {"const": socket_mode},
    }
    commands = {"slash_commands": {"items": place("url")}}
    return {
        "properties": {
            "settings": {"properties": settings, "required": ["socket_mode_enabled"]},
            "features": {"properties": commands},
        }
    }


WORDS: JSON = {"type": "string", "minLength": 1}
_PROMPT = group("title message", title=WORDS, message=WORDS)
_COMMAND = group(
    "command description",
    command=text(32, least=2, pattern=r"^/\S+$"),
    url=url(3000),
    description=text(2000),
    usage_hint=text(1000),
    should_escape=FLAG,
)

SCHEMA: JSON = {
    **group(
        "_metadata display_information features oauth_config settings",
        _metadata=group(
            "major_version minor_version", major_version={"enum": [1, 2]}, minor_version={"type": "integer"}
        ),
        display_information=group(
            "name",
            name=text(35),
            description=text(140),
            long_description=text(4000, least=175),
            background_color=text(7, pattern="^#[0-9a-fA-F]{3}([0-9a-fA-F]{3})?$"),
        ),
        features=group(
            "agent_view app_home bot_user",
            agent_view=group(
                "agent_description",
                agent_description=text(300),
                suggested_prompts=some(_PROMPT, 4),
                actions={"type": "array", "items": group("name description", name=WORDS, description=WORDS)},
            ),
            app_home=group(home_tab_enabled=FLAG, messages_tab_enabled=FLAG, messages_tab_read_only_enabled=FLAG),
            bot_user=group("display_name", display_name=text(80), always_online=FLAG),
            slash_commands=some(_COMMAND, 50, minItems=1),
            shortcuts=some(
                group(
                    "name type callback_id description",
                    name=text(24),
                    type={"enum": ["message", "global"]},
                    callback_id=text(255),
                    description=text(150),
                ),
                10,
                minItems=1,
            ),
            unfurl_domains=some(text(255), 5, minItems=1, uniqueItems=True),
        ),
        oauth_config=group(
            "scopes",
            redirect_urls=some(text(2500), 1000, uniqueItems=True),
            scopes=group(bot=some(text(50), 255, uniqueItems=True), user=some(text(50), 255, uniqueItems=True)),
        ),
        settings=group(
            "event_subscriptions interactivity socket_mode_enabled",
            event_subscriptions=group(
                request_url=url(3500),
                bot_events=some(text(50), 100, uniqueItems=True),
                user_events=some(text(50), 100, uniqueItems=True),
            ),
            interactivity=group(
                "is_enabled", is_enabled=FLAG, request_url=url(3500), message_menu_options_url=url(3500)
            ),
            org_deploy_enabled=FLAG,
            socket_mode_enabled=FLAG,
            token_rotation_enabled=FLAG,
        ),
    ),
    "oneOf": [_where_slack_delivers(socket_mode=True), _where_slack_delivers(socket_mode=False)],
}
