"""`python -m omnibot`."""

from omnibot.cli import main

main()
