"""How far this service is, for operators and tests."""

from typing import Final

from clp_contracts import feed, messages
from clp_core.routing import MentionRouting, RoutingPolicy
from clp_notifications.dependencies import Parts
from clp_notifications.tables import CURSORS, OUTBOX
from clp_notifications.transitions import work_due

READER: Final = "notifications.routing"


def progress(*, parts: Parts) -> feed.Progress:
    """What waits, and how far routing has read."""
    with parts.database.reading() as session:
        # In the order in which work moves on, so that none is overlooked between.
        cursor = CURSORS.position(session, READER)
        head = OUTBOX.head(session)
        pending = OUTBOX.pending(session)
        due = work_due(session, parts.clock())
    return feed.Progress(
        head=head,
        pending=pending,
        due=due,
        readers=(
            feed.ReaderProgress(reader=READER, source=messages.SERVICE, cursor=cursor),
        ),
    )


def routing_policy(mention_routing: str) -> RoutingPolicy:
    """What a deployment decided about mentions (rule 22)."""
    return RoutingPolicy(mention_routing=MentionRouting(mention_routing))
