"""Our client and models, held to what Clear Street publishes: its OpenAPI documents and its examples."""
