"""The model house: Clear Street and Slack on loopback; imports no other room."""
