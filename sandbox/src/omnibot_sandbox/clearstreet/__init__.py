"""Clear Street's Omni API on loopback, with scripted answers."""
