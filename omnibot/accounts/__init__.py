"""The keyring: whose authority and which account a call uses."""
