"""Handle incoming mail: read, classify, handle, remove; failures become dead letters.

Every failure is of one file only: the next one is handled all the same. A mail that
cannot be handled now, because a service or the database is unavailable, stays.
"""

import logging
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from prometheus_client import Counter

from clp_chassis.transient_errors import is_transient
from clp_notifications.dependencies import Dependencies
from clp_notifications.inbound.bounces import handle_bounce
from clp_notifications.inbound.classifier import MailClass, class_of, facts_of
from clp_notifications.inbound.complaints import handle_complaint
from clp_notifications.inbound.maildir import InboundMaildir, read_mail
from clp_notifications.inbound.mime import MalformedMail, Part, parse_mail
from clp_notifications.inbound.unsubscribe import handle_unsubscribe

log = logging.getLogger(__name__)

HANDLED: Final = Counter(
    "clp_incoming_mails_total",
    "Incoming mails by class and result.",
    ["class", "result"],
)
UNCLASSIFIED: Final = "unclassified"
DEAD_LETTER: Final = "dead_letter"

Handler = Callable[[Part, bytes, Dependencies], str]


def _ignore(mail: Part, raw: bytes, deps: Dependencies) -> str:
    del mail, raw, deps
    return "ignored"


HANDLERS: Final[Mapping[MailClass, Handler]] = {
    MailClass.BOUNCE: lambda mail, raw, deps: handle_bounce(mail, raw, deps=deps),
    MailClass.COMPLAINT: lambda mail, _, deps: handle_complaint(mail, deps=deps),
    MailClass.UNSUBSCRIBE: lambda mail, _, deps: handle_unsubscribe(mail, deps=deps),
    # They count nothing and stop nobody (rule 41).
    MailClass.AUTOMATIC_REPLY: _ignore,
    MailClass.OTHER: _ignore,
}


def handle_waiting(
    deps: Dependencies, handlers: Mapping[MailClass, Handler] = HANDLERS
) -> int:
    """Handle all waiting mails; return how many were handled or became dead letters."""
    maildir = InboundMaildir(deps.bounces.folder)
    return sum(
        _handle_file(path, maildir, deps, handlers=handlers)
        for path in maildir.waiting()
    )


def _handle_file(
    path: Path,
    maildir: InboundMaildir,
    deps: Dependencies,
    *,
    handlers: Mapping[MailClass, Handler],
) -> bool:
    try:
        raw = read_mail(path)
    except OSError as error:
        # Another process has handled it, or nobody may read it.
        log.warning("an incoming mail was not read: %s", type(error).__name__)
        return False
    kind: str = UNCLASSIFIED
    try:
        mail = parse_mail(raw)
        found = class_of(facts_of(mail, deps.bounces.domain))
        kind = found.value
        result = handlers[found](mail, raw, deps)
    except Exception as error:  # noqa: BLE001 - untrusted input; RecursionError too
        if is_transient(error):
            log.warning("an incoming %s waits: %s", kind, type(error).__name__)
            return False
        if not _bury(path, _reason_of(error), maildir):
            return False
        result = DEAD_LETTER
    else:
        if not _remove(path):
            return False
    HANDLED.labels(kind, result).inc()
    return True


def _reason_of(error: Exception) -> str:
    """The reason without any text of the mail: what and where."""
    if isinstance(error, MalformedMail):
        return str(error)
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(place.filename).name}, {place.name}"


def _remove(path: Path) -> bool:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        # It is handled once more, which changes nothing.
        log.warning("a handled mail was not removed: %s", type(error).__name__)
        return False
    return True


def _bury(path: Path, reason: str, maildir: InboundMaildir) -> bool:
    try:
        maildir.bury(path, reason)
    except OSError as error:
        log.warning("a dead letter was not stored: %s", type(error).__name__)
        return False
    log.warning("incoming mail %s became a dead letter: %s", path.name, reason)
    return True
