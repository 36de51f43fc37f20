"""Omni's markdown, made safe for Slack: escaping, links, splitting, plain text."""
