"""F10: a relay refuses greeting, login and relaying for long; no mail is lost by it."""

import os
import time
from collections import Counter
from collections.abc import Callable

import eventlet
import psycopg
import pytest

from clp_contracts.health import RELAY_REFUSES
from clp_suite.suite import OPERATIONS
from tests.faults.ack_log import sent_mails
from tests.faults.conftest import FaultBed
from tests.faults.fault_run import drain, new_ack_log, until
from tests.faults.invariants import check_invariants
from tests.faults.load import Client, Load, create_world
from tests.faults.process_group import ProcessGroup

# A worker probes the relay once a minute.
pytestmark = [pytest.mark.faults, pytest.mark.slow]

# All refusals together; in full ten minutes.
SECONDS = float(os.environ.get("TESTS_FAULTS_REFUSED_S", "20"))
REFUSALS = (
    "AUTH 535 5.7.8 authentication failed",
    "CONNECT 554 5.7.1 go away",
    "AUTH 454 4.7.0 temporary authentication failure",
    "EHLO 550 no",
    "MAIL 530 5.7.0 authentication required",
    "RCPT 550 relay not permitted",
)
CLIENTS, PACE_S = 4, 2.0
PROBE_S, FIRST_MAILS_S = 60.0, 15.0


def test_a_relay_that_refuses_us_costs_no_mail(
    bed: FaultBed, new_load: Callable[..., Load]
) -> None:
    group = bed.group
    load = new_load(
        clients=CLIENTS, each=int(SECONDS / PACE_S), pace_s=PACE_S, projects=1
    )
    ack_log = new_ack_log(group, load)
    create_world(group, load)
    group.refuse_mails(REFUSALS[0])
    began = time.time()
    try:
        clients = [Client(number, load, ack_log) for number in range(load.clients)]
        posting = [eventlet.spawn(client.work, group) for client in clients]
        until(lambda: refused_s(group) > 0, 30, "the alarm")
        for refusal in REFUSALS:
            group.refuse_mails(refusal)
            eventlet.sleep(SECONDS / len(REFUSALS))
            assert dead(group) == 0
            assert refused_s(group) > 0
        for one in posting:
            one.wait()
    finally:
        group.refuse_mails(None)
    ended = time.time()
    drained_s = drain(group, 300, hurry=False)
    refused = [(at - began, command) for at, command in group.refusals() if at > began]

    verdict = check_invariants(group, load, ack_log, searches=5)
    assert not verdict.broken, verdict.broken
    assert dead(group) == 0
    assert refused_s(group) == 0
    assert [
        one for one in sent_mails(group.sink_log) if began < one.begun < ended
    ] == []
    # Every worker tries its first mails, then one mail a minute; EHLO counts as HELO too.
    workers = sum(name.startswith("delivery.") for name in group.names())
    probes = sum(at > FIRST_MAILS_S for at, _ in refused)
    assert probes <= workers * 2 * ((ended - began) / PROBE_S + 1)
    commands = Counter(command for _, command in refused)
    if SECONDS / len(REFUSALS) > PROBE_S:
        assert {refusal.split(" ")[0] for refusal in REFUSALS} <= set(commands)
    sent = sum(one.begun > began for one in sent_mails(group.sink_log))
    print(
        f"refused for {ended - began:.0f} s: {dict(commands)}, {probes} of them"
        f" after {FIRST_MAILS_S:.0f} s; {sent} mails were sent in the {drained_s:.0f} s"
        f" after it, none dead; {verdict.figures}"
    )


def refused_s(group: ProcessGroup) -> float:
    """How long the relay has been refusing us, as health has it."""
    progress = group.client(service=OPERATIONS).notifications.progress()
    signs = (one for one in progress.signs if one.metric == RELAY_REFUSES.metric)
    return next(signs).value


def dead(group: ProcessGroup) -> int:
    """Count notifications that failed for good."""
    with psycopg.connect(group.database_url("notifications")) as database:
        counted = database.execute(
            "select count(*) from notifications where state = 'dead'"
        ).fetchone()
    return int(counted[0]) if counted else 0
