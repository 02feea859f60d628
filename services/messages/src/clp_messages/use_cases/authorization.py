"""Who asks, about which project: facts of `projects`, and the refusals."""

from collections.abc import Iterable, Iterator
from typing import Final, NoReturn

from clp_chassis.security.passports import Passport
from clp_contracts.errors import Refused
from clp_contracts.methods import PassportKind
from clp_core.channels import Channel, Project
from clp_core.decisions import Decision, InvalidValue, Reason
from clp_core.people import Author, Person
from clp_core.visibility import may_post, may_read
from clp_messages.dependencies import Parts
from clp_messages.mapping import Standing, standing_of

NO_CHANNEL: Final = Decision(Reason.CHANNEL_MISSING)


def refuse(reason: Reason) -> NoReturn:
    """Refuse, with a reason of the rules."""
    raise Refused.because(reason)


def obey(decision: Decision) -> None:
    """Go on when a rule allows it; refuse with its reason otherwise."""
    if not decision:
        refuse(decision.reason)


def channel_named(name: str) -> Channel:
    """The channel of a name; one that no channel can have is a missing channel."""
    try:
        return Channel.named(name)
    except InvalidValue:
        refuse(Reason.CHANNEL_MISSING)


def ask_standing(passport: Passport, project: str | None, parts: Parts) -> Standing:
    """What `projects` knows at this moment of an actor and a project.

    Asked also when there is no project to ask about, so that a missing message takes
    the same path as a hidden one (rule 5).
    """
    told = parts.known.now(_person(passport), project)
    return standing_of(passport, told)


def standings(
    passport: Passport, project: str | None, parts: Parts
) -> Iterator[Standing]:
    """The standing as it is remembered, if it is, then as it is at this moment.

    Take the first that allows, refuse by the last.
    """
    for told in parts.known.about(_person(passport), project):
        yield standing_of(passport, told)


def _person(passport: Passport) -> str | None:
    return None if passport.kind is PassportKind.ROBOT else passport.subject


def author_in(
    channel: Channel, passport: Passport, parts: Parts, *, at_once: bool = False
) -> tuple[Author, Project]:
    """Who posts here, when they may; ``at_once`` by nothing that is remembered."""
    decision = NO_CHANNEL
    for standing in (
        (ask_standing(passport, channel.project, parts),)
        if at_once
        else standings(passport, channel.project, parts)
    ):
        author, project = standing.actor, standing.project
        if author is None or project is None:
            decision = NO_CHANNEL
        elif decision := may_post(author, channel, project):
            return author, project
    refuse(decision.reason)


def reader_in(
    channel: Channel, passport: Passport, parts: Parts
) -> tuple[Person, Project]:
    """Who reads here, when they may."""
    decision = NO_CHANNEL
    for standing in standings(passport, channel.project, parts):
        reader, project = standing.actor, standing.project
        if not isinstance(reader, Person) or project is None:
            decision = NO_CHANNEL
        elif decision := may_read(reader, channel, project):
            return reader, project
    refuse(decision.reason)


def only_one(given: Iterable[object]) -> bool:
    """Whether at most one of some arguments was given."""
    return sum(value is not None for value in given) <= 1
