"""The dressing room: pure functions from domain values to Block Kit dicts."""
