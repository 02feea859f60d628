"""Where a mail may go: what the person chose, the address, and what it refused."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from sqlalchemy.orm import Session

from clp_core.people import Person
from clp_notifications.mail.addresses import Address, BadAddress, address_of
from clp_notifications.states import Because, MailMode
from clp_notifications.transitions import modes_among, suppressed_among

KNOWN_ADDRESSES: Final = 20_000

Destination = Address | Because


def destinations_of(
    session: Session, readers: Iterable[tuple[str, Person]]
) -> Mapping[tuple[str, str], Destination]:
    """The address of each ``(project, reader)``, or why no mail may go there."""
    wanted = {(project, reader.id): reader for project, reader in readers}
    modes = modes_among(session, ((who, project) for project, who in wanted))
    found: dict[tuple[str, str], Destination] = {
        (project, who): Because.MAIL_OFF
        if modes.get((who, project)) is MailMode.OFF
        else _address(reader)
        for (project, who), reader in wanted.items()
    }
    addresses = [str(one) for one in found.values() if isinstance(one, Address)]
    refused = suppressed_among(session, addresses)
    return {
        key: Because.ADDRESS_SUPPRESSED if str(one) in refused else one
        for key, one in found.items()
    }


def _address(reader: Person) -> Destination:
    try:
        return _known_address(reader.email)
    except BadAddress as error:
        return Because(error.reason)


# Reading an address is a third of the work for a mail, and people keep theirs.
_known_address = lru_cache(KNOWN_ADDRESSES)(address_of)
