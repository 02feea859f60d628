"""Messages as people see them on their screens now, for live updates (rule 49)."""

from clp_contracts.messages import (
    GetScreenMessages,
    Screen,
    ScreenMessage,
    ScreenMessages,
)
from clp_messages.dependencies import Dependencies
from clp_messages.mapping import (
    StoredRow,
    mention_marks,
    message_may,
    message_views,
)
from clp_messages.queries import messages_by_id, projects_of
from clp_messages.use_cases.authorization import ReaderAccess


def screen_messages(
    request: GetScreenMessages, *, deps: Dependencies
) -> ScreenMessages:
    """Return messages, tombstones included, as each of several people sees them now.

    One call to `projects` with leased facts: the end of an access is confirmed only
    when the lease of the response has run out.
    """
    wanted = list(dict.fromkeys(request.message_ids))
    people = list(dict.fromkeys(request.people))
    with deps.database.reading() as session:
        projects = projects_of(session, wanted)
    facts = deps.clients.projects.facts(
        project_ids=sorted(set(projects.values())),
        people=people,
        lease_s=request.lease_s,
    )
    with deps.database.reading() as session:
        # After the call to `projects`: nothing is shown as it was before a deletion.
        rows = {row.id: row for row in messages_by_id(session, wanted)}
        stored = [rows[message] for message in wanted if message in rows]
        views = message_views(stored)
    access = ReaderAccess(facts)
    screens = tuple(_screen(person, stored, access) for person in people)
    shown = {item.message for screen in screens for item in screen.messages}
    return ScreenMessages(
        screens=screens,
        messages=tuple(view for view in views if view.id in shown),
        lease_s=facts.lease_s,
    )


def _screen(person: str, rows: list[StoredRow], access: ReaderAccess) -> Screen:
    return Screen(
        person=person,
        messages=tuple(
            ScreenMessage(
                message=row.id,
                mentions=mention_marks(row, reader.person),
                may=message_may(row, reader),
            )
            for row in rows
            if access.may_read(person, row.channel)
            and (reader := access.reader(person, row.project)) is not None
        ),
    )
