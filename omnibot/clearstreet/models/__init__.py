"""What Clear Street's API says, read tolerantly and written exactly."""
