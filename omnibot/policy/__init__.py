"""The rule book: one TOML file says who may ask, where account data is shown, who signs and who trades."""
