"""Committed changes in order: outbox, outbox relay, feed readers, projections."""
