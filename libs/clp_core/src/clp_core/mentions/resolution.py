"""Resolve handles to people, with an outcome for each (rules 18 to 20)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from clp_core.channels import Channel, Project
from clp_core.decisions import ALLOWED, Code, Decision, Reason
from clp_core.mentions.lookup_keys import address_key, name_key
from clp_core.mentions.parser import ParsedText, keys_at, parse, unknown_end
from clp_core.mentions.policy import PUBLISHED_MENTIONS, MentionPolicy
from clp_core.mentions.spans import Span
from clp_core.people import PUBLISHED_ACCESS, AccessPolicy, Author, Person, PersonId
from clp_core.visibility import may_post, may_read


class Outcome(Code):
    """The outcome of a handle (rule 19)."""

    MENTIONED = "mentioned"
    AMBIGUOUS = "ambiguous"
    UNKNOWN = "unknown"
    SELF = "self"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class MentionOutcome:
    """One handle as written: its span (sign included), outcome and person (rule 19).

    The span counts code points of the text as it was given; `handle` is the text after
    the sign. `candidates`, ordered by address, are those of an ambiguous handle; it and
    an unknown one have no `person`.
    """

    span: Span
    handle: str
    outcome: Outcome
    person: Person | None = None
    candidates: tuple[Person, ...] = ()


@dataclass(frozen=True, slots=True)
class Mentions:
    """The outcomes of a text in their order; a refusal if they mention too many.

    Rules 19 and 20. The detail of the refusal has ``max_people`` and the number of
    ``people``.
    """

    outcomes: tuple[MentionOutcome, ...] = ()
    decision: Decision = ALLOWED

    @property
    def people(self) -> frozenset[Person]:
        """The people with the outcome `MENTIONED`."""
        return frozenset(
            mention.person
            for mention in self.outcomes
            if mention.person is not None and mention.outcome is Outcome.MENTIONED
        )


NONE: Final = Mentions()


def mentionable_people(
    people: Iterable[Person],
    *,
    author: Author,
    channel: Channel,
    project: Project,
    access: AccessPolicy = PUBLISHED_ACCESS,
) -> tuple[Person, ...]:
    """The readers of a channel that its author may see (rule 18).

    All readers are visible to an author who may post there: in a direct channel the
    internal people and that partner's, in a broadcast, where only internal people
    post, everybody. An author who may not post sees nobody.
    """
    if not may_post(author, channel, project, access=access):
        return ()
    return tuple(
        person for person in people if may_read(person, channel, project, access=access)
    )


def resolve_mentions(  # noqa: PLR0913  (the facts of a post, each under its name)
    text: str,
    *,
    author: Author,
    channel: Channel,
    project: Project,
    owners: Iterable[Person],
    skip: Sequence[Span] = (),
    policy: MentionPolicy = PUBLISHED_MENTIONS,
    access: AccessPolicy = PUBLISHED_ACCESS,
) -> Mentions:
    """Resolve the handles of a text (rules 14 to 20).

    `owners` must include the owners of `lookup_keys_in`. Those not mentionable here
    are removed first, so that the outcomes are the same whether they exist or not. The
    robot mentions nobody (rule 3). `skip` are spans to leave out, besides those of rule
    17: the code and the links of a richer markup.
    """
    if not isinstance(author, Person):
        return NONE
    parsed = parse(text, skip)
    if not parsed.signs:
        return NONE
    visible = mentionable_people(
        owners, author=author, channel=channel, project=project, access=access
    )
    directory = _Directory.by(visible, policy.max_name_length)
    outcomes = _outcomes(parsed, directory, author)
    mentioned = sum(o.outcome is Outcome.MENTIONED for o in outcomes)
    if mentioned <= policy.max_people:
        return Mentions(outcomes)
    limits = {"max_people": policy.max_people, "people": mentioned}
    return Mentions(outcomes, Decision(Reason.MENTION_TOO_MANY, detail=limits))


@dataclass(frozen=True, slots=True)
class _Directory:
    """Candidates by their keys, and the length of the longest key."""

    names: dict[str, list[Person]]
    addresses: dict[str, list[Person]]
    max_length: int

    @classmethod
    def by(cls, people: Iterable[Person], max_name_length: int) -> "_Directory":
        names: dict[str, list[Person]] = {}
        addresses: dict[str, list[Person]] = {}
        for person in {person.id: person for person in people}.values():
            names.setdefault(name_key(person.name), []).append(person)
            addresses.setdefault(address_key(person.email), []).append(person)
        lengths = (len(key) for keys in (names, addresses) for key in keys)
        return cls(names, addresses, min(max_name_length, max(lengths, default=0)))

    def of(self, key: str) -> list[Person] | None:
        """The owner of an address, or else the owners of a name."""
        return self.addresses.get(key) or self.names.get(key)


def _outcomes(
    parsed: ParsedText, directory: _Directory, author: Person
) -> tuple[MentionOutcome, ...]:
    outcomes: list[MentionOutcome] = []
    seen: set[PersonId] = set()
    done = 0
    for number, sign in enumerate(parsed.signs):
        if sign < done:  # inside the previous handle
            continue
        end, people = _match(parsed, number, directory)
        if end is None:
            continue
        done = end
        span = parsed.original_span(sign, end)
        handle = parsed.original[span.start + 1 : span.end]
        if len(people) == 1:
            outcome = _outcome_for(people[0], author, seen)
            seen.add(people[0].id)
            outcomes.append(MentionOutcome(span, handle, outcome, people[0]))
        elif people:
            ordered = tuple(sorted(people, key=_in_order))
            outcomes.append(
                MentionOutcome(span, handle, Outcome.AMBIGUOUS, candidates=ordered)
            )
        else:
            outcomes.append(MentionOutcome(span, handle, Outcome.UNKNOWN))
    return tuple(outcomes)


def _outcome_for(person: Person, author: Person, seen: set[PersonId]) -> Outcome:
    if person.id == author.id:
        return Outcome.SELF
    return Outcome.DUPLICATE if person.id in seen else Outcome.MENTIONED


def _in_order(person: Person) -> tuple[str, PersonId]:
    return address_key(person.email), person.id


def _match(
    parsed: ParsedText, number: int, directory: _Directory
) -> tuple[int | None, list[Person]]:
    """The end of this handle, and the people it means.

    The longest key with an owner decides: at a joint it means nobody (rule 16).
    """
    for end, key, may_end in keys_at(parsed, number, directory.max_length):
        if people := directory.of(key):
            if may_end:
                return end, people
            break
    return unknown_end(parsed, number), []
