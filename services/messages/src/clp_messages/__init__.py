"""Channels, posts, attachments, read markers and the feed of changes."""
