"""F9: poison messages among the events and in the feed; the others are handled."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from amqp.exceptions import NotFound
from kombu import Connection, Exchange, Producer, Queue
from rich.console import Console

from clp_chassis.clock import new_id
from clp_contracts.events import MESSAGE_POSTED
from clp_ops.__main__ import main
from tests.faults.conftest import FaultBed
from tests.faults.fault_run import drain, new_ack_log, until
from tests.faults.invariants import check_invariants
from tests.faults.load import Client, Load, create_world

pytestmark = pytest.mark.faults

EVENTS = "evt-messages--notifications.on_messages_changed.q3"
DEAD = f"{EVENTS}.dead_letters"
# What an event can be, besides well: (body, content type).
POISON = {
    "is broken JSON": (b"{not json", "application/json"),
    "is not UTF-8": (b"\xff\xfe\x00", "application/json"),
    "says no known kind of content": (b"x", "application/x-poison"),
    "is a pickle": (b"cos\nsystem\n(S'true'\ntR.", "application/x-python-serialize"),
}
# A newer version, an unknown shape: what no reader may trip over.
STRANGE = {
    "a newer version": {"version": 9, "position": "x"},
    "nothing": None,
    "a list": [1, 2, 3],
    "a position far ahead": {"position": 10**12, "type": "x", "subject": "y"},
}


def test_poison_events_become_dead_letters_and_the_others_are_handled(
    bed: FaultBed, new_load: Callable[..., Load]
) -> None:
    group, load = bed.group, new_load(clients=1, each=10, projects=1)
    ack_log = new_ack_log(group, load)
    create_world(group, load)
    client = Client(0, load, ack_log)
    with Connection(bed.rabbit.url) as connection:
        dead = _depth(connection)
        # A test before this one may have lost the broker's queues.
        until(lambda: _is_consumed(connection), 60, "a consumer of the events")
        for body, kind in POISON.values():
            _publish(connection, body, kind)
        for body in STRANGE.values():
            _publish(connection, json.dumps(body).encode(), "application/json")

        client.work(group)

        until(
            lambda: _depth(connection) >= dead + len(POISON),
            60,
            "the poison in the dead queue",
        )
        drain(group, 300)
        assert _depth(connection) == dead + len(POISON)
        code, shown = clp_ops(bed, "queues")
        assert shown.count("unknown content type") >= len(POISON), shown
        assert "not json" not in shown, "what it holds is for nobody's eyes"

        code, shown = clp_ops(bed, "queues", "--redrive")

        assert code == 0, shown
        assert f"{dead + len(POISON)} events were returned" in shown
        until(
            lambda: _depth(connection) == dead + len(POISON),
            60,
            "the poison, which is no better, in the dead queue again",
        )
    verdict = check_invariants(group, load, ack_log, searches=10)
    assert not verdict.broken, verdict.broken


def test_a_change_that_no_reader_can_apply_becomes_a_dead_letter(
    bed: FaultBed, new_load: Callable[..., Load]
) -> None:
    group, load = bed.group, new_load(clients=1, each=5, projects=1)
    ack_log = new_ack_log(group, load)
    create_world(group, load)
    poison = _write_poison_change(group.database_url("messages"))

    Client(0, load, ack_log).work(group)

    with psycopg.connect(group.database_url("notifications"), autocommit=True) as rows:
        found = "select error from dead_letters where subject = %s"
        until(
            lambda: rows.execute(found, (poison,)).fetchone() is not None,
            90,
            "dead letter",
        )
        told = rows.execute(found, (poison,)).fetchone()
        assert told is not None
        assert told[0] == "InvalidValue"
        code, shown = clp_ops(bed, "dead-letters", "--redrive")
        assert (code, "1 failed again" in shown) == (1, True), "nothing was mended"
        _mend_the_feed(group.database_url("messages"), poison)
        code, shown = clp_ops(bed, "dead-letters", "--redrive")
        assert (code, "1 changes applied" in shown) == (0, True), shown
        assert rows.execute(found, (poison,)).fetchone() is None
    drain(group, 300)
    verdict = check_invariants(group, load, ack_log, searches=5)
    assert not verdict.broken, verdict.broken


def clp_ops(bed: FaultBed, *words: str) -> tuple[int, str]:
    """Run the operators' command; return its output."""
    shown = io.StringIO()
    environ = {
        "CLP_BROKER_URL": bed.rabbit.url,
        "CLP_KEYS_DIR": str(Path(bed.group.data_dir) / "keys" / "operations"),
    }
    return main(list(words), environ, Console(file=shown, width=200)), shown.getvalue()


def _mend_the_feed(database_url: str, poison: str) -> None:
    with psycopg.connect(database_url) as database:
        database.execute("delete from messages where id = %s", (poison,))


def _publish(connection: Connection, body: bytes, kind: str) -> None:
    exchange = Exchange("messages.events", type="topic", durable=True)
    Producer(connection.channel(), exchange).publish(
        body, routing_key=MESSAGE_POSTED, content_type=kind, content_encoding="utf-8"
    )


def _depth(connection: Connection) -> int:
    queue = Queue(DEAD, no_declare=True)(connection.default_channel)
    return int(queue.queue_declare(passive=True).message_count)


def _is_consumed(connection: Connection) -> bool:
    try:
        with connection.channel() as channel:
            queue = Queue(EVENTS, no_declare=True)(channel)
            return bool(queue.queue_declare(passive=True).consumer_count)
    except NotFound:
        return False


def _write_poison_change(database_url: str) -> str:
    """Write a message whose channel no version of the code ever wrote."""
    poison = new_id()[:32]
    with psycopg.connect(database_url) as database:
        database.execute(
            "insert into channels (name, project, last_number) values ('?', '?', 1)"
            " on conflict do nothing"
        )
        database.execute(
            "insert into messages (id, channel, project, number, revision, author,"
            " author_name, author_side, author_number, text, marks, posted_at,"
            " idempotency_key, content_hash, outcomes) values (%s, '?', '?', 1, 1, 'ivy',"
            " 'Ivy', 'internal', 1, 'x', '[]', now(), 'k', 'h', '[]')",
            (poison,),
        )
        database.execute(
            "insert into changes (type, subject, project, detail, at)"
            " values (%s, %s, '?', '{}', now())",
            (MESSAGE_POSTED, poison),
        )
    return poison
