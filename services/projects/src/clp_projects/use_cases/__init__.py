"""The use cases of `projects`."""
