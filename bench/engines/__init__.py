"""Search engines side by side, on the same messages and queries."""
