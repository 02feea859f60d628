"""Progress of the service, for operators and tests."""

from typing import Final

from clp_contracts import feed, messages
from clp_core.routing import MentionRouting, RoutingPolicy
from clp_notifications.dependencies import Dependencies
from clp_notifications.tables import CURSORS, OUTBOX
from clp_notifications.transitions import work_due

READER: Final = "notifications.routing"


def progress(*, deps: Dependencies) -> feed.Progress:
    """Report the feed, the due mails, and the cursor of routing."""
    with deps.database.reading() as session:
        # In the order in which work moves on: no item is missed in between.
        cursor = CURSORS.position(session, READER)
        head = OUTBOX.head(session)
        pending = OUTBOX.pending(session)
        due = work_due(session, deps.clock())
    return feed.Progress(
        head=head,
        pending=pending,
        due=due,
        readers=(
            feed.ReaderProgress(reader=READER, source=messages.SERVICE, cursor=cursor),
        ),
    )


def routing_policy(mention_routing: str) -> RoutingPolicy:
    """Return the routing policy of the deployment (rule 22)."""
    return RoutingPolicy(mention_routing=MentionRouting(mention_routing))
