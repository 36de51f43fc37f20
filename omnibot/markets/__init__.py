"""THE TICKER: what the market says, for cards: symbols and screens. Read-only."""
