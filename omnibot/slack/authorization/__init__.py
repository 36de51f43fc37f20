"""Who somebody is in Slack, what the policy lets them do there, and where account data may be written."""
