"""Whatever a mail server does, each notification ends in its one right state.

The scripted relay answers the first mail by its script and is friendly afterwards; what
was not sent is tried again when its time comes, and arrives once.
"""

from dataclasses import replace

import pytest

from clp_notifications.delivery.smtp import SmtpRelay, SmtpTransport
from tests.services.notifications.harness import DeliveryHarness
from tests.services.notifications.mailcheck import cut_up
from tests.services.notifications.relay import (
    CUT,
    EXTENSIONS,
    KEPT_AND_CUT,
    SAID_AND_CUT,
    SILENCE,
    ScriptedRelay,
)
from tests.services.notifications.sample_world import World
from tests.support.sample_world import BROADCAST

Script = dict[str, list[bytes]]
PLAIN = tuple(name for name in EXTENSIONS if name != "PIPELINING")
OLD = tuple(name for name in EXTENSIONS if name != "SMTPUTF8")
AGAIN, ENDED = True, False

# fmt: off
BEHAVIOURS: list[tuple[str, Script, tuple[str, ...], tuple[str, str], bool, int]] = [
    # what the relay does                   script                                              offers      then the notification is           again  copies
    ("accepts",                             {},                                                 EXTENSIONS, ("sent", "accepted"),              ENDED, 1),
    ("says 421 at once",                    {"CONNECT": [b"421 4.3.2 closing"]},                EXTENSIONS, ("due", "relay_busy"),             AGAIN, 1),
    ("says 450 to the recipient",           {"RCPT": [b"450 4.2.1 greylisted"]},                EXTENSIONS, ("due", "mailbox_busy"),           AGAIN, 1),
    ("says 451 at the end of data",         {"END": [b"451 4.3.0 disk"]},                       EXTENSIONS, ("due", "mailbox_busy"),           AGAIN, 1),
    ("throttles",                           {"END": [b"454 Throttling failure"]},               EXTENSIONS, ("due", "relay_busy"),             AGAIN, 1),
    ("slows us down by policy",             {"MAIL": [b"451 4.7.0 too fast"]},                  EXTENSIONS, ("due", "relay_busy"),             AGAIN, 1),
    ("has a full mailbox",                  {"RCPT": [b"452 4.2.2 full"]},                      EXTENSIONS, ("due", "mailbox_busy"),           AGAIN, 1),
    ("knows no such address",               {"RCPT": [b"550 5.1.1 unknown"]},                   EXTENSIONS, ("dead", "address_unknown"),       ENDED, 0),
    ("refuses by policy",                   {"END": [b"550 5.7.1 blocked"]},                    EXTENSIONS, ("due", "policy"),                 AGAIN, 1),
    ("refuses to relay",                    {"RCPT": [b"554 5.7.1 Relay access denied"]},       EXTENSIONS, ("due", "relay_refused"),          AGAIN, 1),
    ("refuses the greeting",                {"CONNECT": [b"554 5.7.1 go away"]},                EXTENSIONS, ("due", "relay_refused"),          AGAIN, 1),
    ("finds it too big",                    {"MAIL": [b"552 5.3.4 too big"]},                   EXTENSIONS, ("dead", "too_big"),               ENDED, 0),
    ("drips and never ends",                {"END": [SILENCE]},                                 EXTENSIONS, ("due", "relay_unavailable"),             AGAIN, 1),
    ("cuts at the sender",                  {"MAIL": [CUT]},                                    EXTENSIONS, ("due", "relay_unavailable"),             AGAIN, 1),
    ("cuts before the final reply",         {"END": [CUT]},                                     EXTENSIONS, ("due", "relay_unavailable"),             AGAIN, 1),
    ("keeps it and cuts before it says so", {"END": [KEPT_AND_CUT]},                            EXTENSIONS, ("due", "relay_unavailable"),             AGAIN, 2),
    ("cuts after the final reply",          {"END": [SAID_AND_CUT]},                            EXTENSIONS, ("sent", "accepted"),              ENDED, 1),
    ("offers no pipelining",                {},                                                 PLAIN,      ("sent", "accepted"),              ENDED, 1),
    ("offers no SMTPUTF8",                  {},                                                 OLD,        ("sent", "accepted"),              ENDED, 1),
]
# fmt: on


def connect(
    harness: DeliveryHarness,
    relay: ScriptedRelay,
    scheme: str = "smtp",
    timeout_s: float = 30.0,
) -> SmtpTransport:
    url = relay.url.replace("smtp", scheme, 1)
    transport = SmtpTransport(SmtpRelay.from_url(url, timeout_s, "clp.example"))
    harness.delivery = replace(harness.delivery, transport=transport)
    return transport


@pytest.mark.parametrize(
    ("what", "script", "offers", "state", "again", "copies"),
    BEHAVIOURS,
    ids=[row[0] for row in BEHAVIOURS],
)
def test_a_relay_that(
    harness: DeliveryHarness,
    world: World,
    what: str,
    script: Script,
    offers: tuple[str, ...],
    state: tuple[str, str],
    again: object,
    copies: int,
) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    harness.route()
    fresh = {moment: list(replies) for moment, replies in script.items()}
    with ScriptedRelay(fresh, extensions=offers) as relay:
        is_silent = [SILENCE] in script.values()
        # Only silence needs the end of the wait.
        transport = connect(harness, relay, timeout_s=0.5 if is_silent else 30.0)
        harness.deliver_once()
        assert harness.states(message) == {"nat": state}
        if is_silent:
            transport.close()
            transport = connect(harness, relay)
        # The longest first delay is that of a refusal by policy.
        world.clock.forward(minutes=16)
        harness.deliver()
        assert (harness.states(message) == {"nat": ("sent", "accepted")}) is (
            again is AGAIN or state[0] == "sent"
        )
        ids = [cut_up(kept.data).one("Message-ID") for kept in relay.kept]
        assert (len(ids), len(set(ids))) == (copies, min(copies, 1))
        transport.close()


def test_a_relay_whose_replies_come_in_crumbs(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    harness.route()
    with ScriptedRelay(piece=1) as relay:
        connect(harness, relay)
        harness.deliver()
        assert harness.states(message) == {"nat": ("sent", "accepted")}


def test_an_international_address_at_an_old_relay(
    harness: DeliveryHarness, world: World
) -> None:
    world.change_person("nat", email="däna@north.example")
    world.follow("nat", "sam")
    message = world.post("ivy", BROADCAST)
    harness.route()
    with ScriptedRelay(extensions=OLD) as relay:
        connect(harness, relay)
        harness.deliver()
        assert harness.states(message) == {
            "nat": ("suppressed", "no_smtputf8"),
            "sam": ("sent", "accepted"),
        }


def test_a_relay_that_refuses_encryption_gets_nothing(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat")
    message = world.post("ivy", BROADCAST)
    harness.route()
    with ScriptedRelay(extensions=(*EXTENSIONS, "STARTTLS")) as relay:
        connect(harness, relay, scheme="smtp+starttls")
        harness.deliver_once()
        assert harness.states(message)["nat"][0] == "due"
        assert relay.kept == []


def test_a_full_mailbox_postpones_the_mails_of_that_person_only(
    harness: DeliveryHarness, world: World
) -> None:
    world.follow("nat", "sam")
    messages = [world.post("ivy", BROADCAST) for _ in range(3)]
    harness.route()
    harness.delivery = replace(
        harness.delivery, limits=replace(harness.delivery.limits, batch=1)
    )
    with ScriptedRelay() as relay:
        connect(harness, relay)
        relay.script["RCPT"] = [b"452 4.2.2 full"]
        harness.deliver()
        (full,) = {
            person
            for message in messages
            for person, (state, _) in harness.states(message).items()
            if state == "due"
        }
        other = {"nat": "sam", "sam": "nat"}[full]
        assert [harness.states(m)[other][0] for m in messages] == ["sent"] * 3
        assert [harness.states(m)[full][0] for m in messages] == ["due"] * 3
        world.clock.forward(seconds=10)
        harness.deliver()
        assert [harness.states(m)[full][0] for m in messages] == ["sent"] * 3
