"""The index on disk: shards of segments, with what is new kept in memory."""
