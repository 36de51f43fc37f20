"""Slack and Clear Street on loopback, for the tests and demos of programs that use them."""
