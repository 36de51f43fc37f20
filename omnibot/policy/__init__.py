"""The policy: a TOML file that says who may ask, where account data is shown, who signs and who trades."""
