"""Orders as blocks: cards, buttons, forms, lists and results."""
