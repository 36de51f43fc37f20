"""The official SDK in environments of its own: what is installed there, and the script that drives it."""
