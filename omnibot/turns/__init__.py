"""The hall: one user message and Omni's response to it, from accepted to delivered."""
