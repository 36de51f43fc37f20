"""The telephone: Clear Street's API, one method an endpoint."""
