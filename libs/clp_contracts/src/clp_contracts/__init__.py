"""Names and shapes that cross a process boundary, and typed callers for them."""
