"""Omni's answers as Slack messages: the final reply, progress, buttons, charts, market cards, exports."""
