"""`omnibot doctor`: finds out what keeps the bot from working, and says how to mend it."""
