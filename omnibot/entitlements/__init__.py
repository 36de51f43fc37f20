"""The notary: what Omni asks people to sign, what they signed, and what they take back."""
