"""Clear Street's emulator keeps the rules it imitates."""
