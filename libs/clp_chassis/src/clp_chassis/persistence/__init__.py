"""Databases: engines, column types, migrations, bulk statements."""
