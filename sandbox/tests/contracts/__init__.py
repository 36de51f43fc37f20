"""The sandbox, held to what Clear Street publishes: its OpenAPI documents, its examples, its SDK."""
