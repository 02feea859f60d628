"""Incoming mail: where it is read from, what it is, and its handlers."""
