"""Fixtures and helpers shared by all tests."""
