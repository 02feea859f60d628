"""Read records from a CSV or JSON file, each as the request that stores it.

JSON is an object with the lists ``partners``, ``projects``, ``people``,
``assignments`` and ``withdrawals``. CSV has a column ``record`` that names the kind
(``partner``, ``project``, ``person``, ``assignment``, ``withdrawal``); its other
columns are fields, empty cells are left out, and spaces part the items of a list.
"""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from clp_contracts import projects
from clp_contracts.errors import Refused
from clp_contracts.methods import Method
from clp_contracts.serialization import load

RECORD: Final = "record"
# In the order in which they refer to each other.
METHODS: Final[Mapping[str, Method[Any, Any]]] = {
    "partner": projects.PUT_PARTNER,
    "project": projects.PUT_PROJECT,
    "person": projects.PUT_PERSON,
    "assignment": projects.ASSIGN,
    "withdrawal": projects.WITHDRAW,
}
LISTS: Final = {
    "partners": "partner",
    "projects": "project",
    "people": "person",
    "assignments": "assignment",
    "withdrawals": "withdrawal",
}
ITEMS: Final = frozenset({"roles", "languages"})
YES_OR_NO: Final = frozenset({"internal", "active"})
WORDS: Final = {"yes": True, "true": True, "1": True} | {
    "no": False,
    "false": False,
    "0": False,
}


@dataclass(frozen=True, slots=True)
class Record:
    """A record of a file: its kind, and the request that stores it."""

    kind: str
    request: Any

    @property
    def is_about_partner(self) -> bool:
        """Whether it is about a partner on a project."""
        return self.kind in {"assignment", "withdrawal"}

    @property
    def id(self) -> str:
        """The key of the record among those of its kind."""
        if self.is_about_partner:
            return f"{self.request.project} {self.request.partner}"
        return str(self.request.id)


class MalformedFile(Exception):
    """The file cannot be read; the text says where and why."""


def read_records(path: Path) -> tuple[Record, ...]:
    """Read all records, in the order in which they can be stored.

    Raises:
        MalformedFile: with the place of the first mistake.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise MalformedFile(f"{path}: {reason}") from None
    read = _read_json if path.suffix.lower() == ".json" else _read_csv
    found: dict[tuple[str, str], Record] = {}
    for place, kind, fields in read(text, path):
        record = _record(place, kind, fields)
        if (record.kind, record.id) in found:
            raise MalformedFile(f"{place}: {kind} {record.id} is named twice")
        found[record.kind, record.id] = record
    order = list(METHODS)
    return tuple(sorted(found.values(), key=lambda record: order.index(record.kind)))


Line = tuple[str, str, dict[str, Any]]


def _read_json(text: str, path: Path) -> Iterator[Line]:
    try:
        content = json.loads(text)
    except ValueError as error:
        raise MalformedFile(f"{path}: {error}") from None
    if not isinstance(content, dict) or not content.keys() <= LISTS.keys():
        raise MalformedFile(
            f"{path}: expected an object of the lists {', '.join(LISTS)}"
        )
    for name, rows in content.items():
        if not isinstance(rows, list):
            raise MalformedFile(f"{path}: {name} is no list")
        for number, fields in enumerate(rows, start=1):
            place = f"{path}: {name}, number {number}"
            if not isinstance(fields, dict):
                raise MalformedFile(f"{place}: it is no object")
            yield place, LISTS[name], fields


def _read_csv(text: str, path: Path) -> Iterator[Line]:
    reader = csv.DictReader(text.splitlines(), strict=True)
    if RECORD not in (reader.fieldnames or ()):
        raise MalformedFile(f"{path}: its first line has no column {RECORD!r}")
    try:
        for row in reader:
            place = f"{path}, line {reader.line_num}"
            if None in row:
                raise MalformedFile(f"{place}: it has more cells than the first line")
            cells = {k: v.strip() for k, v in row.items() if v and v.strip()}
            kind = cells.pop(RECORD, "")
            if kind not in METHODS:
                expected = ", ".join(METHODS)
                raise MalformedFile(f"{place}: {kind!r} is none of {expected}")
            yield place, kind, {k: _cell(place, k, v) for k, v in cells.items()}
    except csv.Error as error:
        raise MalformedFile(f"{path}, line {reader.line_num}: {error}") from None


def _cell(place: str, column: str, text: str) -> Any:
    if column in ITEMS:
        return text.split()
    if column not in YES_OR_NO:
        return text
    if text.lower() not in WORDS:
        raise MalformedFile(f"{place}: {column} is yes or no, not {text!r}")
    return WORDS[text.lower()]


def _record(place: str, kind: str, fields: dict[str, Any]) -> Record:
    try:
        return Record(kind, load(METHODS[kind].request, fields))
    except Refused as refused:
        wrong = refused.detail.get("fields", {})
        named = ", ".join(f"{name}: {_first(wrong[name])}" for name in wrong)
        raise MalformedFile(f"{place}: {named}") from None


def _first(problem: Any) -> str:
    while isinstance(problem, list | dict) and problem:
        problem = next(iter(problem.values() if isinstance(problem, dict) else problem))
    return str(problem)
