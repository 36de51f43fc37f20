"""How Slack reaches omnibot: HTTP or Socket Mode, the app manifest, and checks of the tokens."""
