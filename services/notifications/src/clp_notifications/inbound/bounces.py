"""Handle bounces, list suppressions and delete them.

A bounce counts only when it came to the address that was made for that mail and that
recipient address: anybody can write to it, only we can create one (H11). A permanent
bounce suppresses the address (rule 41); a temporary one adds to a decaying score,
and a high score suppresses the address too.
"""

import logging
import math
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from clp_chassis.persistence.bulk_sql import insert_if_absent
from clp_contracts import notifications as contract
from clp_contracts.errors import Refused
from clp_core.people import Person
from clp_notifications.dependencies import Dependencies
from clp_notifications.inbound.bounce_parser import BounceReport, parse_bounce
from clp_notifications.mail.addresses import BadAddress, address_of
from clp_notifications.mapping import person_in
from clp_notifications.states import State, TransitionReason
from clp_notifications.tables import Bounce, Mail, Notification, Suppression
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
BOUNCED: Final = Transition(State.DEAD, TransitionReason.BOUNCED)
BOUNCED_TEMPORARILY: Final = Transition(State.SENT, TransitionReason.BOUNCED_FOR_NOW)


class BounceEffect(StrEnum):
    """The effect of a mail that came to a bounce address."""

    PERMANENT = "permanent"
    TEMPORARY = "temporary"
    NO_BOUNCE = "no_bounce"
    NOT_OURS = "not_ours"


def handle_bounce(
    raw: bytes, bounce_domain: str, *, deps: Dependencies
) -> BounceEffect:
    """Parse a bounce and count it, once however often it arrives."""
    returned = parse_bounce(raw, bounce_domain)
    for mail, mac in returned.verp_marks:
        address = _verified_address(returned, mail=mail, mac=mac, deps=deps)
        if address is not None:
            return _count(returned, address=address, mail=mail, deps=deps)
    if returned.verp_marks:
        log.warning("ignored a bounce with an invalid mark")
    return BounceEffect.NOT_OURS


def _verified_address(
    returned: BounceReport, *, mail: str, mac: str, deps: Dependencies
) -> str | None:
    """The address the mark was made for: a reported one, or the person's own."""
    with deps.database.reading() as session:
        person = session.scalar(select(Mail.person).where(Mail.id == mail))
    if person is None:
        return None
    facts = deps.clients.projects.facts(people=(person,))
    candidates = {*returned.temporary, *returned.permanent}
    candidates.update(_address_of(person_in(facts, person)))
    for one in sorted(candidates):
        if deps.tokens.is_verp_mac(mail, one, mac):
            return one
    return None


def _address_of(person: Person | None) -> Iterable[str]:
    try:
        return () if person is None else (str(address_of(person.email)),)
    except BadAddress:
        return ()


def _count(
    returned: BounceReport, *, address: str, mail: str, deps: Dependencies
) -> BounceEffect:
    if not returned.temporary and not returned.permanent:
        return BounceEffect.NO_BOUNCE
    at = deps.clock()
    effect = BounceEffect.PERMANENT if returned.permanent else BounceEffect.TEMPORARY
    with deps.database.writing() as session:
        bounce = {"mail": mail, "kind": effect.value, "address": address, "at": at}
        if not insert_if_absent(session, Bounce.__table__, bounce):  # type: ignore[arg-type]
            return effect
        if effect is BounceEffect.PERMANENT:
            suppress(
                session, address, mail=mail, reason=TransitionReason.BOUNCED, at=at
            )
            apply_transitions(
                session, dict.fromkeys(_sent_in(session, mail), BOUNCED), at=at
            )
        else:
            record_transitions(
                session, BOUNCED_TEMPORARILY, _sent_in(session, mail), at=at
            )
            if _score(session, address, at) >= MAX_SCORE:
                suppress(
                    session,
                    address,
                    mail=mail,
                    reason=TransitionReason.BOUNCED_FOR_NOW,
                    at=at,
                )
    log.info("mail %s bounced: %s", mail, effect)
    return effect


def _sent_in(session: Session, mail: str) -> list[str]:
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
