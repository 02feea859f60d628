"""Quotas: uploads of a person and a channel a day, and what a partner holds."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, delete, update
from sqlalchemy.orm import Session

from clp_chassis.persistence.bulk_sql import INSERTS
from clp_core.attachments import (
    AttachmentPolicy,
    QuotaScope,
    judge_daily_quota,
    judge_held_bytes,
)
from clp_messages.dependencies import Dependencies
from clp_messages.tables import AttachmentRow, Base, UploadTallyRow
from clp_messages.use_cases.authorization import require

KEPT: Final = timedelta(days=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaCharge:
    """One upload on the tallies of its uploader, its channel and its partner.

    Apply it before the body is read, with the largest possible size, so that parallel
    uploads cannot pass the limit together; settle it when the size is known. ``day`` is
    an ISO date (UTC), ``reserved`` a number of bytes. ``partner`` is that of the
    uploader, None for the studio, whose files nothing bounds.
    """

    day: str
    person: str
    channel: str
    partner: str | None
    reserved: int

    def apply(self, session: Session, policy: AttachmentPolicy) -> None:
        """Add the file to its tallies.

        Raises:
            Refused: ``attachment.quota_spent``, or ``attachment.partner_quota_spent``.
        """
        table = Base.metadata.tables["upload_tallies"]
        insert: Any = INSERTS[session.get_bind().dialect.name]
        # Always the person first, so that two uploads never deadlock.
        for scope, name in self._scopes():
            row = insert(table).values(
                day=self.day, scope=scope, name=name, files=1, bytes=self.reserved
            )
            upsert = row.on_conflict_do_update(
                index_elements=table.primary_key.columns,
                set_={
                    "files": table.c.files + 1,
                    "bytes": table.c.bytes + self.reserved,
                },
            )
            tally = session.execute(
                upsert.returning(table.c.files, table.c.bytes)
            ).one()
            require(
                judge_daily_quota(
                    scope, files=tally.files, size=tally.bytes, policy=policy
                )
            )

        if self.partner is not None:
            held = _count_held(session, self.partner, self.reserved)
            require(judge_held_bytes(held, policy))

    def settle(self, session: Session, size: int) -> None:
        """Correct the reserved bytes to the real size."""
        if size != self.reserved:
            self._add(session, files=0, size=size - self.reserved)
            if self.partner is not None:
                _count_held(session, self.partner, size - self.reserved)

    def revert(self, session: Session) -> None:
        """Take a file off the tallies of the day that was not kept."""
        self._add(session, files=-1, size=-self.reserved)

    def _scopes(self) -> Iterator[tuple[QuotaScope, str]]:
        yield QuotaScope.PERSON, self.person
        yield QuotaScope.CHANNEL, self.channel

    def _add(self, session: Session, *, files: int, size: int) -> None:
        for scope, name in self._scopes():
            session.execute(
                update(UploadTallyRow)
                .where(
                    UploadTallyRow.day == self.day,
                    UploadTallyRow.scope == scope,
                    UploadTallyRow.name == name,
                )
                .values(
                    files=UploadTallyRow.files + files,
                    bytes=UploadTallyRow.bytes + size,
                )
            )


def delete_files(session: Session, *conditions: ColumnElement[bool]) -> int:
    """Delete rows of files whose bytes are gone, and release what their partners held.

    Returns the number of rows.
    """
    removed = session.execute(
        delete(AttachmentRow)
        .where(*conditions)
        .returning(AttachmentRow.partner, AttachmentRow.size)
    ).all()
    released = Counter[str]()
    for partner, size in removed:
        if partner is not None:
            released[partner] += size
    # In one order, so that two of these never wait for each other.
    for partner in sorted(released):
        _count_held(session, partner, -released[partner])
    return len(removed)


def _count_held(session: Session, partner: str, size: int) -> int:
    """Add a number of bytes to what a partner holds; return what it holds then.

    In the transaction that changes the rows of files, so that both always agree.
    """
    table = Base.metadata.tables["held_bytes"]
    insert: Any = INSERTS[session.get_bind().dialect.name]
    row = insert(table).values(partner=partner, bytes=size)
    upsert = row.on_conflict_do_update(
        index_elements=[table.c.partner], set_={"bytes": table.c.bytes + size}
    )
    held: int = session.execute(upsert.returning(table.c.bytes)).scalar_one()
    return held


def delete_old_tallies(*, deps: Dependencies) -> None:
    """Delete the tallies of past days."""
    over = (deps.clock() - KEPT).date().isoformat()
    with deps.database.writing(notify=False) as session:
        session.execute(delete(UploadTallyRow).where(UploadTallyRow.day < over))
