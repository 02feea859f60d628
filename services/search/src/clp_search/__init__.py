"""A full-text projection of the feed; visibility is asked again at the door."""
