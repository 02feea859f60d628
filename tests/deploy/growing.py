"""How a schema changed, and whether programs of the step before can live with it."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Engine, inspect

Schema = dict[str, dict[str, Any]]


def schema_of(engine: Engine) -> Schema:
    """What the programs of one step know of a database."""
    looked = inspect(engine)
    return {
        table: {
            "columns": {c["name"]: c for c in looked.get_columns(table)},
            "unique": {
                tuple(sorted(u["column_names"]))
                for u in (
                    *looked.get_unique_constraints(table),
                    *_unique_indexes(looked, table),
                )
            },
            "checks": {c["sqltext"] for c in looked.get_check_constraints(table)},
        }
        for table in looked.get_table_names()
    }


def _unique_indexes(looked: Any, table: str) -> Iterator[dict[str, Any]]:
    return (index for index in looked.get_indexes(table) if index["unique"])


def hurts(before: Schema, after: Schema) -> list[str]:
    """What a program that knows the schema before would stumble over."""
    return [
        trouble
        for table in before
        for trouble in _hurts(table, before[table], after.get(table))
    ]


def _hurts(
    name: str, before: dict[str, Any], after: dict[str, Any] | None
) -> Iterator[str]:
    if after is None:
        yield f"{name} is gone"
        return
    for column, old in before["columns"].items():
        for trouble in _changed(old, after["columns"].get(column)):
            yield f"{name}.{column} {trouble}"
    for column in after["columns"].keys() - before["columns"].keys():
        fresh = after["columns"][column]
        if not fresh["nullable"] and fresh["default"] is None:
            yield f"{name}.{column} must be filled by programs that do not know it"
    for what in ("unique", "checks"):
        for fresh in after[what] - before[what]:
            yield f"{name} demands {what} {fresh}"


def _changed(old: dict[str, Any], new: dict[str, Any] | None) -> Iterator[str]:
    if new is None:
        yield "is gone"
    elif str(new["type"]) != str(old["type"]):
        yield f"was {old['type']} and is {new['type']}"
    elif old["nullable"] and not new["nullable"]:
        yield "must be filled now"
