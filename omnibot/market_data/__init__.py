"""Market data for cards: symbols and screens. Read-only."""
