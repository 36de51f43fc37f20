"""The front door: the only room that knows Slack's libraries."""
