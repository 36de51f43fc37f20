"""What omnibot writes to Slack: replies, streams, files, modals and ephemeral messages, each exactly once."""
