"""Contracts between the CLP services, and typed clients."""
