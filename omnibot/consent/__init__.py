"""Entitlement consent: which agreements Omni asks for, who signed them, and revoking them."""
