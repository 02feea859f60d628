"""A message with its facts and people, read from plain data such as JSON."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self, cast

from clp_core.channels import Channel, Project, ProjectId, is_id
from clp_core.decisions import InvalidValue
from clp_core.people import ROBOT, Author, PartnerId, Person, PersonId
from clp_core.policies import Policies
from clp_core.routing import Explanation, Occasion, RoutingFacts, explain
from clp_core.visibility import channel_exists

SCENARIO_FIELDS: Final = (
    "project",
    "people",
    "channel",
    "author",
    "followers",
    "mentioned",
    "occasion",
    "policies",
)
PROJECT_FIELDS: Final = ("id", "assigned", "withdrawn")
PERSON_FIELDS: Final = ("id", "name", "email", "partner", "roles", "active")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One message with its facts, the people to explain, and the policies.

    >>> Scenario.from_mapping({
    ...     "project": {"id": "p1", "assigned": ["north"]},
    ...     "people": [
    ...         {"id": "nat", "partner": "north", "roles": ["dub_portal_user"]},
    ...     ],
    ...     "channel": "p1/broadcast",
    ...     "author": "robot",
    ...     "followers": ["nat"],
    ... }).explanations()[0].sentence
    'told: follows the project, new broadcast'
    """

    facts: RoutingFacts
    people: tuple[Person, ...]
    policies: Policies

    def explanations(self) -> tuple[Explanation, ...]:
        """Explain for each person, ordered by person id: told or not, and why."""
        explained = explain(
            self.facts, self.policies.routing, self.policies.access, include=self.people
        )
        return tuple(explained.values())

    @classmethod
    def from_mapping(cls, mapping: object) -> Self:
        """Read a scenario.

        Raises:
            InvalidValue: naming the field, as in ``people[2].roles: ...``.
        """
        table = _Table.of("", mapping, SCENARIO_FIELDS)
        project = _project_in(table)
        people = _people_in(table)
        facts = RoutingFacts(
            author=_author_in(table, people),
            channel=_channel_in(table, project),
            project=project,
            followers=_named_in(table, "followers", people),
            mentioned=_named_in(table, "mentioned", people),
            occasion=_occasion_in(table),
        )
        policies = table.table("policies") or {}
        return cls(
            facts=facts,
            people=tuple(people.values()),
            policies=_prefixed("policies", policies),
        )


@dataclass(frozen=True, slots=True)
class _Table:
    """A table of fields with its path, so that an error names the field."""

    place: str
    fields: Mapping[str, object]

    @classmethod
    def of(cls, place: str, value: object, allowed: Collection[str]) -> Self:
        if not isinstance(value, Mapping):
            raise InvalidValue(f"{place or 'the file'}: must be a table of fields")
        fields = cast("Mapping[str, object]", value)
        table = cls(place, fields)
        for key in fields:
            if key not in allowed:
                raise InvalidValue(f"{table.at(key)}: there is no such field")
        return table

    def at(self, key: str) -> str:
        return f"{self.place}.{key}" if self.place else key

    def wrong(self, key: str, sentence: str) -> InvalidValue:
        return InvalidValue(f"{self.at(key)}: {sentence}")

    def table(self, key: str) -> Mapping[str, object] | None:
        value = self.fields.get(key)
        if value is None or isinstance(value, Mapping):
            return cast("Mapping[str, object] | None", value)
        raise self.wrong(key, "must be a table of fields")

    def items(self, key: str) -> Sequence[object]:
        value = self.fields.get(key, [])
        if isinstance(value, list):
            return cast("list[object]", value)
        raise self.wrong(key, "must be a list")

    def word(self, key: str, default: str | None = None) -> str:
        value = self.fields.get(key, default)
        if isinstance(value, str):
            return value
        raise self.wrong(key, "is missing" if value is None else "must be a word")

    def words(self, key: str) -> tuple[str, ...]:
        words = tuple(item for item in self.items(key) if isinstance(item, str))
        if len(words) != len(self.items(key)):
            raise self.wrong(key, "must be a list of words")
        return words

    def id(self, key: str) -> str:
        return self.checked_id(key, self.word(key))

    def ids(self, key: str) -> tuple[str, ...]:
        return tuple(self.checked_id(key, word) for word in self.words(key))

    def checked_id(self, key: str, word: str) -> str:
        if is_id(word):
            return word
        raise self.wrong(key, f"{word!r} cannot be an id")


def _project_in(table: _Table) -> Project:
    project = _Table.of("project", table.table("project"), PROJECT_FIELDS)
    assigned = frozenset(map(PartnerId, project.ids("assigned")))
    return Project(
        id=ProjectId(project.id("id")),
        assigned=assigned,
        withdrawn=frozenset(map(PartnerId, project.ids("withdrawn"))) - assigned,
    )


def _people_in(table: _Table) -> dict[PersonId, Person]:
    people: dict[PersonId, Person] = {}
    for number, item in enumerate(table.items("people")):
        row = _Table.of(f"people[{number}]", item, PERSON_FIELDS)
        person = _person_in(row)
        if person.id in people or person.id == ROBOT.id:
            raise row.wrong("id", f"{person.id} is somebody else already")
        people[person.id] = person
    return people


def _person_in(row: _Table) -> Person:
    person_id = PersonId(row.id("id"))
    active = row.fields.get("active", True)
    if not isinstance(active, bool):
        raise row.wrong("active", "must be true or false")
    partner = None
    if row.fields.get("partner") is not None:
        partner = PartnerId(row.id("partner"))
    return Person(
        id=person_id,
        name=row.word("name", person_id),
        email=row.word("email", ""),
        partner=partner,
        roles=frozenset(row.words("roles")),
        active=active,
    )


def _channel_in(table: _Table, project: Project) -> Channel:
    name = table.word("channel")
    try:
        channel = Channel.named(name)
    except InvalidValue as problem:
        raise table.wrong("channel", f"{name!r}: {problem}") from None
    if not channel_exists(channel, project):
        raise table.wrong("channel", f"{project.id} has no channel {name}")
    return channel


def _author_in(table: _Table, people: Mapping[PersonId, Person]) -> Author:
    author = PersonId(table.word("author"))
    if author == ROBOT.id:
        return ROBOT
    if author in people:
        return people[author]
    raise table.wrong("author", f"nobody in people is called {author!r}")


def _named_in(
    table: _Table, key: str, people: Mapping[PersonId, Person]
) -> frozenset[Person]:
    for word in table.words(key):
        if word not in people:
            raise table.wrong(key, f"nobody in people is called {word!r}")
    return frozenset(people[PersonId(word)] for word in table.words(key))


def _occasion_in(table: _Table) -> Occasion:
    word = table.word("occasion", Occasion.POSTED)
    if word in list(Occasion):
        return Occasion(word)
    raise table.wrong("occasion", f"must be one of {', '.join(Occasion)}")


def _prefixed(key: str, mapping: Mapping[str, object]) -> Policies:
    try:
        return Policies.from_mapping(mapping)
    except InvalidValue as problem:
        raise InvalidValue(f"{key}.{problem}") from None
