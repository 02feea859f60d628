"""Faults on purpose, judged by ledgers that lie outside the system."""
