"""Turns: one user message and Omni's response to it, from acceptance to delivery."""
