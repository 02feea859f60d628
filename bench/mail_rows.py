"""Fill the databases of a suite: people, followers, messages and due mails."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import insert

from bench.mail_texts import person_id, text_for
from clp_chassis.persistence.database import Database
from clp_messages.tables import ChannelRow, MentionRow, MessageRow
from clp_notifications.tables import Mail, Notification, RoutedMessage
from clp_projects.tables import (
    AssignmentRow,
    FollowerRow,
    PartnerRow,
    PersonRow,
    ProjectRow,
    RoleRow,
)

AT: Final = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PARTNER, PROJECT, AUTHOR, TITLE = "north", "p0", "ivy", "Night Train"


def put_people(
    url: str, count: int, projects: Iterable[str], *, followers: int
) -> None:
    """Create the people of a partner, with access to all projects and some followers."""
    people = [_person(person_id(n), f"Person {n}", PARTNER) for n in range(count)]
    people.append(_person(AUTHOR, "Ivy Lane", None))
    database = Database(url)
    with database.writing() as session:
        session.execute(insert(PartnerRow).values(id=PARTNER, name="North Dubbing"))
        session.execute(
            insert(ProjectRow),
            [
                {"id": one, "title": TITLE, "title_key": TITLE.casefold()}
                for one in projects
            ],
        )
        session.execute(insert(PersonRow), people)
        session.execute(
            insert(RoleRow),
            [{"person": one["id"], "role": "dub_portal_user"} for one in people],
        )
        session.execute(
            insert(AssignmentRow),
            [{"project": p, "partner": PARTNER, "languages": ["fr"]} for p in projects],
        )
        session.execute(
            insert(FollowerRow),
            [
                {"project": PROJECT, "person": person_id(n), "followed_at": AT}
                for n in range(followers)
            ],
        )
    database.close()


def _person(id: str, name: str, partner: str | None) -> dict[str, Any]:
    return {
        "id": id,
        "name": name,
        "email": f"{id}@north.example",
        "partner": partner,
        "active": True,
        "name_key": name.casefold(),
        "address_key": f"{id}@north.example",
    }


def put_personal_mails(urls: Mapping[str, str], tag: str, count: int) -> None:
    """Create one due message for each of so many people, mentioning that person.

    The tag is the project they are about.
    """
    numbers, channel = range(count), f"{tag}/broadcast"
    _put_messages(urls["messages"], tag, numbers)
    database = Database(urls["notifications"])
    with database.writing() as session:
        session.execute(
            insert(RoutedMessage),
            [
                {
                    "message": message_id(tag, n),
                    "channel": channel,
                    "author": AUTHOR,
                    "mentioned": f'["{person_id(n)}"]',
                    "at": AT,
                }
                for n in numbers
            ],
        )
        session.execute(insert(Mail), [_mail(tag, n, channel) for n in numbers])
        session.execute(
            insert(Notification), [_notification(tag, n, channel) for n in numbers]
        )
    database.close()


def message_id(tag: str, number: int) -> str:
    """Return an id of ours; the tag is ``p`` and a number."""
    return f"{int(tag[1:]):x}{number:08x}".rjust(32, "0")


def _mail(tag: str, number: int, channel: str) -> dict[str, Any]:
    return {
        "id": message_id(tag, number),
        "person": person_id(number),
        "project": tag,
        "channel": channel,
        "kind": "mention",
        "first_message": message_id(tag, number),
        "joinable": False,
        "due_at": AT,
        "attempts": 0,
    }


def _notification(tag: str, number: int, channel: str) -> dict[str, Any]:
    return {
        "id": message_id(tag, number),
        "message": message_id(tag, number),
        "number": number + 1,
        "person": person_id(number),
        "project": tag,
        "channel": channel,
        "trigger": "mention",
        "rule": "R4",
        "routing_reason": "told.mention",
        "mail": message_id(tag, number),
        "state": "due",
        "reason": "routed",
    }


def _put_messages(url: str, tag: str, numbers: range) -> None:
    database = Database(url)
    channel = f"{tag}/broadcast"
    with database.writing() as session:
        session.execute(
            insert(ChannelRow).values(
                name=channel, project=tag, last_number=len(numbers)
            )
        )
        rows = [_message(tag, n, channel) for n in numbers]
        session.execute(insert(MessageRow), rows)
        session.execute(
            insert(MentionRow),
            [{"message": message_id(tag, n), "person": person_id(n)} for n in numbers],
        )
    database.close()


def _message(tag: str, number: int, channel: str) -> dict[str, Any]:
    return {
        "id": message_id(tag, number),
        "channel": channel,
        "project": tag,
        "number": number + 1,
        "revision": 1,
        "author": AUTHOR,
        "author_name": "Ivy Lane",
        "author_side": "internal",
        "author_number": number + 1,
        "text": text_for(number),
        "marks": "[]",
        "posted_at": AT,
        "idempotency_key": message_id(tag, number),
        "content_hash": "0" * 64,
        "outcomes": "{}",
    }
