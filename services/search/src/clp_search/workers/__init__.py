"""Worker processes that index and search, so that calls never block the service."""
