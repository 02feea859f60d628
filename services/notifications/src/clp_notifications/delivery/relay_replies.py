"""Throttle the relay by the results of mails, and decide when to try it again."""

import logging
from datetime import datetime, timedelta
from typing import Final

from clp_contracts.transition_reasons import SENTENCES, TransitionReason
from clp_notifications.delivery.relay_throttle import (
    BREAKER_PAUSE,
    PROBE_INTERVAL,
    RelayThrottle,
)
from clp_notifications.delivery.smtp_replies import SESSION, Effect, SmtpOutcome

log = logging.getLogger(__name__)

SERVICE_CLOSING: Final = 421
THROTTLE_RETRY: Final = timedelta(seconds=1)
# A mail that is refused for a fault of ours is due when the relay is tried again.
OUR_FAULT_RETRY: Final = {
    Effect.RELAY_REFUSED: PROBE_INTERVAL,
    Effect.POLICY_REFUSED: BREAKER_PAUSE,
}
# What the relay does to all mails; the other effects are of one mail or one person.
TAKES_NO_MAIL: Final = frozenset(
    {Effect.THROTTLED, Effect.RELAY_REFUSED, Effect.POLICY_REFUSED}
)


def update_throttle(
    throttle: RelayThrottle, result: SmtpOutcome, now: datetime
) -> None:
    """Pause, slow down or go on, as the result of a mail asks for."""
    if result.effect in TAKES_NO_MAIL:
        throttle.record_refusal(now, _refusal_in_words(result))
    match result.effect:
        case Effect.SENT:
            throttle.record_sent(now)
        case Effect.THROTTLED if _is_away(result):
            throttle.pause(now)
        case Effect.THROTTLED:
            throttle.slow_down(now)
        case Effect.RELAY_REFUSED:
            _pause_for_refusal(throttle, result, now)
        case Effect.POLICY_REFUSED:
            if throttle.refused_by_policy(now):
                log.error("the relay refuses mails by policy: sending is paused")
        case _:
            pass


def _pause_for_refusal(
    throttle: RelayThrottle, result: SmtpOutcome, now: datetime
) -> None:
    if throttle.refused(now, in_session=result.stage in SESSION):
        log.error(
            "the relay refuses us at %s with %s: mails wait, and one is sent every"
            " minute as a probe",
            result.stage,
            result.code or "no offer of what the URL requires",
        )


def due_after_fault(
    throttle: RelayThrottle, result: SmtpOutcome, now: datetime
) -> datetime | None:
    """The time at which a mail stopped by a fault of ours is due again; else None.

    It is no attempt of the mail, so no mail expires by it (rule 41).
    """
    if result.effect not in OUR_FAULT_RETRY and not _is_away(result):
        return None
    shortest = OUR_FAULT_RETRY.get(result.effect, THROTTLE_RETRY)
    return now + max(shortest, throttle.paused_for(now))


def _refusal_in_words(result: SmtpOutcome) -> str:
    """The reply of the relay without its text, which may quote an address."""
    if not result.code:
        return SENTENCES[result.reason].partition(";")[0]
    return f"it answered {result.code} at {result.stage}"


def _is_away(result: SmtpOutcome) -> bool:
    """Whether the relay takes nothing now, for whatever mail."""
    return (
        result.reason is TransitionReason.RELAY_UNAVAILABLE
        or result.code == SERVICE_CLOSING
    )
