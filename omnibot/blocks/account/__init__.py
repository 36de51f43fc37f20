"""Consent, API keys and account choice as blocks."""
