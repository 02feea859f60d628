"""Fault tests, verified with logs kept outside the system under test."""
