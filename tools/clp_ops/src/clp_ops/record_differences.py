"""Compare records of a file with the stored ones."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from clp_contracts.client import Clients
from clp_contracts.projects import Assignment, PersonFacts
from clp_ops.record_files import Record

BATCH: Final = 500
PERSON_FIELDS: Final = ("name", "email", "partner", "active", "language", "time_zone")


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A field that a record of the file would change; all of a new record."""

    record: str
    id: str
    field: str
    stored: Any
    new: Any


class StoredRecords:
    """The stored records that the file names, read in batches."""

    def __init__(self, clp: Clients, records: Sequence[Record]) -> None:
        self._people: dict[str, PersonFacts] = {}
        self._names: dict[tuple[str, str], str] = {}
        self._assignments: dict[str, Assignment] = {}
        for start in range(0, len(records), BATCH):
            self._read(clp, records[start : start + BATCH])

    def _read(self, clp: Clients, records: Sequence[Record]) -> None:
        found = clp.projects.records(
            people=_ids(records, "person"),
            partners=_ids(records, "partner"),
            project_ids=[
                *_ids(records, "project"),
                *sorted({r.request.project for r in records if r.is_about_partner}),
            ],
        )
        self._people |= {one.id: one for one in found.people}
        self._names |= {("partner", one.id): one.name for one in found.partners}
        self._names |= {("project", one.id): one.title for one in found.projects}
        self._assignments |= {
            f"{one.project} {one.partner}": one for one in found.assignments
        }

    def differences(self, record: Record) -> tuple[Difference, ...]:
        """The changes that storing the record would make; empty for none."""
        compare = {
            "person": self._of_person,
            "partner": lambda r: self._of_name(r, "name"),
            "project": lambda r: self._of_name(r, "title"),
            "assignment": self._of_assignment,
            "withdrawal": self._of_withdrawal,
        }[record.kind]
        return tuple(
            Difference(record=record.kind, id=record.id, field=f, stored=s, new=n)
            for f, s, n in compare(record)
            if s != n
        )

    def _of_person(self, record: Record) -> "Iterator[tuple[str, Any, Any]]":
        stored = self._people.get(record.id)
        for name in PERSON_FIELDS:
            before = None if stored is None else getattr(stored, name)
            yield name, before, getattr(record.request, name)
        roles = None if stored is None else sorted(stored.roles)
        yield "roles", roles, sorted(set(record.request.roles))

    def _of_name(self, record: Record, name: str) -> "Iterator[tuple[str, Any, Any]]":
        before = self._names.get((record.kind, record.id))
        yield name, before, getattr(record.request, name)

    def _of_assignment(self, record: Record) -> "Iterator[tuple[str, Any, Any]]":
        stored = self._assignments.get(record.id)
        yield "assigned", stored is not None and not stored.withdrawn, True
        before = [] if stored is None else sorted(stored.languages)
        yield "languages", before, sorted(set(record.request.languages))

    def _of_withdrawal(self, record: Record) -> "Iterator[tuple[str, Any, Any]]":
        stored = self._assignments.get(record.id)
        yield "assigned", stored is not None and not stored.withdrawn, False


def _ids(records: Iterable[Record], kind: str) -> tuple[str, ...]:
    return tuple(record.id for record in records if record.kind == kind)


def differences_of(
    clp: Clients, records: Sequence[Record]
) -> Mapping[Record, tuple[Difference, ...]]:
    """The differences of each record that has any, in order."""
    stored = StoredRecords(clp, records)
    found = {record: stored.differences(record) for record in records}
    return {record: changes for record, changes in found.items() if changes}
