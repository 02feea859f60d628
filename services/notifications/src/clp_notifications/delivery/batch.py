"""Deliver a batch of claimed mails.

1. Claim: the batch was claimed from the database under a lease (`claims`).
2. Throttle: the relay throttle grants a chunk of it, after a wait if need be.
3. Recheck: one call asks whether each reader may still have each message.
4. Compose: the eligible mails are composed; the others are withdrawn here.
5. Send: several connections send them; each mail is sent only while the recheck that it
   was composed from is valid and unchanged, and is rechecked again otherwise.
6. Record: every claim ends in an outcome: sent, suppressed, dead, or due again.
   Outcomes are written a few at a time.
"""

import logging
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from clp_chassis.observability.logs import safe_error_text
from clp_chassis.transient_errors import is_of_services, is_transient
from clp_contracts.mail_addresses import MailAddress
from clp_contracts.transition_reasons import TransitionReason
from clp_notifications.delivery.claims import Claim, DeliveryOutcome, postpone_person
from clp_notifications.delivery.dependencies import DeliveryDependencies
from clp_notifications.delivery.eligibility import (
    Eligibility,
    EligibilityChecker,
    RecheckFacts,
)
from clp_notifications.delivery.outcome_writer import OutcomeWriter
from clp_notifications.delivery.outcomes import (
    drop_ineligible,
    finish,
    merged,
    release,
    retry_later,
    wait_for_services,
)
from clp_notifications.delivery.relay_replies import (
    THROTTLE_RETRY,
    due_after_fault,
    update_throttle,
)
from clp_notifications.delivery.smtp_replies import Effect, SmtpOutcome
from clp_notifications.mail.composer import OutgoingMail
from clp_notifications.mail.content import (
    Kind,
    MailContent,
    ReaderPreferences,
    to_mail_message,
)
from clp_notifications.mail.locales import LocalePreferences
from clp_notifications.mapping import partner_name
from clp_notifications.states import State
from clp_notifications.transitions import suppress

log = logging.getLogger(__name__)

# A worker waits so long for a grant before it releases its claims.
MAX_GRANT_WAIT: Final = timedelta(seconds=3)
# How often a mail is composed in vain before the services count as too slow.
MAX_RECHECKS: Final = 6
FINAL_STATES: Final = {
    Effect.SENT: State.SENT,
    Effect.UNSENDABLE: State.SUPPRESSED,
    Effect.ADDRESS_REFUSED: State.DEAD,
    Effect.MAIL_DEAD: State.DEAD,
}


def deliver(
    deps: DeliveryDependencies,
    claims: Sequence[Claim],
    is_stopping: Callable[[], bool] = lambda: False,
) -> None:
    """Deliver claimed mails; when stopping, release those that were not begun."""
    _Batch(deps, claims, is_stopping).run()


def content_for(
    claim: Claim,
    facts: RecheckFacts,
    defaults: ReaderPreferences,
    *,
    wants_content: bool,
    unsubscribe_token: str,
) -> MailContent:
    """The content of an eligible mail: its messages as the reader may read them now.

    It shows texts only if both the reader and the deployment want it.

    Raises:
        ValueError: the facts name no reader or no project.
    """
    project = facts.project
    if facts.reader is None or project is None:
        raise ValueError("a mail without a reader or a project")
    messages = (facts.messages[item.message] for item in claim.items)
    return MailContent(
        mail=claim.mail,
        first_message=claim.first_message,
        kind=claim.kind,
        reader=facts.reader,
        project_title=project.title,
        channel=claim.channel,
        partner=partner_name(claim.channel, project),
        messages=tuple(to_mail_message(message, project) for message in messages),
        locale_preferences=LocalePreferences(
            facts.language or defaults.language, facts.time_zone or defaults.time_zone
        ),
        shows_text=defaults.content and wants_content,
        unsubscribe_token=unsubscribe_token,
        digested_at=claim.dated_at if claim.kind is Kind.DIGEST else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _ComposedMail:
    """A composed mail; send it only while its eligibility is unchanged.

    ``eligible`` is the claim without the items that were ``withdrawn``.
    """

    claim: Claim
    eligible: Claim
    withdrawn: DeliveryOutcome
    eligibility: Eligibility
    address: MailAddress
    mail: OutgoingMail


class _Batch:
    def __init__(
        self,
        deps: DeliveryDependencies,
        claims: Iterable[Claim],
        is_stopping: Callable[[], bool],
    ) -> None:
        self._deps = deps
        self._limits = deps.limits
        self._is_stopping = is_stopping
        self._waiting = deque(claims)
        self._chunk_size = deps.limits.recheck_batch
        self._rechecks: Counter[str] = Counter()
        self._unsubscribe_tokens: Mapping[tuple[str, str], str] = {}
        self._outcomes = OutcomeWriter(deps)
        self._checker = EligibilityChecker(deps)

    def run(self) -> None:
        while self._waiting and not self._is_stopping():
            chunk = self._next_chunk()
            eligibilities = self._recheck(chunk)
            composed = deque(self._compose_all(chunk, eligibilities))
            unsent = self._send_all(composed)
            self._requeue(unsent)
        self._release(self._waiting, self._deps.clock())
        self._outcomes.write()

    def _next_chunk(self) -> list[Claim]:
        """The next mails, as many as the throttle grants, after the wait it asks for.

        Without a grant all waiting claims are released, and there is no chunk.
        """
        now = self._deps.clock()
        wanted = min(self._chunk_size, len(self._waiting))
        grant = self._deps.throttle.grant(now, wanted, MAX_GRANT_WAIT)
        if grant is None:
            self._release(self._waiting, now + MAX_GRANT_WAIT)
            self._waiting.clear()
            return []
        if grant.wait:
            # Nothing stays unwritten while nothing is sent.
            self._outcomes.write()
            self._deps.sleep(grant.wait.total_seconds())
        chunk: list[Claim] = []
        for _ in range(grant.mails):
            claim = self._waiting.popleft()
            if self._has_time(claim):
                chunk.append(claim)
            else:
                self._release([claim], self._deps.clock())
        return chunk

    def _has_time(self, claim: Claim) -> bool:
        return self._deps.clock() + self._limits.margin <= claim.until

    def _release(self, claims: Iterable[Claim], retry_at: datetime) -> None:
        for claim in claims:
            self._outcomes.add(
                claim, release(claim, TransitionReason.RELEASED, retry_at)
            )

    def _recheck(self, chunk: list[Claim]) -> Mapping[str, Eligibility]:
        """Eligibility by mail; empty when the recheck failed.

        All of them wait for services. Only an error that a mail raises alone is a fault
        in that mail.
        """
        if not chunk:
            return {}
        try:
            eligibilities = self._checker.check(chunk)
            self._unsubscribe_tokens = self._deps.unsubscribe_tokens.of(
                (claim.person, claim.channel.project) for claim in chunk
            )
        except Exception as error:
            if is_of_services(error):
                reason = safe_error_text(error)
                log.warning("%s mails wait for services: %s", len(chunk), reason)
                self._wait_for_services(chunk)
            elif len(chunk) > 1:
                log.exception("%s mails are rechecked one at a time", len(chunk))
                self._chunk_size = 1
                self._waiting.extendleft(reversed(chunk))
            else:
                log.exception("mail %s could not be rechecked", chunk[0].mail)
                self._outcomes.add(chunk[0], self._fault_in(chunk[0]))
            return {}
        return eligibilities

    def _wait_for_services(self, claims: Iterable[Claim]) -> None:
        now = self._deps.clock()
        for claim in claims:
            self._outcomes.add(claim, wait_for_services(claim, now))

    def _fault_in(self, claim: Claim) -> DeliveryOutcome:
        """Retry later a mail that we fail to make or to send."""
        return retry_later(claim, TransitionReason.FAULT, now=self._deps.clock())

    def _compose_all(
        self, chunk: Sequence[Claim], eligibilities: Mapping[str, Eligibility]
    ) -> Iterator[_ComposedMail]:
        """Compose the eligible mails; the others end here."""
        for claim in chunk:
            eligibility = eligibilities.get(claim.mail)
            if eligibility is None:
                continue
            eligible, withdrawn = drop_ineligible(claim, eligibility.facts)
            address = eligibility.address
            if not eligible.items or address is None:
                self._outcomes.add(claim, withdrawn)
            elif not isinstance(address, MailAddress):
                suppressed = finish(eligible, State.SUPPRESSED, address)
                self._outcomes.add(claim, merged(withdrawn, suppressed))
            elif mail := self._compose(eligible, eligibility, address):
                yield _ComposedMail(
                    claim=claim,
                    eligible=eligible,
                    withdrawn=withdrawn,
                    eligibility=eligibility,
                    address=address,
                    mail=mail,
                )
            else:
                self._outcomes.add(claim, merged(withdrawn, self._fault_in(eligible)))

    def _compose(
        self, claim: Claim, eligibility: Eligibility, address: MailAddress
    ) -> OutgoingMail | None:
        # Yield to other green threads: composing a chunk outlasts a recheck lease.
        self._deps.sleep(0)
        try:
            content = content_for(
                claim,
                eligibility.facts,
                self._deps.reader_preferences,
                wants_content=eligibility.wants_content,
                unsubscribe_token=self._unsubscribe_tokens[
                    claim.person, claim.channel.project
                ],
            )
            return self._deps.composer.compose(content, address)
        except Exception:
            log.exception("mail %s could not be composed", claim.mail)
            return None

    def _send_all(self, composed: deque[_ComposedMail]) -> list[Claim]:
        """Send on several connections; return the claims that could not be sent."""
        workers = min(self._limits.connections, len(composed))
        self._deps.run_parallel([lambda: self._send_until_empty(composed)] * workers)
        return [one.claim for one in composed]

    def _send_until_empty(self, composed: deque[_ComposedMail]) -> None:
        """Send one mail after the other, until none is left or sending must pause."""
        unsent: list[_ComposedMail] = []
        with self._outcomes.sending():
            while composed and not self._must_pause():
                one = composed.popleft()
                outcome = self._send(one) if self._has_time(one.claim) else None
                if outcome is None:
                    unsent.append(one)
                else:
                    self._checker.done(one.claim)
                    self._outcomes.add(one.claim, merged(one.withdrawn, outcome))
        composed.extend(unsent)

    def _must_pause(self) -> bool:
        throttle = self._deps.throttle
        return (
            self._is_stopping()
            or self._outcomes.is_blocked
            or self._checker.has_failed
            or bool(throttle.paused_for(self._deps.clock()))
        )

    def _requeue(self, claims: list[Claim]) -> None:
        """Put unsent mails back in front, unless the services are too slow."""
        is_paused = bool(self._deps.throttle.paused_for(self._deps.clock()))
        for claim in reversed(claims):
            self._rechecks[claim.mail] += 1
            if is_paused or self._rechecks[claim.mail] < MAX_RECHECKS:
                self._waiting.appendleft(claim)
            else:
                log.warning("mail %s waits: services respond too slowly", claim.mail)
                self._wait_for_services([claim])

    def _send(self, one: _ComposedMail) -> DeliveryOutcome | None:
        """Send a mail; None when it has to be rechecked."""
        try:
            # Checked before MAIL FROM too: a transaction without content that follows
            # costs the connection.
            if not self._may_send(one):
                return None
            result = self._deps.transport.send(one.mail, lambda: self._may_send(one))
            update_throttle(self._deps.throttle, result, self._deps.clock())
            return self._outcome_of(one, result)
        except Exception as error:
            if is_transient(error):
                reason = safe_error_text(error)
                log.warning("mail %s waits for services: %s", one.claim.mail, reason)
                return wait_for_services(one.eligible, self._deps.clock())
            log.exception("mail %s could not be sent", one.claim.mail)
            return self._fault_in(one.eligible)

    def _may_send(self, one: _ComposedMail) -> bool:
        return self._checker.is_current(one.claim, one.eligibility)

    def _outcome_of(
        self, one: _ComposedMail, result: SmtpOutcome
    ) -> DeliveryOutcome | None:
        claim = one.eligible
        if result.effect is Effect.STALE:
            return None
        if result.effect not in FINAL_STATES:
            return self._due_again(claim, result)
        if result.effect is Effect.ADDRESS_REFUSED:
            with self._deps.database.writing(notify=False) as session:
                suppress(
                    session,
                    str(one.address),
                    mail=claim.mail,
                    reason=result.reason,
                    at=self._deps.clock(),
                )
        return finish(claim, FINAL_STATES[result.effect], result.reason)

    def _due_again(self, claim: Claim, result: SmtpOutcome) -> DeliveryOutcome:
        """Retry later; a fault of ours is no attempt, so no mail expires by it."""
        now = self._deps.clock()
        if due_at := due_after_fault(self._deps.throttle, result, now):
            return release(claim, result.reason, due_at)
        if result.effect is Effect.THROTTLED:
            paused_for = self._deps.throttle.paused_for(now)
            retry_at = now + max(THROTTLE_RETRY, paused_for)
            return retry_later(claim, result.reason, now=now, retry_at=retry_at)
        if result.effect is Effect.PERSON_LATER:
            return self._postpone(claim, result)
        return retry_later(claim, result.reason, now=now)

    def _postpone(self, claim: Claim, result: SmtpOutcome) -> DeliveryOutcome:
        """Retry later, and have all mails to this person wait as long."""
        outcome = retry_later(claim, result.reason, now=self._deps.clock())
        if outcome.retry_at is not None:
            with self._deps.database.writing(notify=False) as session:
                postpone_person(session, claim.person, outcome.retry_at)
        return outcome
