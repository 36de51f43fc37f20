"""Order tickets: approval, submission, tracking, and the audit of all of it."""
