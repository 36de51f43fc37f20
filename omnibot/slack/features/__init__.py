"""What people do in Slack: ask, consent, place orders, link API keys, open App Home."""
