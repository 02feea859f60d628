"""Edit and delete messages, and keep earlier texts for internal audit (rule 12)."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from clp_chassis.persistence.database import TRANSIENT_ERRORS
from clp_chassis.security.passports import Passport
from clp_contracts import events
from clp_contracts.errors import CallFailed, Refused
from clp_contracts.messages import (
    Deleted,
    Edited,
    EditMessage,
    MessageRef,
    Revision,
    Revisions,
)
from clp_core.channels import Project, ProjectId
from clp_core.decisions import Decision, Reason
from clp_core.mentions import StoredMark
from clp_core.messages import MessageFacts, judge_text, may_audit, may_delete, may_edit
from clp_core.people import Person
from clp_messages.dependencies import Dependencies
from clp_messages.mapping import AccessContext, serialize_marks, to_message_facts
from clp_messages.message_rows import write_mentions
from clp_messages.queries import (
    attachment_count,
    judged_row,
    locked_message,
    mentioned_in,
)
from clp_messages.tables import OUTBOX, MentionRow, MessageRow, RevisionRow
from clp_messages.use_cases.authorization import allowed_context, refuse, require
from clp_messages.use_cases.mentions import MentionContext, mentions_in
from clp_messages.use_cases.uploads import discard_files, remove_discarded

log = logging.getLogger(__name__)

Rule = Callable[[Person, MessageFacts, Project], Decision]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Permitted:
    """Facts about an allowed change: by whom, of what, where."""

    author: Person
    message: MessageFacts
    project: Project
    attachments: int


@dataclass(frozen=True, slots=True)
class _Content:
    """A text with its mention marks."""

    text: str = ""
    marks: tuple[StoredMark, ...] = ()


NO_MESSAGE: Final = Decision(Reason.MESSAGE_MISSING)
NO_CONTENT: Final = _Content()
# No message, in no project: to count its attachments and to judge it takes as long.
NO_ID: Final = "0" * 32
ABSENT_PROJECT: Final = Project(id=ProjectId(NO_ID))
ABSENT_ROW: Final = MessageRow(
    id=NO_ID, channel=f"{NO_ID}/direct/{NO_ID}", number=0, author=NO_ID
)


def edit_message(
    request: EditMessage, *, actor: Passport, deps: Dependencies
) -> Edited:
    """Replace the text of the actor's own message and resolve its mentions (rule 13).

    The same text with the same mentions changes nothing and announces nothing.

    Raises:
        Refused: ``message.missing``, ``message.deleted``, ``message.not_yours``,
            ``message.changed`` if it has another revision than the request names, or
            a code of the rules about texts and mentions.
    """
    permitted = _require_permission(request.message, may_edit, actor=actor, deps=deps)
    author, project = permitted.author, permitted.project
    require(judge_text(request.text, permitted.attachments))
    context = MentionContext(
        author=author, channel=permitted.message.channel, project=project
    )
    mentions = mentions_in(request.text, context, deps)
    require(mentions.decision)
    with deps.database.writing() as session:
        row = _locked(session, request.message)
        # It may have been deleted since the first check.
        require(may_edit(author, to_message_facts(row), project))
        if request.revision not in (None, row.revision):
            raise Refused("message.changed")
        before = mentioned_in(session, [row.id]).get(row.id, ())
        if (row.text, before) != (request.text, mentions.people):
            row.edited_at = deps.clock()
            _replace_text(
                session,
                row,
                new=_Content(request.text, mentions.marks),
                editor=author,
                at=row.edited_at,
            )
            write_mentions(session, row.id, mentions.people)
            _announce(session, events.MESSAGE_EDITED, row, at=row.edited_at)
        return Edited(id=row.id, revision=row.revision, mentions=mentions.outcomes)


def delete_message(
    request: MessageRef, *, actor: Passport, deps: Dependencies
) -> Deleted:
    """Delete a message and leave a tombstone; its text stays for audit only.

    Its files are removed, and its partner holds their bytes no more.

    Raises:
        Refused: ``message.missing``, ``message.deleted`` or ``message.not_yours``.
    """
    permitted = _require_permission(request.message, may_delete, actor=actor, deps=deps)
    with deps.database.writing() as session:
        row = _locked(session, request.message)
        require(may_delete(permitted.author, to_message_facts(row), permitted.project))
        row.deleted_at = deps.clock()
        _replace_text(
            session,
            row,
            new=NO_CONTENT,
            editor=permitted.author,
            at=row.deleted_at,
        )
        discarded = discard_files(session, row.id)
        _announce(session, events.MESSAGE_DELETED, row, at=row.deleted_at)
        deleted = Deleted(id=row.id, revision=row.revision)
    _remove_files(discarded, deps)
    return deleted


def _remove_files(files: list[str], deps: Dependencies) -> None:
    """Remove discarded files; the sweep does so where the store is unavailable."""
    try:
        if files:
            remove_discarded(files, deps)
    except (*TRANSIENT_ERRORS, CallFailed) as error:
        log.warning("files of a deleted message wait: %s", type(error).__name__)


def revisions(request: MessageRef, *, actor: Passport, deps: Dependencies) -> Revisions:
    """Return the texts of a message before each edit and its deletion (rule 12).

    Only for internal people.

    Raises:
        Refused: ``message.missing``, also to everybody else.
    """
    _require_permission(request.message, may_audit, actor=actor, deps=deps)
    with deps.database.reading() as session:
        rows = session.scalars(
            select(RevisionRow)
            .where(RevisionRow.message == request.message)
            .order_by(RevisionRow.revision)
        ).all()
    return Revisions(
        revisions=tuple(
            Revision(
                revision=row.revision,
                text=row.text,
                replaced_at=row.replaced_at,
                replaced_by=row.replaced_by,
            )
            for row in rows
        )
    )


def _require_permission(
    message: str, rule: Rule, *, actor: Passport, deps: Dependencies
) -> _Permitted:
    """Judge a change of a message by a rule."""
    with deps.database.reading() as session:
        row = judged_row(session, message)
        facts = to_message_facts(ABSENT_ROW if row is None else row)
        files = attachment_count(session, NO_ID if row is None else message)

    def judge(context: AccessContext) -> Decision:
        if context.actor is None:
            return NO_MESSAGE
        decision = rule(context.actor, facts, context.project or ABSENT_PROJECT)
        return NO_MESSAGE if row is None or context.project is None else decision

    project = None if row is None else facts.channel.project
    context = allowed_context(actor, project, judge, deps=deps)
    if row is None or context.actor is None or context.project is None:
        refuse(Reason.MESSAGE_MISSING)
    return _Permitted(
        author=context.actor,
        message=facts,
        project=context.project,
        attachments=files,
    )


def _locked(session: Session, message: str) -> MessageRow:
    row = locked_message(session, message)
    if row is None:
        refuse(Reason.MESSAGE_MISSING)
    return row


def _replace_text(
    session: Session, row: MessageRow, *, new: _Content, editor: Person, at: datetime
) -> None:
    """Store the old text as a revision and remove its mentions."""
    session.add(
        RevisionRow(
            message=row.id,
            revision=row.revision,
            text=row.text,
            marks=row.marks,
            replaced_at=at,
            replaced_by=editor.id,
        )
    )
    row.text, row.marks = new.text, serialize_marks(new.marks)
    row.revision += 1
    session.execute(delete(MentionRow).where(MentionRow.message == row.id))


def _announce(session: Session, type: str, row: MessageRow, *, at: datetime) -> None:
    OUTBOX.append(
        session,
        event_type=type,
        subject=row.id,
        project=row.project,
        at=at,
        detail={
            "channel": row.channel,
            "number": str(row.number),
            "revision": str(row.revision),
            "author": row.author,
        },
    )
