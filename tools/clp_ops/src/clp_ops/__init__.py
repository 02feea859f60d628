"""`clp-ops`: how the whole system is, and what an operator does about it."""
