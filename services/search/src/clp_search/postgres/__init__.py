"""The engine on PostgreSQL, for installations that outgrow one index per process.

Terms are arrays under a GIN index: PostgreSQL intersects them and knows no language. No
text of a person reaches one of its parsers.
"""
