"""The Slack adapter: the only package that uses Slack's libraries."""
