"""Mails that came back: what they mean for an address, and how it is freed again.

A bounce counts only when it came to the address that was made for that mail and that
person's address; anybody can write to it, nobody else can make one (H11). A mail that
came back for good stops its address (rule 41); one that came back for now adds to a
score that fades, and a high score stops the address too.
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
from clp_notifications.dependencies import Parts
from clp_notifications.inbound.bounce_parser import Returned, read_returned
from clp_notifications.mail.addresses import BadAddress, address_of
from clp_notifications.mapping import person_in
from clp_notifications.states import Because, State
from clp_notifications.tables import Bounce, Mail, Notification, SuppressedAddress
from clp_notifications.transitions import Change, add_steps, move, suppress

log = logging.getLogger(__name__)

HALF_LIFE: Final = timedelta(days=7)
MOST_SCORE: Final = 4.0
MOST: Final = 500
BACK: Final = Change(State.DEAD, Because.BOUNCED)
BACK_FOR_NOW: Final = Change(State.SENT, Because.BOUNCED_FOR_NOW)


class Taken(StrEnum):
    """What became of a mail that came to a bounce address."""

    FOR_GOOD = "for good"
    FOR_NOW = "for now"
    NO_BOUNCE = "no bounce"
    NOT_OURS = "not ours"


def take_bounce(raw: bytes, bounce_domain: str, *, parts: Parts) -> Taken:
    """Read a mail that came back and let it count, once however often it comes."""
    returned = read_returned(raw, bounce_domain)
    for mail, mac in returned.marks:
        address = _proven((mail, mac), returned, parts)
        if address is not None:
            return _count((address, mail), returned, parts)
    if returned.marks:
        log.warning("a bounce that nobody of ours was mailed for was ignored")
    return Taken.NOT_OURS


def _proven(mark: tuple[str, str], returned: Returned, parts: Parts) -> str | None:
    """The address that the mark was made for: one it names, or the person's own."""
    mail, mac = mark
    with parts.database.reading() as session:
        person = session.scalar(select(Mail.person).where(Mail.id == mail))
    if person is None:
        return None
    facts = parts.callers.projects.facts(people=(person,))
    candidates = {*returned.for_now, *returned.for_good}
    candidates.update(_address_of(person_in(facts, person)))
    for one in sorted(candidates):
        if parts.seals.is_bounce_mac(mail, one, mac):
            return one
    return None


def _address_of(person: Person | None) -> Iterable[str]:
    try:
        return () if person is None else (str(address_of(person.email)),)
    except BadAddress:
        return ()


def _count(whose: tuple[str, str], returned: Returned, parts: Parts) -> Taken:
    address, mail = whose
    if not returned.for_now and not returned.for_good:
        return Taken.NO_BOUNCE
    at = parts.clock()
    taken = Taken.FOR_GOOD if returned.for_good else Taken.FOR_NOW
    with parts.database.writing() as session:
        bounce = {"mail": mail, "kind": taken.value, "address": address, "at": at}
        if not insert_if_absent(session, Bounce.__table__, bounce):  # type: ignore[arg-type]
            return taken
        if taken is Taken.FOR_GOOD:
            suppress(session, whose, Because.BOUNCED, at=at)
            move(session, dict.fromkeys(_sent_in(session, mail), BACK), at=at)
        else:
            add_steps(session, BACK_FOR_NOW, _sent_in(session, mail), at=at)
            if _score(session, address, at) >= MOST_SCORE:
                suppress(session, whose, Because.BOUNCED_FOR_NOW, at=at)
    log.info("mail %s came back %s", mail, taken)
    return taken


def _sent_in(session: Session, mail: str) -> list[str]:
    asked = select(Notification.id).where(
        Notification.mail == mail, Notification.state == State.SENT.value
    )
    return list(session.scalars(asked))


def _score(session: Session, address: str, now: datetime) -> float:
    """One for each mail that came back for now, half as much after a week."""
    asked = select(Bounce.at).where(
        Bounce.address == address, Bounce.kind == Taken.FOR_NOW.value
    )
    ages = [(now - at) / HALF_LIFE for at in session.scalars(asked)]
    return math.fsum(math.exp2(-age) for age in ages)


def suppressed(
    ask: contract.AskSuppressed, *, parts: Parts
) -> contract.SuppressedAddresses:
    """Addresses that get no more mails, in their order; ``after`` is the last seen."""
    asked = (
        select(SuppressedAddress)
        .order_by(SuppressedAddress.address)
        .limit(max(1, min(ask.limit, MOST)))
    )
    if ask.after is not None:
        asked = asked.where(SuppressedAddress.address > ask.after)
    with parts.database.reading() as session:
        return contract.SuppressedAddresses(
            addresses=tuple(
                contract.SuppressedAddress(
                    address=row.address, reason=row.reason, mail=row.mail, at=row.at
                )
                for row in session.scalars(asked)
            )
        )


def release(ask: contract.Release, *, parts: Parts) -> contract.Released:
    """Let mails go to an address again, with a clean score.

    Raises:
        Refused: ``address.not_suppressed`` when mails do go there.
    """
    with parts.database.writing() as session:
        found = session.get(SuppressedAddress, ask.address, with_for_update=True)
        if found is None:
            raise Refused("address.not_suppressed")
        session.delete(found)
        session.execute(delete(Bounce).where(Bounce.address == ask.address))
    return contract.Released(address=ask.address)
