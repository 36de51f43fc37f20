"""The database: engine, tables, leases and migrations."""
