"""A fault of ours never costs a mail (rule 41, F10): refused sessions and logins."""

from datetime import datetime, timedelta
from urllib.parse import quote

import pytest

from clp_notifications.delivery.batch import deliver
from clp_notifications.delivery.claims import claim_due, idle_time
from clp_notifications.delivery.relay_throttle import RelayThrottle, throttle_gauges
from clp_notifications.delivery.smtp import (
    InvalidRelayUrl,
    SmtpRelay,
    SmtpTransport,
)
from clp_notifications.delivery.smtp_replies import (
    ACCEPTED,
    RELAY_UNAVAILABLE,
    SESSION,
    Effect,
    MaySend,
    SmtpOutcome,
    SmtpStage,
    outcome_of_reply,
)
from clp_notifications.mail.composer import OutgoingMail
from tests.services.notifications.harness import DeliveryHarness
from tests.services.notifications.mail_builders import at_once, mailed
from tests.services.notifications.relay import CUT, EXTENSIONS, ScriptedRelay
from tests.services.notifications.sample_world import World
from tests.support.sample_world import BROADCAST, NOON

BROKEN_FOR = timedelta(minutes=10)
REFUSALS = [
    (535, b"5.7.8 authentication failed", SmtpStage.AUTH),
    (454, b"4.7.0 temporary authentication failure", SmtpStage.AUTH),
    (554, b"5.7.1 go away", SmtpStage.GREETING),
    (550, b"no", SmtpStage.EHLO),
    (530, b"5.7.0 Must issue a STARTTLS command first", SmtpStage.MAIL),
    (550, b"relay not permitted", SmtpStage.RCPT),
]


class BrokenRelay:
    """Refuses every session for ten minutes, then accepts everything."""

    def __init__(self, harness: DeliveryHarness, refusal: SmtpOutcome) -> None:
        self._clock = harness.world.clock
        self._refusal = refusal
        self._works_at = self._clock() + BROKEN_FOR
        self.tried_at: list[datetime] = []
        self.accepted: list[str] = []

    def send(self, mail: OutgoingMail, may_send: MaySend) -> SmtpOutcome:
        if self._clock() < self._works_at:
            self.tried_at.append(self._clock())
            return self._refusal
        assert may_send()
        self.accepted.append(mail.id)
        return ACCEPTED

    def close(self) -> None:
        pass


def work_until(harness: DeliveryHarness, end: datetime) -> None:
    """The loop of a worker, with a test clock."""
    deps = harness.delivery
    while harness.world.clock() < end:
        while claims := claim_due(deps):
            deliver(deps, claims)
        idle = idle_time(deps, timedelta(seconds=5))
        harness.sleep(max(timedelta(seconds=1), idle).total_seconds())


@pytest.mark.parametrize(("code", "text", "smtp_stage"), REFUSALS)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_relay_that_refuses_us_for_ten_minutes_costs_no_mail(
    harness: DeliveryHarness,
    world: World,
    code: int,
    text: bytes,
    smtp_stage: SmtpStage,
) -> None:
    world.follow("nat", "nia", "sam")
    messages = [world.post("ivy", BROADCAST) for _ in range(6)]
    harness.route()
    relay = BrokenRelay(harness, outcome_of_reply(code, text, smtp_stage))
    harness.transport = relay  # type: ignore[assignment]
    harness.delivery = harness.new_delivery()
    began = world.clock()

    work_until(harness, began + BROKEN_FOR - timedelta(seconds=1))
    (gauge,) = throttle_gauges(harness.delivery.throttle, world.clock)
    assert (gauge.name, gauge.value) == ("clp_relay_refused", 1)
    assert {harness.states(one)["nat"] for one in messages} <= {
        ("due", "relay_refused"),
        ("due", "released"),
        ("due", "routed"),
    }
    # One batch before the first reply, then one probe each minute.
    later = [at for at in relay.tried_at if at > began + timedelta(seconds=30)]
    assert len(relay.tried_at) - len(later) <= 18
    assert 8 <= len(later) <= 10

    work_until(harness, began + BROKEN_FOR + timedelta(minutes=2))
    for one in messages:
        assert set(harness.states(one).values()) == {("sent", "accepted")}
    assert len(relay.accepted) == 18
    (gauge,) = throttle_gauges(harness.delivery.throttle, world.clock)
    assert gauge.value == 0


AWAY = {
    "closing": outcome_of_reply(421, b"4.3.2 closing", SmtpStage.GREETING),
    "unreachable": RELAY_UNAVAILABLE,
    "refuses us": outcome_of_reply(535, b"5.7.8 no", SmtpStage.AUTH),
    "policy": outcome_of_reply(554, b"5.7.1 blocked", SmtpStage.RCPT),
}


@pytest.mark.parametrize("outcome", AWAY.values(), ids=AWAY.keys())
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_no_mail_expires_by_a_fault_of_ours_however_long(
    harness: DeliveryHarness, world: World, outcome: SmtpOutcome
) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    harness.route()
    for _ in range(2 * 24):
        harness.transport.outcomes = [outcome]
        harness.deliver_once()
        world.clock.forward(hours=2)
    assert harness.states(message)["nat"][0] == "due"
    assert len(harness.transport.mails) == 2 * 24
    harness.transport.outcomes = []
    harness.deliver()
    assert harness.states(message) == {"nat": ("sent", "accepted")}


def test_a_refusal_of_us_pauses_for_a_minute_and_is_reported_once() -> None:
    throttle = RelayThrottle()
    assert [throttle.refused(NOON, in_session=True) for _ in range(3)] == [
        True,
        False,
        False,
    ]
    assert throttle.paused_for(NOON) == timedelta(minutes=1)
    later = NOON + timedelta(minutes=1)
    grant = throttle.grant(later, 48, timedelta(seconds=3))
    assert grant is not None
    assert grant.mails == 1
    throttle.record_sent(later)
    grant = throttle.grant(later, 48, timedelta(seconds=3))
    assert grant is not None
    assert grant.mails == 48


def test_one_mail_that_may_not_be_relayed_does_not_hold_up_the_others() -> None:
    throttle = RelayThrottle()
    throttle.record_sent(NOON)
    assert throttle.refused(NOON, in_session=False)
    assert throttle.paused_for(NOON) == timedelta(0)
    throttle.refused(NOON + timedelta(minutes=2), in_session=False)
    assert throttle.paused_for(NOON + timedelta(minutes=2)) == timedelta(minutes=1)


PASSWORDS = [
    "secret",
    "pässwörd",
    "日本語",
    "p@ss/w?rd#1",
    "a:b c",
    "100%",
    '"\\',
    "[x]",
]


@pytest.mark.parametrize("password", PASSWORDS)
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2 PLAIN"])
def test_any_password_logs_in(password: str, mechanism: str) -> None:
    extensions = (*EXTENSIONS, f"AUTH {mechanism}")
    with ScriptedRelay(extensions=extensions, logins={"ümail": password}) as relay:
        login = f"{quote('ümail')}:{quote(password, safe='')}@"
        url = relay.url.replace("smtp://", f"smtp://{login}")
        sending = SmtpTransport(SmtpRelay.from_url(url, 30.0, "clp.example"))
        assert sending.send(mailed(), at_once).effect is Effect.SENT
        sending.close()


@pytest.mark.parametrize("password", [one for one in PASSWORDS if "%" not in one])
def test_a_password_needs_no_percent_encoding_but_of_the_percent_sign(
    password: str,
) -> None:
    relay = SmtpRelay.from_url(f"smtp://user:{password}@relay.example:2525", 1.0)
    assert (relay.user, relay.password, relay.host, relay.port) == (
        "user",
        password,
        "relay.example",
        2525,
    )


def test_a_wrong_password_and_no_offered_login_are_refusals_of_us() -> None:
    for extensions in ((*EXTENSIONS, "AUTH PLAIN"), EXTENSIONS):
        with ScriptedRelay(extensions=extensions) as relay:
            url = relay.url.replace("smtp://", "smtp://user:wrong@")
            sending = SmtpTransport(SmtpRelay.from_url(url, 30.0, "clp.example"))
            result = sending.send(mailed(), at_once)
            assert (result.effect, result.stage) == (
                Effect.RELAY_REFUSED,
                SmtpStage.AUTH,
            )


@pytest.mark.parametrize("then", [CUT, b"421 4.7.0 too many failures"])
def test_a_refused_login_is_one_although_the_connection_ends_after_it(
    then: bytes,
) -> None:
    script = {"AUTH": [b"535 5.7.8 no such login", then]}
    extensions = (*EXTENSIONS, "AUTH CRAM-MD5 PLAIN")
    with ScriptedRelay(script, extensions=extensions) as relay:
        url = relay.url.replace("smtp://", "smtp://user:wrong@")
        sending = SmtpTransport(SmtpRelay.from_url(url, 30.0, "clp.example"))
        result = sending.send(mailed(), at_once)
    assert (result.effect, result.code) == (Effect.RELAY_REFUSED, 535)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("smtp_stage", "paused_s"),
    [(one, 60) for one in SESSION] + [(SmtpStage.RCPT, 0)],
)
def test_a_refused_session_pauses_although_other_connections_are_open(
    harness: DeliveryHarness, world: World, smtp_stage: SmtpStage, paused_s: int
) -> None:
    """One refused inside a transaction may be a fault of that mail."""
    world.follow("nat")
    world.post("ivy", BROADCAST)
    world.post("ivy", BROADCAST)
    harness.transport.outcomes = [
        ACCEPTED,
        outcome_of_reply(550, b"relay not permitted", smtp_stage),
    ]
    harness.route()
    harness.deliver_once()
    throttle = harness.delivery.throttle
    assert throttle.paused_for(world.clock()) == timedelta(seconds=paused_s)


# fmt: off
INVALID = [
    "smtp://user:s3cret@relay.example:port",
    "smtp://user:s3cret@relay.example:99999",
    "smtp://user:s3cret@relay.example:0",
    "smtp://user:s3cret@",
    "smtp://user:s3cret",
    "smpt://user:s3cret@relay.example",
    "user:s3cret@relay.example",
    "smtp://user:s3cret@relay example",
    "smtp://user:s3cret%00@relay.example",
    "smtp://user:s3cret%0D%0A@relay.example",
    "smtp://user:s3cret%FF@relay.example",
    "smtp://s3cret%0A:word@relay.example",
    "smtp://user:s3cret@[::1",
]
# fmt: on


@pytest.mark.parametrize("url", INVALID)
def test_an_invalid_url_is_refused_at_start_and_never_printed(url: str) -> None:
    with pytest.raises(InvalidRelayUrl, match="smtp_url") as raised:
        SmtpRelay.from_url(url, 1.0)
    assert "s3cret" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None or raised.value.__suppress_context__


def test_a_relay_is_shown_without_its_password() -> None:
    assert "s3cret" not in repr(SmtpRelay.from_url("smtp://user:s3cret@relay", 1.0))
