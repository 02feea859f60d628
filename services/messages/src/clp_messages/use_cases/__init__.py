"""What a caller may ask of `messages`, one function each."""
