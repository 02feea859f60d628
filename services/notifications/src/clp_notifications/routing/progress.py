"""Progress of the service, for operators and tests."""

from typing import Final

from clp_contracts import feed, messages
from clp_contracts.health import SignValue
from clp_core.routing import MentionRouting, RoutingPolicy
from clp_notifications.dependencies import Dependencies
from clp_notifications.health import measure
from clp_notifications.tables import CURSORS, OUTBOX
from clp_notifications.transitions import work_due

READER: Final = "notifications.routing"


def progress(*, deps: Dependencies, signs: tuple[SignValue, ...] = ()) -> feed.Progress:
    """Report the feed, the due mails, the cursor of routing, and signs of health."""
    with deps.database.reading() as session:
        # In the order in which work moves on: no item is missed in between.
        cursor = CURSORS.position(session, READER)
        head = OUTBOX.head(session)
        pending = OUTBOX.pending(session)
        due = work_due(session, deps.clock())
        now = deps.clock()
        signs += measure(session, now, since=deps.started_at or now)
    return feed.Progress(
        head=head,
        pending=pending,
        due=due,
        readers=(
            feed.ReaderProgress(reader=READER, source=messages.SERVICE, cursor=cursor),
        ),
        signs=signs,
    )


def routing_policy(mention_routing: str) -> RoutingPolicy:
    """Return the routing policy of the deployment (rule 22)."""
    return RoutingPolicy(mention_routing=MentionRouting(mention_routing))
