"""Recheck claimed mails: may each one still leave, and to which address (rule 23).

One call to `messages` rechecks all mails of a chunk and returns the facts it judged by.
The result is a lease: until it ends, `projects` confirms to nobody that an access has
ended, so no mail leaves after such a confirmation. An expired lease is renewed by one
more call for all mails that have not left.
"""

import logging
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from sqlalchemy.orm import Session

from clp_chassis.transient_errors import is_of_services
from clp_contracts.client import Clients
from clp_contracts.core_mapping import to_people, to_project
from clp_contracts.mail_addresses import MailAddress
from clp_contracts.messages import MailReader, Message, ReaderMessages
from clp_contracts.projects import Follow, ProjectFacts
from clp_contracts.transition_reasons import TransitionReason
from clp_core.channels import Project
from clp_core.delivery import DeliveryReason, judge_delivery
from clp_core.messages import MessageFacts
from clp_core.people import Person, PersonId
from clp_core.routing import Recipient, Trigger
from clp_notifications.delivery.claims import Claim, Item
from clp_notifications.delivery.dependencies import DeliveryDependencies
from clp_notifications.mail.addresses import BadAddress, address_of
from clp_notifications.states import MailMode
from clp_notifications.transitions import (
    modes_among,
    people_without_content,
    suppressed_among,
)

log = logging.getLogger(__name__)

ADDRESS_CACHE_SIZE: Final = 20_000
# The first response of slow services may come after its lease; the second asks for a
# longer one.
MAX_LATE_RECHECKS: Final = 3
WITHDRAWALS: Final = {
    DeliveryReason.ACCESS_LOST: TransitionReason.NO_ACCESS,
    DeliveryReason.MESSAGE_DELETED: TransitionReason.DELETED,
    DeliveryReason.MENTION_REMOVED: TransitionReason.MENTION_REMOVED,
}
# The rule needs an author; routing already left the real one out.
UNKNOWN_AUTHOR: Final = PersonId("")

AddressOrReason = MailAddress | TransitionReason


@dataclass(frozen=True, slots=True, kw_only=True)
class RecheckFacts:
    """Facts about one mail's reader and messages at the time of the recheck."""

    reader: Person | None
    project: ProjectFacts | None
    rules: Project | None
    language: str | None
    time_zone: str | None
    follows: bool
    readable: ReaderMessages
    messages: Mapping[str, Message]
    deleted: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Eligibility:
    """All that decides whether a mail leaves, where to and what it shows.

    ``address`` is None where the reader no longer exists.
    """

    facts: RecheckFacts
    address: AddressOrReason | None
    wants_content: bool


class EligibilityChecker:
    """Rechecks the mails of one batch, all pending ones together.

    ``has_failed`` is true when the services failed to respond, or only after the lease;
    all pending mails wait then.
    """

    def __init__(self, deps: DeliveryDependencies) -> None:
        self._deps = deps
        self._pending: dict[str, Claim] = {}
        self._results: Mapping[str, Eligibility] = {}
        self._valid_until = 0.0
        self._lease_s = deps.limits.recheck_lease_s
        self._late_rechecks = 0
        self._lock = threading.Lock()
        self.has_failed = False

    def check(self, claims: Iterable[Claim]) -> Mapping[str, Eligibility]:
        """Recheck these claims as the pending ones; return eligibility by mail.

        Raises:
            CallFailed: a service did not respond.
        """
        self._pending = {claim.mail: claim for claim in claims}
        self.has_failed = False
        self._late_rechecks = 0
        self._recheck()
        return self._results

    def done(self, claim: Claim) -> None:
        """Leave a claim out of further rechecks."""
        self._pending.pop(claim.mail, None)

    def is_current(self, claim: Claim, eligibility: Eligibility) -> bool:
        """Whether a composed mail may leave now: its eligibility is unchanged.

        Renews an expired lease first.
        """
        while not self.has_failed:
            if self._is_valid():
                return self._results.get(claim.mail) == eligibility
            self._renew()
        return False

    def _is_valid(self) -> bool:
        return self._deps.monotonic() < self._valid_until

    def _renew(self) -> None:
        """Recheck, unless another connection did so while this one waited."""
        with self._lock:
            if self.has_failed or self._is_valid():
                return
            try:
                self._recheck()
            except Exception as error:
                # It is of all pending mails: the one being sent is not to blame.
                if is_of_services(error):
                    log.warning("mails wait for a recheck: %s", type(error).__name__)
                else:
                    log.exception("mails wait for a recheck")
                self.has_failed = True
                return
            self._late_rechecks = 0 if self._is_valid() else self._late_rechecks + 1
            self.has_failed = self._late_rechecks >= MAX_LATE_RECHECKS

    def _recheck(self) -> None:
        """Recheck pending mails; the lease counts from before the call.

        When the call takes long, the next one asks for a lease of twice that time.
        """
        started_at = self._deps.monotonic()
        self._results, lease_s = _eligibilities(
            tuple(self._pending.values()), self._deps, lease_s=self._lease_s
        )
        took = self._deps.monotonic() - started_at
        self._valid_until = started_at + lease_s
        self._lease_s = max(self._deps.limits.recheck_lease_s, 2 * took)


def recheck(
    claims: Sequence[Claim], clients: Clients, *, lease_s: float
) -> tuple[Mapping[str, RecheckFacts], float]:
    """Recheck on behalf of the readers; return facts by mail, and their lease in s.

    However many mails there are, this is one call: `messages` returns the facts it
    judged by, and nothing here is judged by other facts.
    """
    response = clients.messages.readable_messages(
        readers=[_reader_of(claim) for claim in claims], lease_s=lease_s
    )
    facts = response.facts
    messages = {message.id: message for message in response.messages}
    projects = {project.id: project for project in facts.projects}
    rules = {key: to_project(project) for key, project in projects.items()}
    people, follows = to_people(facts.people), frozenset(facts.follows)
    locales = {one.id: (one.language, one.time_zone) for one in facts.people}
    deleted = frozenset(response.deleted_ids)

    def facts_of(claim: Claim, readable: ReaderMessages) -> RecheckFacts:
        project = claim.channel.project
        language, time_zone = locales.get(claim.person, (None, None))
        return RecheckFacts(
            reader=people.get(claim.person),
            project=projects.get(project),
            rules=rules.get(project),
            language=language,
            time_zone=time_zone,
            follows=Follow(person=claim.person, project=project) in follows,
            readable=readable,
            messages={key: messages[key] for key in readable.readable},
            deleted=deleted & {item.message for item in claim.items},
        )

    by_mail = {
        claim.mail: facts_of(claim, readable)
        for claim, readable in zip(claims, response.readers, strict=True)
    }
    return by_mail, facts.lease_s


def withdrawal_reason(item: Item, facts: RecheckFacts) -> TransitionReason | None:
    """Why this notification must not leave; None when it may."""
    if facts.reader is None or facts.rules is None:
        return TransitionReason.NO_ACCESS
    message, readable = item.message, facts.readable
    is_deleted = message in facts.deleted
    if message not in readable.readable and not is_deleted:
        return TransitionReason.NO_ACCESS
    is_mentioned = message in readable.mentioned_in
    decision = judge_delivery(
        Recipient(facts.reader, item.trigger),
        MessageFacts(
            channel=item.channel,
            number=item.number,
            author=UNKNOWN_AUTHOR,
            deleted=is_deleted,
        ),
        facts.rules,
        mentioned=frozenset({facts.reader.id} if is_mentioned else ()),
    )
    if not decision:
        return WITHDRAWALS[decision.reason]
    if message in readable.read:
        return TransitionReason.READ
    if item.trigger is not Trigger.MENTION and not facts.follows:
        return TransitionReason.UNFOLLOWED
    return None


def addresses_of(
    session: Session, readers: Iterable[tuple[str, Person]]
) -> Mapping[tuple[str, str], AddressOrReason]:
    """The address of each ``(project, reader)``, or why no mail may go there."""
    wanted = {(project, reader.id): reader for project, reader in readers}
    modes = modes_among(session, ((person, project) for project, person in wanted))
    found: dict[tuple[str, str], AddressOrReason] = {
        (project, person): TransitionReason.MAIL_OFF
        if modes.get((person, project)) is MailMode.OFF
        else _address(reader)
        for (project, person), reader in wanted.items()
    }
    addresses = [str(one) for one in found.values() if isinstance(one, MailAddress)]
    suppressed = suppressed_among(session, addresses)
    return {
        key: TransitionReason.ADDRESS_SUPPRESSED if str(one) in suppressed else one
        for key, one in found.items()
    }


def _reader_of(claim: Claim) -> MailReader:
    messages = dict.fromkeys(item.message for item in claim.items)
    return MailReader(person=claim.person, message_ids=tuple(messages))


def _eligibilities(
    claims: Sequence[Claim], deps: DeliveryDependencies, *, lease_s: float
) -> tuple[Mapping[str, Eligibility], float]:
    facts, granted_s = recheck(claims, deps.clients, lease_s=lease_s)
    readers = {
        claim.mail: (claim.channel.project, reader)
        for claim in claims
        if (reader := facts[claim.mail].reader) is not None
    }
    with deps.database.reading() as session:
        found = addresses_of(session, readers.values())
        people = [reader.id for _, reader in readers.values()]
        without_content = people_without_content(session, people)
    addresses = {
        mail: found[project, reader.id] for mail, (project, reader) in readers.items()
    }
    eligibilities = {
        claim.mail: Eligibility(
            facts=facts[claim.mail],
            address=addresses.get(claim.mail),
            wants_content=claim.person not in without_content,
        )
        for claim in claims
    }
    return eligibilities, granted_s


def _address(reader: Person) -> AddressOrReason:
    try:
        return _cached_address(reader.email)
    except BadAddress as error:
        return TransitionReason(error.reason)


# Parsing an address is a third of the work for a mail, and people keep theirs.
_cached_address = lru_cache(ADDRESS_CACHE_SIZE)(address_of)
