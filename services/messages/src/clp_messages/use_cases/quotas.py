"""How much a person and a channel bring a day, added up as files come."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Self

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from clp_chassis.persistence.bulk_sql import INSERTS
from clp_core.attachments import AttachmentPolicy, QuotaHolder, judge_day
from clp_messages.dependencies import Parts
from clp_messages.tables import Base, UploadTallyRow
from clp_messages.use_cases.authorization import obey

KEPT: Final = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Bill:
    """One file on the tallies of its uploader and its channel.

    Charged before the body is read, with as much as it may turn out to be, so that
    uploads side by side cannot pass the limit together; settled when its size is known.
    """

    day: str
    person: str
    channel: str
    reserved: int

    @classmethod
    def of(cls, holders: tuple[str, str], reserved: int, parts: Parts) -> Self:
        """The bill of a person and a channel for an upload that begins now."""
        return cls(parts.clock().date().isoformat(), *holders, reserved)

    def charge(self, session: Session, policy: AttachmentPolicy) -> None:
        """Add the file to both tallies.

        Raises:
            Refused: ``attachment.quota_spent``.
        """
        table = Base.metadata.tables["upload_tallies"]
        insert: Any = INSERTS[session.get_bind().dialect.name]
        # Always the person first, so that two uploads never wait for each other.
        for holder, name in self._holders():
            row = insert(table).values(
                day=self.day, holder=holder, name=name, files=1, bytes=self.reserved
            )
            added = row.on_conflict_do_update(
                index_elements=table.primary_key.columns,
                set_={
                    "files": table.c.files + 1,
                    "bytes": table.c.bytes + self.reserved,
                },
            )
            brought = session.execute(
                added.returning(table.c.files, table.c.bytes)
            ).one()
            obey(
                judge_day(
                    holder, files=brought.files, size=brought.bytes, policy=policy
                )
            )

    def settle(self, session: Session, size: int) -> None:
        """Correct the bill to what the file really is."""
        if size != self.reserved:
            self._add(session, files=0, size=size - self.reserved)

    def give_back(self, session: Session) -> None:
        """Take a file off that was not kept."""
        self._add(session, files=-1, size=-self.reserved)

    def _holders(self) -> Iterator[tuple[QuotaHolder, str]]:
        yield QuotaHolder.PERSON, self.person
        yield QuotaHolder.CHANNEL, self.channel

    def _add(self, session: Session, *, files: int, size: int) -> None:
        for holder, name in self._holders():
            session.execute(
                update(UploadTallyRow)
                .where(
                    UploadTallyRow.day == self.day,
                    UploadTallyRow.holder == holder,
                    UploadTallyRow.name == name,
                )
                .values(
                    files=UploadTallyRow.files + files,
                    bytes=UploadTallyRow.bytes + size,
                )
            )


def forget_old_tallies(*, parts: Parts) -> None:
    """Remove the tallies of days that are over."""
    over = (parts.clock() - KEPT).date().isoformat()
    with parts.database.writing(tell=False) as session:
        session.execute(delete(UploadTallyRow).where(UploadTallyRow.day < over))
