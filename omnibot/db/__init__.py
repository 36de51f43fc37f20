"""The memory: engine, tables, leases and migrations."""
