"""Clear Street's API: one method for each endpoint, and models of what it answers."""
