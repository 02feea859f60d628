"""Reads ``rows.toml``: who is who, and what becomes of the handles of each text."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from clp_core.channels import Channel
from clp_core.mentions import MentionOutcome, Outcome, Span
from clp_core.people import ROBOT, Author, PartnerId, Person, PersonId
from tests.core.sample_world import P1, PORTAL

OPENS, CLOSES = "⟦", "⟧"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the table, with who writes where."""

    group: str
    text: str
    expected: tuple[tuple[Span, str], ...]
    reason: str
    author: Author
    channel: Channel


@cache
def directory() -> Mapping[str, Person]:
    """Everybody, those who may read nothing included."""
    table = _table()
    return {
        name: _person(name, facts, table["hidden"].get(name))
        for name, facts in table["people"].items()
    }


@cache
def rows() -> tuple[Row, ...]:
    """Every row, in the order of the file."""
    return tuple(
        _row(group, *row) for group in _table()["group"] for row in group["rows"]
    )


def written(found: MentionOutcome) -> tuple[Span, str]:
    """An outcome as the table writes it."""
    match found.outcome:
        case Outcome.UNKNOWN:
            return found.span, "?"
        case Outcome.SELF:
            return found.span, "me"
        case Outcome.AMBIGUOUS:
            return found.span, "|".join(person.id for person in found.candidates)
        case Outcome.MENTIONED | Outcome.DUPLICATE:
            again = "=" if found.outcome is Outcome.DUPLICATE else ""
            return found.span, again + (found.person.id if found.person else "nobody")


@cache
def _table() -> Mapping[str, Any]:
    return tomllib.loads((Path(__file__).parent / "rows.toml").read_text("utf-8"))


def _person(id: str, facts: list[str], hidden: str | None) -> Person:
    name, address, partner = facts
    roles = PORTAL | {"dialogue_list_author"} if hidden == "a linguist" else PORTAL
    return Person(
        id=PersonId(id),
        name=name,
        email=address,
        partner=PartnerId(partner) if partner else None,
        roles=frozenset() if hidden == "without the portal role" else roles,
        active=hidden != "a leaver",
    )


def _row(group: Mapping[str, Any], marked: str, outcomes: str, reason: str) -> Row:
    author, channel = group.get("author", "ivy"), group.get("channel")
    spans = tuple(_spans(marked))
    return Row(
        group=group["title"],
        text=marked.replace(OPENS, "").replace(CLOSES, ""),
        expected=tuple(
            zip(spans, outcomes.split(" ") if outcomes else [], strict=True)
        ),
        reason=reason,
        author=ROBOT if author == "robot" else directory()[author],
        channel=Channel(P1.id, PartnerId(channel) if channel else None),
    )


def _spans(marked: str) -> Iterator[Span]:
    """The stretches between the marks, counted as if the marks were not there."""
    start = position = 0
    for character in marked:
        if character == OPENS:
            start = position
        elif character == CLOSES:
            yield Span(start, position)
        else:
            position += 1
