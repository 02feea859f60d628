"""What may be asked of `search`, one function each."""
