"""Earlier texts of a message (rule 12)."""

from dataclasses import dataclass

from clp_contracts.messages import Revisions
from clp_portal.translation import Locale


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionRow:
    """An earlier text, and until when it stood."""

    number: int
    text: str
    until: str
    iso: str


def revision_rows(revisions: Revisions, locale: Locale) -> tuple[RevisionRow, ...]:
    """Draw the earlier texts, the newest first."""
    rows = [
        RevisionRow(
            number=one.revision,
            text=one.text,
            until=locale.timestamp(one.replaced_at),
            iso=one.replaced_at.isoformat(timespec="seconds"),
        )
        for one in revisions.revisions
    ]
    return tuple(reversed(rows))
