"""Compare two database schemas and find changes that break the previous version."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Engine, inspect

Schema = dict[str, dict[str, Any]]


def schema_of(engine: Engine) -> Schema:
    """Columns, unique constraints and checks of every table."""
    inspector = inspect(engine)
    return {
        table: {
            "columns": {c["name"]: c for c in inspector.get_columns(table)},
            "unique": {
                tuple(sorted(u["column_names"]))
                for u in (
                    *inspector.get_unique_constraints(table),
                    *_unique_indexes(inspector, table),
                )
            },
            "checks": {c["sqltext"] for c in inspector.get_check_constraints(table)},
        }
        for table in inspector.get_table_names()
    }


def _unique_indexes(inspector: Any, table: str) -> Iterator[dict[str, Any]]:
    return (index for index in inspector.get_indexes(table) if index["unique"])


def incompatibilities(before: Schema, after: Schema) -> list[str]:
    """The changes that break a program written for the schema before."""
    return [
        problem
        for table in before
        for problem in _table_incompatibilities(table, before[table], after.get(table))
    ]


def _table_incompatibilities(
    name: str, before: dict[str, Any], after: dict[str, Any] | None
) -> Iterator[str]:
    if after is None:
        yield f"{name} is missing"
        return
    for column, old in before["columns"].items():
        for problem in _changed(old, after["columns"].get(column)):
            yield f"{name}.{column} {problem}"
    for column in after["columns"].keys() - before["columns"].keys():
        added = after["columns"][column]
        if not added["nullable"] and added["default"] is None:
            yield f"{name}.{column} is required and has no default"
    for what in ("unique", "checks"):
        for added in after[what] - before[what]:
            yield f"{name} has a new {what} constraint {added}"


def _changed(old: dict[str, Any], new: dict[str, Any] | None) -> Iterator[str]:
    if new is None:
        yield "is missing"
    elif str(new["type"]) != str(old["type"]):
        yield f"was {old['type']} and is {new['type']}"
    elif old["nullable"] and not new["nullable"]:
        yield "is no longer nullable"
