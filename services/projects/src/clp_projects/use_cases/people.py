"""Storing people and partners as the identity system knows them."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from clp_contracts import events
from clp_contracts.errors import Refused
from clp_contracts.facts_cache import LIFETIME_S
from clp_contracts.projects import PutPartner, PutPerson, Stored
from clp_core.channels import is_id
from clp_core.mentions import address_key, beginnings_of, name_key
from clp_core.people import ROBOT, PartnerId, Person, Side, has_portal_access
from clp_projects import mapping
from clp_projects.addresses import is_address
from clp_projects.dependencies import Parts
from clp_projects.locales import language_tag
from clp_projects.read_leases import outlast
from clp_projects.tables import (
    OUTBOX,
    THE_STUDIO,
    Base,
    OpeningRow,
    PartnerRow,
    RoleRow,
)
from clp_projects.text_validation import is_name, is_one_line
from clp_projects.time_zones import is_time_zone
from clp_projects.upserts import store_row


def put_person(ask: PutPerson, *, parts: Parts) -> Stored:
    """Store a person's whole record; an equal one changes and announces nothing.

    Other services may remember somebody of the studio for seconds. When that person
    loses access, the answer waits until nobody can remember any more, so that it holds
    from then on (rule 2). It waits as well for answers that were given to hold for a
    while, where anybody may read less than before.
    """
    _judge_person(ask)
    with parts.database.writing() as session:
        before = mapping.person(session, ask.id)
        if ask.partner is not None and not _is_partner(session, ask.partner):
            raise Refused("partner.missing")
        changed = store_row(
            session,
            Base.metadata.tables["people"],
            key={"id": ask.id},
            values=_columns_of(ask),
        )
        changed |= _store_roles(session, ask.id, frozenset(ask.roles))
        if changed:
            _store_openings(session, ask)
            OUTBOX.append(
                session,
                (events.PERSON_CHANGED, ask.id, ""),
                at=parts.clock(),
                detail={"partner": ask.partner or ""},
            )
    if changed and before is not None and _is_shut_out(before, ask):
        parts.pause(LIFETIME_S)
    if before is not None and _may_read_less(before, ask):
        outlast(parts=parts)
    return Stored(id=ask.id, changed=changed)


def _may_read_less(before: Person, ask: PutPerson) -> bool:
    """Whether access may have ended, by this call or by one that was not answered."""
    after = _changed(before, ask)
    return after != before or not has_portal_access(after)


def _is_shut_out(before: Person, ask: PutPerson) -> bool:
    """Whether somebody of the studio may read less from now on."""
    after = _changed(before, ask)
    inside = before.side is Side.INTERNAL and has_portal_access(before)
    stays = after.side is Side.INTERNAL and has_portal_access(after)
    return inside and not stays


def _changed(before: Person, ask: PutPerson) -> Person:
    """The person with what decides on access as it is from now on."""
    return replace(
        before,
        partner=None if ask.partner is None else PartnerId(ask.partner),
        roles=frozenset(ask.roles),
        active=ask.active,
    )


def put_partner(ask: PutPartner, *, parts: Parts) -> Stored:
    """Store a partner."""
    if not is_id(ask.id):
        raise Refused.because("ask.malformed", fields={"id": ["not an id"]})
    if not is_name(ask.name):
        raise Refused("name.malformed")
    with parts.database.writing() as session:
        changed = store_row(
            session,
            Base.metadata.tables["partners"],
            key={"id": ask.id},
            values={"name": ask.name},
        )
        if changed:
            OUTBOX.append(
                session, (events.PARTNER_CHANGED, ask.id, ""), at=parts.clock()
            )
    return Stored(id=ask.id, changed=changed)


def _judge_person(ask: PutPerson) -> None:
    # A person of the robot's name would speak with its voice (rule 3).
    if not is_id(ask.id) or ask.id == ROBOT.id:
        raise Refused.because("ask.malformed", fields={"id": ["not an id"]})
    if not all(is_one_line(role) for role in ask.roles):
        raise Refused.because("ask.malformed", fields={"roles": ["not one line"]})
    if not is_name(ask.name):
        raise Refused("name.malformed")
    if not is_address(ask.email):
        raise Refused("address.malformed")
    _judge_habits(ask)


def _judge_habits(ask: PutPerson) -> None:
    """The language and the zone of a person's mails, where they are told."""
    if ask.language is not None and language_tag(ask.language) is None:
        raise Refused.because("ask.malformed", fields={"language": ["not BCP 47"]})
    if ask.time_zone is not None and not is_time_zone(ask.time_zone):
        raise Refused.because("ask.malformed", fields={"time_zone": ["not a zone"]})


def _columns_of(ask: PutPerson) -> dict[str, Any]:
    return {
        "name": ask.name,
        "email": ask.email,
        "partner": ask.partner,
        "active": ask.active,
        "language": None if ask.language is None else language_tag(ask.language),
        "time_zone": ask.time_zone,
        "name_key": name_key(ask.name),
        "address_key": address_key(ask.email),
    }


def _is_partner(session: Session, partner: str) -> bool:
    asked = select(PartnerRow.id).where(PartnerRow.id == partner)
    return is_id(partner) and session.scalar(asked) is not None


def _store_roles(session: Session, person: str, roles: Collection[str]) -> bool:
    held = set(session.scalars(select(RoleRow.role).where(RoleRow.person == person)))
    if held == roles:
        return False
    session.execute(delete(RoleRow).where(RoleRow.person == person))
    if roles:
        session.execute(
            insert(RoleRow), [{"person": person, "role": role} for role in roles]
        )
    return True


def _store_openings(session: Session, ask: PutPerson) -> None:
    session.execute(delete(OpeningRow).where(OpeningRow.person == ask.id))
    openings = frozenset(beginnings_of(ask.name, ask.email))
    session.execute(
        insert(OpeningRow),
        [
            {
                "person": ask.id,
                "rank": int(place),
                "key": key,
                "partner": ask.partner or THE_STUDIO,
            }
            for place, key in openings
        ],
    )
