"""Indexing and searching in processes of their own; calls never wait for them."""
