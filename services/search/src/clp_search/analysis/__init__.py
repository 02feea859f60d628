"""Texts as searching sees them: folded, cut into terms, compared, with their places.

Pure and free of any search engine: indexing, asking and highlighting share it, so what
is found and what is marked cannot disagree.
"""
