"""The use cases of `messages`: one function per method of its contract."""
