"""Store people and partners as the identity system holds them."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any, Final, NamedTuple

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from clp_contracts import events
from clp_contracts.core_mapping import to_person
from clp_contracts.errors import Refused
from clp_contracts.mail_addresses import MAX_ADDRESS_BYTES, is_mail_address
from clp_contracts.projects import (
    Me,
    PeopleStored,
    PersonFacts,
    PutPartner,
    PutPeople,
    PutPerson,
    Stored,
)
from clp_core.channels import is_id
from clp_core.mentions import address_key, name_key, prefix_entries
from clp_core.people import ROBOT, PartnerId, Person, has_portal_access
from clp_projects import mapping
from clp_projects.dependencies import Dependencies
from clp_projects.locales import is_time_zone, language_tag
from clp_projects.read_leases import leases_of_people, wait_for_leases
from clp_projects.tables import (
    INTERNAL,
    OUTBOX,
    Base,
    PartnerRow,
    PrefixEntryRow,
    RoleRow,
)
from clp_projects.text_validation import is_one_line, stored_name
from clp_projects.upserts import store_row

# One transaction: it locks the rows that it writes.
MAX_PEOPLE: Final = 500


def put_person(request: PutPerson, *, deps: Dependencies) -> Stored:
    """Store the whole record of a person; an equal one changes nothing.

    If access may have ended, wait until the leases on it have expired, so that its end
    holds from the response on (rule 2). Other people's leases are not waited for.
    """
    (stored,) = put_people(PutPeople(people=(request,)), deps=deps).people
    return stored


def put_people(request: PutPeople, *, deps: Dependencies) -> PeopleStored:
    """Store the whole records of people, all of them or none.

    However many accesses may have ended, wait once until the leases on them have
    expired: an import or a nightly sync of many people takes no longer than one change.

    Raises:
        Refused: as `put_person`, for the first person that is refused.
    """
    if len(request.people) > MAX_PEOPLE:
        raise Refused.because(
            "request.malformed", fields={"people": [f"At most {MAX_PEOPLE} at once."]}
        )
    valid = [_validated_person(one) for one in request.people]
    with deps.database.writing() as session:
        outcomes = [_store_person(session, one, deps) for one in valid]
    if ended := [one.stored.id for one in outcomes if one.may_lose_access]:
        wait_for_leases(leases_of_people(ended), deps=deps)
    return PeopleStored(people=tuple(one.stored for one in outcomes))


class _PersonStored(NamedTuple):
    stored: Stored
    may_lose_access: bool


def _store_person(
    session: Session, request: PutPerson, deps: Dependencies
) -> _PersonStored:
    before = mapping.person(session, request.id)
    _require_confirmed_move(before, request)
    if request.partner is not None and not _is_partner(session, request.partner):
        raise Refused("partner.missing")
    changed = store_row(
        session,
        Base.metadata.tables["people"],
        key={"id": request.id},
        values=_columns_of(request),
    )
    changed |= _store_roles(session, request.id, frozenset(request.roles))
    if changed:
        _store_prefix_entries(session, request)
        OUTBOX.append(
            session,
            event_type=events.PERSON_CHANGED,
            subject=request.id,
            project="",
            at=deps.clock(),
            detail={"partner": request.partner or ""},
        )
    ended = before is not None and _may_lose_access(before, request)
    return _PersonStored(Stored(id=request.id, changed=changed), ended)


def _require_confirmed_move(before: Person | None, request: PutPerson) -> None:
    """Refuse to make a person of a partner internal by a forgotten field (rule 4)."""
    if before is None or before.partner is None:
        return
    named = request.moved_from
    if (request.internal or named is not None) and named != before.partner:
        raise Refused.because("side.unconfirmed", partner=before.partner)


def _may_lose_access(before: Person, request: PutPerson) -> bool:
    """Whether access may have ended, by this call or by an unconfirmed one before."""
    after = _with_access_of(before, request)
    return after != before or not has_portal_access(after)


def _with_access_of(before: Person, request: PutPerson) -> Person:
    """Return the person with the requested partner, roles and state."""
    return replace(
        before,
        partner=None if request.partner is None else PartnerId(request.partner),
        roles=frozenset(request.roles),
        active=request.active,
    )


def me(*, actor: str, deps: Dependencies) -> Me:
    """Return the actor's own record.

    Raises:
        Refused: ``person.missing``.
    """
    with deps.database.reading() as session:
        for facts in mapping.people_by_id(session, [actor]):
            deps.groups.note([facts])
            return me_of(session, facts)
    raise Refused("person.missing")


def me_of(session: Session, facts: PersonFacts) -> Me:
    """Return a person's record as they see it themselves."""
    partner_name = None
    if facts.partner is not None:
        statement = select(PartnerRow.name).where(PartnerRow.id == facts.partner)
        partner_name = session.scalar(statement)
    person = to_person(facts)
    return Me(
        id=facts.id,
        name=facts.name,
        side=person.side.value,
        partner=facts.partner,
        partner_name=partner_name,
        access=has_portal_access(person),
        language=facts.language,
        time_zone=facts.time_zone,
    )


def put_partner(request: PutPartner, *, deps: Dependencies) -> Stored:
    """Store a partner."""
    if not is_id(request.id):
        raise Refused.because("request.malformed", fields={"id": ["not an id"]})
    name = stored_name(request.name)
    with deps.database.writing() as session:
        changed = store_row(
            session,
            Base.metadata.tables["partners"],
            key={"id": request.id},
            values={"name": name},
        )
        if changed:
            OUTBOX.append(
                session,
                event_type=events.PARTNER_CHANGED,
                subject=request.id,
                project="",
                at=deps.clock(),
            )
    return Stored(id=request.id, changed=changed)


def _validated_person(request: PutPerson) -> PutPerson:
    """Return the record as it is stored, or refuse it."""
    # A person with the id of the robot would post as the robot (rule 3).
    if not is_id(request.id) or request.id == ROBOT.id:
        raise Refused.because("request.malformed", fields={"id": ["not an id"]})
    if request.partner is None and not request.internal:
        raise Refused("side.missing")
    if request.partner is not None and request.internal:
        fields = {"internal": ["not together with a partner"]}
        raise Refused.because("request.malformed", fields=fields)
    if not all(is_one_line(role) for role in request.roles):
        raise Refused.because("request.malformed", fields={"roles": ["not one line"]})
    name = stored_name(request.name)
    if not is_mail_address(request.email):
        raise Refused.because("address.malformed", max_bytes=MAX_ADDRESS_BYTES)
    _validate_locale_preferences(request)
    return replace(request, name=name)


def _validate_locale_preferences(request: PutPerson) -> None:
    """Check the language and the time zone of a person, if given."""
    if request.language is not None and language_tag(request.language) is None:
        raise Refused.because("request.malformed", fields={"language": ["not BCP 47"]})
    if request.time_zone is not None and not is_time_zone(request.time_zone):
        raise Refused.because("request.malformed", fields={"time_zone": ["not a zone"]})


def _columns_of(request: PutPerson) -> dict[str, Any]:
    return {
        "name": request.name,
        "email": request.email,
        "partner": request.partner,
        "active": request.active,
        "language": None
        if request.language is None
        else language_tag(request.language),
        "time_zone": request.time_zone,
        "name_key": name_key(request.name),
        "address_key": address_key(request.email),
    }


def _is_partner(session: Session, partner: str) -> bool:
    statement = select(PartnerRow.id).where(PartnerRow.id == partner)
    return is_id(partner) and session.scalar(statement) is not None


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


def _store_prefix_entries(session: Session, request: PutPerson) -> None:
    session.execute(delete(PrefixEntryRow).where(PrefixEntryRow.person == request.id))
    entries = frozenset(prefix_entries(request.name, request.email))
    session.execute(
        insert(PrefixEntryRow),
        [
            {
                "person": request.id,
                "rank": int(place),
                "key": key,
                "partner": request.partner or INTERNAL,
            }
            for place, key in entries
        ],
    )
