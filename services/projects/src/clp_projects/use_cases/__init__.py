"""What a caller may ask of `projects`, one function each."""
