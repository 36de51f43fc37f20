"""API keys and accounts: whose key and which account a call to Clear Street uses."""
