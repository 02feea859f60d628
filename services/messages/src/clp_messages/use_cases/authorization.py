"""Access checks: facts from `projects`, the rules of the core, and refusals."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final, NoReturn

from clp_chassis.security.passports import Passport
from clp_contracts.core_mapping import to_people, to_project
from clp_contracts.errors import Refused
from clp_contracts.projects import Facts
from clp_core.channels import Channel, Project
from clp_core.decisions import Decision, InvalidValue, Reason
from clp_core.people import Person
from clp_core.visibility import may_post, may_read
from clp_messages.dependencies import Dependencies
from clp_messages.mapping import AccessContext, ProjectReader, access_context_of

NO_CHANNEL: Final = Decision(Reason.CHANNEL_MISSING)
# Asked about in place of no project, which takes as long as to ask about a hidden one.
# A project may have this id: what is answered about it is left out.
NO_PROJECT: Final = "0"


def refuse(reason: Reason, **detail: object) -> NoReturn:
    """Raise `Refused` with the code of a reason, and the limit it is about."""
    raise Refused.because(reason, **detail)


def require(*decisions: Decision) -> None:
    """Raise `Refused` with the reason of the first decision that refuses."""
    for decision in decisions:
        if not decision:
            refuse(decision.reason, **decision.detail)


def channel_named(name: str) -> Channel:
    """Parse a channel name; refuse a malformed one as a missing channel (rule 5).

    Raises:
        Refused: ``channel.missing``.
    """
    try:
        return Channel.named(name)
    except InvalidValue:
        refuse(Reason.CHANNEL_MISSING)


def current_context(
    passport: Passport, project: str | None, deps: Dependencies
) -> AccessContext:
    """Fetch the facts about the actor and a project, never from the cache.

    Call it also without a project, so that a missing one costs the same call as a
    hidden one (rule 5).
    """
    facts = deps.facts.fetch(passport.subject, project or NO_PROJECT)
    return _context(passport, project, facts)


def allowed_context(
    passport: Passport,
    project: str | None,
    rule: Callable[[AccessContext], Decision],
    *,
    deps: Dependencies,
) -> AccessContext:
    """Return the facts by which a rule allows: leased ones if they do, else current.

    Call it also without a project, so that a missing message costs the same call as a
    hidden one (rule 5).

    Raises:
        Refused: with the reason of the rule, judged by current facts.
    """
    decision = NO_CHANNEL
    for facts in deps.facts.get(passport.subject, project or NO_PROJECT):
        context = _context(passport, project, facts)
        if decision := rule(context):
            return context
    refuse(decision.reason)


def _context(passport: Passport, project: str | None, facts: Facts) -> AccessContext:
    return access_context_of(
        passport, facts if project is not None else replace(facts, projects=())
    )


def author_in(
    channel: Channel, passport: Passport, deps: Dependencies
) -> tuple[Person, Project]:
    """Return the author and the project if the actor may post in the channel.

    Raises:
        Refused: ``channel.missing`` or ``broadcast.internal_only``.
    """
    return _person_in(channel, passport, may_post, deps=deps)


def reader_in(
    channel: Channel, passport: Passport, deps: Dependencies
) -> tuple[Person, Project]:
    """Return the reader and the project if the actor may read the channel.

    Raises:
        Refused: ``channel.missing``.
    """
    return _person_in(channel, passport, may_read, deps=deps)


def _person_in(
    channel: Channel,
    passport: Passport,
    rule: Callable[[Person, Channel, Project], Decision],
    *,
    deps: Dependencies,
) -> tuple[Person, Project]:
    def judge(context: AccessContext) -> Decision:
        if context.actor is None or context.project is None:
            return NO_CHANNEL
        return rule(context.actor, channel, context.project)

    context = allowed_context(passport, channel.project, judge, deps=deps)
    if context.actor is None or context.project is None:
        refuse(Reason.CHANNEL_MISSING)
    return context.actor, context.project


class ReaderAccess:
    """Judges what several people may read by facts about them; each pair once."""

    def __init__(self, facts: Facts) -> None:
        self._people = to_people(facts.people)
        self._projects = {project.id: to_project(project) for project in facts.projects}
        self._judged: dict[tuple[str, str], bool] = {}
        self._readers: dict[tuple[str, str], ProjectReader] = {}

    def reader(self, person: str, project: str) -> ProjectReader | None:
        """Return a person as a reader of a project; None if either is missing."""
        known, about = self._people.get(person), self._projects.get(project)
        if known is None or about is None:
            return None
        return self._readers.setdefault((person, project), ProjectReader(known, about))

    def may_read(self, person: str, channel: str) -> bool:
        """Return whether a person may read a channel."""
        pair = (person, channel)
        if pair not in self._judged:
            self._judged[pair] = self._judge(person, Channel.named(channel))
        return self._judged[pair]

    def _judge(self, person: str, channel: Channel) -> bool:
        reader = self.reader(person, channel.project)
        return reader is not None and bool(
            may_read(reader.person, channel, reader.project)
        )


def require_at_most_one(**arguments: object) -> None:
    """Refuse several of some optional arguments, by their names.

    Raises:
        Refused: ``request.malformed``.
    """
    given = [name for name, value in arguments.items() if value is not None]
    if len(given) > 1:
        conflict = f"Not together: {', '.join(given)}."
        refuse_fields({name: [conflict] for name in given})


def refuse_fields(fields: Mapping[str, Sequence[str]]) -> NoReturn:
    """Raise `Refused` for malformed arguments, each named with what is wrong."""
    raise Refused.because("request.malformed", fields=fields)
