"""The use cases of `search`, one function each."""
