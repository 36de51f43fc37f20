"""omnibot: Clear Street's Omni AI inside Slack."""

__version__ = "0.1.0"
