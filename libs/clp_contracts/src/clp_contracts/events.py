"""Event types: public, in past tense, versioned, append-only."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

PERSON_CHANGED: Final = "clp.projects.person_changed.v1"
PARTNER_CHANGED: Final = "clp.projects.partner_changed.v1"
PROJECT_CHANGED: Final = "clp.projects.project_changed.v1"
PARTNER_ASSIGNED: Final = "clp.projects.partner_assigned.v1"
PARTNER_WITHDRAWN: Final = "clp.projects.partner_withdrawn.v1"
PROJECT_FOLLOWED: Final = "clp.projects.project_followed.v1"
PROJECT_UNFOLLOWED: Final = "clp.projects.project_unfollowed.v1"
SCHEDULE_ANNOUNCED: Final = "clp.projects.schedule_announced.v1"

MESSAGE_POSTED: Final = "clp.messages.message_posted.v1"
MESSAGE_EDITED: Final = "clp.messages.message_edited.v1"
MESSAGE_DELETED: Final = "clp.messages.message_deleted.v1"

NOTIFICATION_DUE: Final = "clp.notifications.notification_due.v1"

OF_PROJECTS: Final = (
    PERSON_CHANGED,
    PARTNER_CHANGED,
    PROJECT_CHANGED,
    PARTNER_ASSIGNED,
    PARTNER_WITHDRAWN,
    PROJECT_FOLLOWED,
    PROJECT_UNFOLLOWED,
    SCHEDULE_ANNOUNCED,
)
OF_MESSAGES: Final = (MESSAGE_POSTED, MESSAGE_EDITED, MESSAGE_DELETED)
OF_NOTIFICATIONS: Final = (NOTIFICATION_DUE,)
EVENT_TYPES: Final = OF_PROJECTS + OF_MESSAGES + OF_NOTIFICATIONS

_OF_A_MESSAGE: Final = ("author", "channel", "number", "revision")
# The names in the `detail` of each event type, beside what continues a trace.
DETAIL_FIELDS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        PERSON_CHANGED: ("partner",),
        PARTNER_CHANGED: (),
        PROJECT_CHANGED: (),
        PARTNER_ASSIGNED: ("partner",),
        PARTNER_WITHDRAWN: ("partner",),
        PROJECT_FOLLOWED: ("person",),
        PROJECT_UNFOLLOWED: ("person",),
        SCHEDULE_ANNOUNCED: (),
        MESSAGE_POSTED: _OF_A_MESSAGE,
        MESSAGE_EDITED: _OF_A_MESSAGE,
        MESSAGE_DELETED: _OF_A_MESSAGE,
        NOTIFICATION_DUE: (),
    }
)
