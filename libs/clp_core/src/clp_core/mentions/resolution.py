"""From the owners of keys to what became of each handle (rules 18 to 20)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from clp_core.channels import Channel, Project
from clp_core.decisions import ALLOWED, Code, Decision, Reason
from clp_core.mentions.lookup_keys import address_key, name_key
from clp_core.mentions.parser import Page, keys_at, page_of, unknown_end
from clp_core.mentions.policy import PUBLISHED_MENTIONS, MentionPolicy
from clp_core.mentions.spans import Span
from clp_core.people import PUBLISHED_ACCESS, AccessPolicy, Author, Person, PersonId
from clp_core.visibility import may_post, may_read

TOO_MANY: Final = Decision(Reason.MENTION_TOO_MANY)


class Outcome(Code):
    """What became of a handle (rule 19)."""

    MENTIONED = "mentioned"
    AMBIGUOUS = "ambiguous"
    UNKNOWN = "unknown"
    SELF = "self"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class MentionOutcome:
    """One handle: where it stands, sign included, as written, and whom it means.

    Only an ambiguous handle has `candidates`; it and an unknown one mean no person.
    """

    span: Span
    handle: str
    outcome: Outcome
    person: Person | None = None
    candidates: tuple[Person, ...] = ()


@dataclass(frozen=True, slots=True)
class Mentions:
    """The handles of a text in their order, and whether they are too many."""

    outcomes: tuple[MentionOutcome, ...] = ()
    decision: Decision = ALLOWED

    @property
    def people(self) -> frozenset[Person]:
        """Whoever is truly mentioned."""
        return frozenset(
            found.person
            for found in self.outcomes
            if found.person is not None and found.outcome is Outcome.MENTIONED
        )


NONE: Final = Mentions()


def candidates_for(
    people: Iterable[Person],
    *,
    author: Author,
    channel: Channel,
    project: Project,
    access: AccessPolicy = PUBLISHED_ACCESS,
) -> tuple[Person, ...]:
    """The readers of a channel whom its author may see (rule 18).

    Everybody who reads a channel is visible to whoever may post to it: in a direct
    channel the internal people and that partner's, in a broadcast, which only internal
    people post to, all. To an author who may not post there is nobody to see.
    """
    if not may_post(author, channel, project, access=access):
        return ()
    return tuple(
        person for person in people if may_read(person, channel, project, access=access)
    )


def outcomes_in(  # noqa: PLR0913  (the facts of a post, each under its name)
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
    """What becomes of the handles of a text (rules 14 to 20).

    `owners` may be anybody, as long as the owners of `keys_worth_looking_up` are among
    them; those who may not be mentioned here are put aside first, so that the answer
    is the same whether they exist or not. The robot mentions nobody (rule 3).
    """
    if not isinstance(author, Person):
        return NONE
    page = page_of(text, skip)
    if not page.signs:
        return NONE
    visible = candidates_for(
        owners, author=author, channel=channel, project=project, access=access
    )
    owned = _Owned.by(visible, policy.max_name_length)
    outcomes = _outcomes(page, owned, author)
    told = sum(found.outcome is Outcome.MENTIONED for found in outcomes)
    return Mentions(outcomes, TOO_MANY if told > policy.max_people else ALLOWED)


@dataclass(frozen=True, slots=True)
class _Owned:
    """Candidates by their keys, and the length of the longest name worth a look."""

    names: dict[str, list[Person]]
    addresses: dict[str, list[Person]]
    longest: int

    @classmethod
    def by(cls, people: Iterable[Person], max_name_length: int) -> "_Owned":
        names: dict[str, list[Person]] = {}
        addresses: dict[str, list[Person]] = {}
        for person in {person.id: person for person in people}.values():
            names.setdefault(name_key(person.name), []).append(person)
            addresses.setdefault(address_key(person.email), []).append(person)
        lengths = (len(key) for keys in (names, addresses) for key in keys)
        return cls(names, addresses, min(max_name_length, max(lengths, default=0)))

    def of(self, key: str) -> list[Person] | None:
        """An address is one person's own; a name may be anybody's."""
        return self.addresses.get(key) or self.names.get(key)


def _outcomes(page: Page, owned: _Owned, author: Person) -> tuple[MentionOutcome, ...]:
    outcomes: list[MentionOutcome] = []
    told: set[PersonId] = set()
    done = 0
    for number, sign in enumerate(page.signs):
        if sign < done:  # inside of the handle before
            continue
        done, people = _meant(page, number, owned)
        span, handle = Span(sign, done), page.text[sign + 1 : done]
        if len(people) == 1:
            outcome = _outcome_for(people[0], author, told)
            told.add(people[0].id)
            outcomes.append(MentionOutcome(span, handle, outcome, people[0]))
        elif people:
            ordered = tuple(sorted(people, key=_in_order))
            outcomes.append(
                MentionOutcome(span, handle, Outcome.AMBIGUOUS, candidates=ordered)
            )
        else:
            outcomes.append(MentionOutcome(span, handle, Outcome.UNKNOWN))
    return tuple(outcomes)


def _outcome_for(person: Person, author: Person, told: set[PersonId]) -> Outcome:
    if person.id == author.id:
        return Outcome.SELF
    return Outcome.DUPLICATE if person.id in told else Outcome.MENTIONED


def _in_order(person: Person) -> tuple[str, PersonId]:
    return address_key(person.email), person.id


def _meant(page: Page, number: int, owned: _Owned) -> tuple[int, list[Person]]:
    """Where this handle ends, and the people it means."""
    for end, key in keys_at(page, number, owned.longest):
        if people := owned.of(key):
            return end, people
    return unknown_end(page, number), []
