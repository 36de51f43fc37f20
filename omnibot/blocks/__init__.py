"""Block Kit: pure functions from domain values to the blocks of messages, modals and App Home."""
