"""Handle bounces by their status class, list suppressions and delete them (rule 41).

A bounce counts only when it came to the address that was made for that mail and that
recipient address, and reports that address: anybody can write to it, only we can create
one (H11).
"""

import logging
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from prometheus_client import Counter
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from clp_chassis.persistence.bulk_sql import insert_if_absent
from clp_contracts import notifications as contract
from clp_contracts.errors import Refused
from clp_contracts.transition_reasons import TransitionReason
from clp_notifications.dependencies import Dependencies
from clp_notifications.inbound.classifier import VerpMark, verp_marks
from clp_notifications.inbound.delivery_status import (
    DELAYED,
    FAILED,
    RecipientStatus,
    normalized,
    parse_report,
)
from clp_notifications.inbound.mime import Part
from clp_notifications.mapping import person_in
from clp_notifications.states import State
from clp_notifications.tables import BOUNCES, Bounce, Mail, Notification, Suppression
from clp_notifications.transitions import (
    Transition,
    apply_transitions,
    record_transitions,
    suppress,
)

log = logging.getLogger(__name__)

HALF_LIFE: Final = timedelta(days=7)
MAX_SCORE: Final = 4.0
MAX_ADDRESSES: Final = 500
# A mail that a policy bounced is sent again after an hour, then after twice the time.
POLICY_RETRY: Final = timedelta(hours=1)
MAX_POLICY_RETRY: Final = timedelta(days=1)
MAX_DOUBLINGS: Final = 5
POLICY_BOUNCES: Final = Counter(
    "clp_policy_bounces_total", "Mails that bounced because of a policy on our sending."
)


class BounceEffect(StrEnum):
    """The effect of a bounce, the strongest last."""

    NOT_OURS = "not_ours"
    OTHER_RECIPIENT = "other_recipient"
    NONE = "none"
    TEMPORARY = "temporary"
    POLICY = "policy"
    MAIL_FAILED = "mail_failed"
    PERMANENT = "permanent"


# The first matching row decides: action, status class, effect. A class that ends with a
# dot matches every status that begins with it; an empty one matches all of them.
EFFECTS: Final[tuple[tuple[str, str, BounceEffect], ...]] = (
    (FAILED, "5.1.7", BounceEffect.POLICY),
    (FAILED, "5.1.8", BounceEffect.POLICY),
    (FAILED, "5.7.", BounceEffect.POLICY),
    (FAILED, "5.1.", BounceEffect.PERMANENT),
    (FAILED, "5.2.1", BounceEffect.PERMANENT),
    (FAILED, "5.2.2", BounceEffect.TEMPORARY),
    (FAILED, "5.4.", BounceEffect.TEMPORARY),
    (FAILED, "4.", BounceEffect.TEMPORARY),
    (FAILED, "", BounceEffect.MAIL_FAILED),
    (DELAYED, "", BounceEffect.TEMPORARY),
    ("", "", BounceEffect.NONE),
)
# The action of a report that states none, by the first digit of its status.
ACTIONS: Final = {"5": FAILED, "4": DELAYED}
STRENGTH: Final = {effect: rank for rank, effect in enumerate(BounceEffect)}
TRANSITIONS: Final = {
    BounceEffect.PERMANENT: Transition(State.DEAD, TransitionReason.BOUNCED),
    BounceEffect.MAIL_FAILED: Transition(State.DEAD, TransitionReason.MAIL_BOUNCED),
    BounceEffect.POLICY: Transition(State.DUE, TransitionReason.POLICY),
}
BOUNCED_FOR_NOW: Final = Transition(State.SENT, TransitionReason.BOUNCED_FOR_NOW)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedMail:
    """A mail of ours, its reader, and the address that it was sent to."""

    mail: str
    person: str
    address: str


def handle_bounce(mail: Part, raw: bytes, *, deps: Dependencies) -> BounceEffect:
    """Count a bounce, once however often it arrives.

    Raises:
        MalformedMail: the report cannot be parsed.
    """
    marks = verp_marks(mail.headers, deps.bounces.domain)
    if not marks:
        return BounceEffect.NOT_OURS
    statuses = parse_report(mail, raw)
    reported = {address for status in statuses for address in status.addresses}
    bounced = verified_mail(marks, reported, deps=deps)
    if bounced is None:
        return BounceEffect.NOT_OURS
    effect = _effect_on(bounced.address, statuses)
    if effect in TRANSITIONS or effect is BounceEffect.TEMPORARY:
        _count(bounced, effect, deps)
    return effect


def verified_mail(
    marks: Sequence[VerpMark], addresses: Iterable[str], *, deps: Dependencies
) -> VerifiedMail | None:
    """The mail and the address that one of the marks was made for.

    The address is one of ``addresses``, or the current one of the mail's reader.
    """
    for mark in marks:
        with deps.database.reading() as session:
            person = session.scalar(select(Mail.person).where(Mail.id == mark.mail))
        if person is None:
            continue
        candidates = {*addresses, *_addresses_of(person, deps)}
        for address in sorted(candidates):
            if deps.tokens.is_verp_mac(mark.mail, address, mark.mac):
                return VerifiedMail(mail=mark.mail, person=person, address=address)
    return None


def _addresses_of(person: str, deps: Dependencies) -> Iterable[str]:
    facts = deps.clients.projects.facts(people=(person,))
    reader = person_in(facts, person)
    return () if reader is None else normalized([reader.email])


def effect_of(action: str, status: str) -> BounceEffect:
    """The effect of a status on the recipient whom it is about."""
    if not action:
        action = ACTIONS.get(status[:1], "")
    for row_action, row_status, effect in EFFECTS:
        if row_action in ("", action) and _matches(status, row_status):
            return effect
    raise AssertionError("the table of effects is not total")


def _matches(status: str, row: str) -> bool:
    if row.endswith(".") or not row:
        return status.startswith(row)
    return status == row


def _effect_on(address: str, statuses: Iterable[RecipientStatus]) -> BounceEffect:
    """The strongest effect on this address; other recipients do not count."""
    effects = [
        effect_of(status.action, status.status)
        if address.casefold() in map(str.casefold, status.addresses)
        else BounceEffect.OTHER_RECIPIENT
        for status in statuses
    ]
    return max(effects, key=lambda one: STRENGTH[one], default=BounceEffect.NONE)


def _count(bounced: VerifiedMail, effect: BounceEffect, deps: Dependencies) -> None:
    at = deps.clock()
    row = {
        "mail": bounced.mail,
        "kind": effect.value,
        "address": bounced.address,
        "at": at,
    }
    with deps.database.writing() as session:
        is_new = insert_if_absent(session, BOUNCES, row)
        if effect is BounceEffect.TEMPORARY:
            if is_new:
                _count_temporary(session, bounced, at=at)
        else:
            # A notification that was sent again may bounce again.
            _fail(session, bounced, effect, at=at)
    log.info("mail %s bounced: %s", bounced.mail, effect)


def _fail(
    session: Session, bounced: VerifiedMail, effect: BounceEffect, *, at: datetime
) -> None:
    sent = sent_in(session, bounced.mail)
    apply_transitions(session, dict.fromkeys(sent, TRANSITIONS[effect]), at=at)
    if effect is BounceEffect.PERMANENT:
        suppress(
            session,
            bounced.address,
            mail=bounced.mail,
            reason=TransitionReason.BOUNCED,
            at=at,
        )
    elif effect is BounceEffect.POLICY and sent:
        log.error("mail %s bounced because of a policy on our sending", bounced.mail)
        POLICY_BOUNCES.inc()
        _postpone(session, bounced.mail, at=at)


def _postpone(session: Session, mail: str, *, at: datetime) -> None:
    """Let a mail that a policy bounced be sent again; it never expires by that."""
    row = session.scalars(select(Mail).where(Mail.id == mail).with_for_update()).one()
    delay = POLICY_RETRY * 2 ** min(max(0, row.attempts - 1), MAX_DOUBLINGS)
    row.due_at = at + min(delay, MAX_POLICY_RETRY)
    row.first_tried_at = None


def _count_temporary(session: Session, bounced: VerifiedMail, *, at: datetime) -> None:
    sent = sent_in(session, bounced.mail)
    record_transitions(session, BOUNCED_FOR_NOW, sent, at=at)
    if _score(session, bounced.address, at) >= MAX_SCORE:
        suppress(
            session,
            bounced.address,
            mail=bounced.mail,
            reason=TransitionReason.BOUNCED_FOR_NOW,
            at=at,
        )


def sent_in(session: Session, mail: str) -> list[str]:
    """The notifications of a mail that count as sent."""
    query = select(Notification.id).where(
        Notification.mail == mail, Notification.state == State.SENT.value
    )
    return list(session.scalars(query))


def _score(session: Session, address: str, now: datetime) -> float:
    """One per temporary bounce, halved every week."""
    query = select(Bounce.at).where(
        Bounce.address == address, Bounce.kind == BounceEffect.TEMPORARY.value
    )
    ages = [(now - at) / HALF_LIFE for at in session.scalars(query)]
    return math.fsum(math.exp2(-age) for age in ages)


def suppressions(
    request: contract.ListSuppressions, *, deps: Dependencies
) -> contract.Suppressions:
    """Addresses that get no more mails, in their order; ``after`` is the last seen."""
    query = (
        select(Suppression)
        .order_by(Suppression.address)
        .limit(max(1, min(request.limit, MAX_ADDRESSES)))
    )
    if request.after is not None:
        query = query.where(Suppression.address > request.after)
    with deps.database.reading() as session:
        return contract.Suppressions(
            suppressions=tuple(
                contract.Suppression(
                    address=row.address, reason=row.reason, mail=row.mail, at=row.at
                )
                for row in session.scalars(query)
            )
        )


def delete_suppression(
    request: contract.DeleteSuppression, *, deps: Dependencies
) -> contract.SuppressionDeleted:
    """Let mails go to an address again, with a clean score.

    Raises:
        Refused: ``address.not_suppressed`` when mails do go there.
    """
    with deps.database.writing() as session:
        found = session.get(Suppression, request.address, with_for_update=True)
        if found is None:
            raise Refused("address.not_suppressed")
        session.delete(found)
        session.execute(delete(Bounce).where(Bounce.address == request.address))
    return contract.SuppressionDeleted(address=request.address)
