"""What Slack delivers, parsed: payload models, duplicate deliveries, message text and commands."""
