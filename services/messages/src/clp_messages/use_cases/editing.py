"""Editing and deleting, and what was said before, for internal audit (rule 12)."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from clp_chassis.security.passports import Passport
from clp_contracts import events
from clp_contracts.messages import (
    Deleted,
    EarlierText,
    EarlierTexts,
    Edited,
    EditMessage,
    OneMessage,
)
from clp_core.channels import Project
from clp_core.decisions import Decision, Reason
from clp_core.messages import MessageFacts, judge_text, may_audit, may_delete, may_edit
from clp_core.people import Author
from clp_messages.dependencies import Parts
from clp_messages.mapping import core_message
from clp_messages.queries import attachment_count, mentioned_in, message_by_id
from clp_messages.tables import OUTBOX, EarlierTextRow, MentionRow, MessageRow
from clp_messages.use_cases.authorization import ask_standing, obey, refuse
from clp_messages.use_cases.mentions import mentions_in
from clp_messages.use_cases.posting import write_mentions

Rule = Callable[[Author, MessageFacts, Project], Decision]


def edit_message(ask: EditMessage, *, actor: Passport, parts: Parts) -> Edited:
    """Replace the text of one's own message; mentions are read afresh (rule 13).

    The same text with the same mentions changes nothing and tells nobody.
    """
    author, found, project, files = _permitted(ask.message, (actor, may_edit), parts)
    obey(judge_text(ask.text, files))
    mentions = mentions_in(ask.text, (author, found.channel, project), parts)
    obey(mentions.decision)
    with parts.database.writing() as session:
        row = _locked(session, ask.message)
        # Somebody may have deleted it meanwhile.
        obey(may_edit(author, core_message(row), project))
        before = mentioned_in(session, [row.id]).get(row.id, ())
        if (row.text, before) != (ask.text, mentions.people):
            row.edited_at = parts.clock()
            _replace_text(session, row, text=ask.text, by=(author, row.edited_at))
            write_mentions(session, row.id, mentions.people)
            _announce(session, events.MESSAGE_EDITED, row, at=row.edited_at)
        return Edited(id=row.id, revision=row.revision, mentions=mentions.outcomes)


def delete_message(ask: OneMessage, *, actor: Passport, parts: Parts) -> Deleted:
    """Delete a message and leave a tombstone; its text stays for audit only."""
    who, _, project, _ = _permitted(ask.message, (actor, may_delete), parts)
    with parts.database.writing() as session:
        row = _locked(session, ask.message)
        obey(may_delete(who, core_message(row), project))
        row.deleted_at = parts.clock()
        _replace_text(session, row, text="", by=(who, row.deleted_at))
        _announce(session, events.MESSAGE_DELETED, row, at=row.deleted_at)
        return Deleted(id=row.id, revision=row.revision)


def earlier_texts(ask: OneMessage, *, actor: Passport, parts: Parts) -> EarlierTexts:
    """What a message said before each edit and before its deletion (rule 12).

    For internal people only; to everybody else such a message is a missing one.
    """
    _permitted(ask.message, (actor, may_audit), parts)
    with parts.database.reading() as session:
        rows = session.scalars(
            select(EarlierTextRow)
            .where(EarlierTextRow.message == ask.message)
            .order_by(EarlierTextRow.revision)
        ).all()
    return EarlierTexts(
        texts=tuple(
            EarlierText(
                revision=row.revision,
                text=row.text,
                replaced_at=row.replaced_at,
                replaced_by=row.replaced_by,
            )
            for row in rows
        )
    )


def _permitted(
    message: str, asked: tuple[Passport, Rule], parts: Parts
) -> tuple[Author, MessageFacts, Project, int]:
    """Who may do it, to what, where; and how many attachments the message has."""
    passport, rule = asked
    with parts.database.reading() as session:
        row = message_by_id(session, message)
        found = None if row is None else core_message(row)
        files = attachment_count(session, message) if found is not None else 0
    # Asked also when there is no message, so that a missing one takes the same path as
    # a hidden one (rule 5); and never remembered, for an edit may mention somebody.
    place = None if found is None else found.channel.project
    standing = ask_standing(passport, place, parts)
    if found is None or standing.actor is None or standing.project is None:
        refuse(Reason.MESSAGE_MISSING)
    obey(rule(standing.actor, found, standing.project))
    return standing.actor, found, standing.project, files


def _locked(session: Session, message: str) -> MessageRow:
    row = message_by_id(session, message, lock=True)
    if row is None:
        refuse(Reason.MESSAGE_MISSING)
    return row


def _replace_text(
    session: Session, row: MessageRow, *, text: str, by: tuple[Author, datetime]
) -> None:
    """Keep the old text aside and forget whom it mentioned."""
    who, at = by
    session.add(
        EarlierTextRow(
            message=row.id,
            revision=row.revision,
            text=row.text,
            replaced_at=at,
            replaced_by=who.id,
        )
    )
    row.text = text
    row.revision += 1
    session.execute(delete(MentionRow).where(MentionRow.message == row.id))


def _announce(session: Session, type: str, row: MessageRow, *, at: datetime) -> None:
    OUTBOX.append(
        session,
        (type, row.id, row.project),
        at=at,
        detail={
            "channel": row.channel,
            "number": str(row.number),
            "revision": str(row.revision),
            "author": row.author,
        },
    )
