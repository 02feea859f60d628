"""Text analysis: normalization, tokens, phrase matching, offsets.

Pure and independent of any engine: indexing, queries and highlighting share it, so
matches and highlights cannot disagree.
"""
