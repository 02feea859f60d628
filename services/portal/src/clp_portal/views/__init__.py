"""Template values, computed from contracts by pure functions."""
