"""An index in PostgreSQL, for installations that outgrow one index per process.

Our terms as arrays under a GIN index: PostgreSQL intersects them and knows no language.
No text of a person reaches a parser of its own.
"""
