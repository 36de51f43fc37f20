"""The safe: tickets, their approval, the orders they become, and the audit of all of it."""
