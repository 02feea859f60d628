"""Who asks, about which project: facts fresh from `projects`, and the refusals."""

from collections.abc import Iterable
from typing import NoReturn

from clp_chassis.passports import Passport
from clp_contracts.methods import PassportKind
from clp_contracts.refusal import Refused
from clp_core.channels import Channel, Project
from clp_core.decisions import Decision, InvalidValue, Reason
from clp_core.people import Author, Person
from clp_core.visibility import may_post, may_read
from clp_messages.facts import Standing, standing_of
from clp_messages.parts import Parts


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
    people = [] if passport.kind is PassportKind.ROBOT else [passport.subject]
    projects = [] if project is None else [project]
    told = parts.callers.projects.facts(projects_=projects, people=people)
    return standing_of(passport, told)


def author_in(
    channel: Channel, passport: Passport, parts: Parts
) -> tuple[Author, Project]:
    """Who posts here, when they may."""
    standing = ask_standing(passport, channel.project, parts)
    if standing.actor is None or standing.project is None:
        refuse(Reason.CHANNEL_MISSING)
    obey(may_post(standing.actor, channel, standing.project))
    return standing.actor, standing.project


def reader_in(
    channel: Channel, passport: Passport, parts: Parts
) -> tuple[Person, Project]:
    """Who reads here, when they may."""
    standing = ask_standing(passport, channel.project, parts)
    if not isinstance(standing.actor, Person) or standing.project is None:
        refuse(Reason.CHANNEL_MISSING)
    obey(may_read(standing.actor, channel, standing.project))
    return standing.actor, standing.project


def only_one(given: Iterable[object]) -> bool:
    """Whether at most one of some arguments was given."""
    return sum(value is not None for value in given) <= 1
