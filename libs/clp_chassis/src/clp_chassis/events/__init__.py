"""Committed changes, in order: outbox, relay, feed readers, projections."""
