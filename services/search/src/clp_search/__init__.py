"""Full-text index of messages: a projection of the feed, access checked per search."""
