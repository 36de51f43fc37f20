"""The doctor: what keeps a bot from working, and how to mend it. It asks every room, and starts nothing."""
