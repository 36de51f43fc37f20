"""Held to what Clear Street itself publishes: its OpenAPI, its documentation's examples, its SDK."""
