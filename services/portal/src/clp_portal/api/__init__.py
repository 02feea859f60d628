"""The JSON API: a table of operations, and its OpenAPI description."""
