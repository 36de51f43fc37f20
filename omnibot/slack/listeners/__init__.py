"""One file per kind of Slack payload; each hands over to a room below and acks."""
