"""Mention marks of a stored text, and those a reader is shown (rule 45)."""

from collections.abc import Iterable
from dataclasses import dataclass

from clp_core.mentions.spans import Span
from clp_core.people import PartnerId, Person, PersonId, Side


@dataclass(frozen=True, slots=True)
class StoredMark:
    """A mention stored with its text: span, person, and their partner at that time."""

    span: Span
    person: PersonId
    partner: PartnerId | None = None


def visible_marks(
    marks: Iterable[StoredMark], reader: Person
) -> tuple[StoredMark, ...]:
    """The marks that mean the reader, or that the reader could make (rule 45).

    The studio sees all marks. A partner's person sees those of studio people, of their
    own partner and of themselves, so that no mark reveals people of another partner.

    >>> nat = Person(id="nat", name="Nat", email="", partner="north")
    >>> marks = [
    ...     StoredMark(Span(0, 4), "ivy"),
    ...     StoredMark(Span(5, 9), "nia", "north"),
    ...     StoredMark(Span(10, 14), "sam", "south"),
    ... ]
    >>> [mark.person for mark in visible_marks(marks, nat)]
    ['ivy', 'nia']
    """
    return tuple(mark for mark in marks if _is_visible(mark, reader))


def _is_visible(mark: StoredMark, reader: Person) -> bool:
    if reader.side is Side.INTERNAL or mark.person == reader.id:
        return True
    return mark.partner is None or mark.partner == reader.partner
