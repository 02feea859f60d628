"""R9: poison among the events and in the feed; everybody else goes on."""

import json
from collections.abc import Callable

import psycopg
import pytest
from kombu import Connection, Exchange, Producer, Queue

from clp_chassis.clock import new_id
from clp_contracts.events import MESSAGE_POSTED
from tests.faults.conftest import Field
from tests.faults.judging import judge_crew
from tests.faults.load import Client, Load, set_scene
from tests.faults.running import drain, new_ledger, until

pytestmark = pytest.mark.faults

DEAD = "evt-messages--notifications.on_messages_changed.q2.dead"
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


def test_poisonous_events_are_set_aside_and_the_others_go_on(
    field: Field, new_load: Callable[..., Load]
) -> None:
    crew, load = field.crew, new_load(clients=1, each=10, projects=1)
    ledger = new_ledger(crew, load)
    set_scene(crew, load)
    client = Client(0, load, ledger)
    with Connection(field.rabbit.url) as connection:
        dead = _depth(connection)
        for body, kind in POISON.values():
            _publish(connection, body, kind)
        for body in STRANGE.values():
            _publish(connection, json.dumps(body).encode(), "application/json")

        client.work(crew)

        until(
            lambda: _depth(connection) >= dead + len(POISON),
            60,
            "the poison in the dead queue",
        )
        drain(crew, 300)
        assert _depth(connection) == dead + len(POISON)
    judged = judge_crew(crew, load, ledger, searches=10)
    assert not judged.broken, judged.broken


def test_a_change_that_no_reader_can_apply_is_set_aside_with_its_error(
    field: Field, new_load: Callable[..., Load]
) -> None:
    crew, load = field.crew, new_load(clients=1, each=5, projects=1)
    ledger = new_ledger(crew, load)
    set_scene(crew, load)
    poison = _poison_the_feed(crew.database_url("messages"))

    Client(0, load, ledger).work(crew)

    with psycopg.connect(crew.database_url("notifications"), autocommit=True) as rows:
        found = "select error from dead_letters where subject = %s"
        until(
            lambda: rows.execute(found, (poison,)).fetchone() is not None, 90, "aside"
        )
        told = rows.execute(found, (poison,)).fetchone()
        assert told is not None
        assert told[0].startswith("InvalidValue")
        # Its end: an operator has looked at it.
        rows.execute("delete from dead_letters where subject = %s", (poison,))
    drain(crew, 300)
    judged = judge_crew(crew, load, ledger, searches=5)
    assert not judged.broken, judged.broken


def _publish(connection: Connection, body: bytes, kind: str) -> None:
    exchange = Exchange("messages.events", type="topic", durable=True)
    Producer(connection.channel(), exchange).publish(
        body, routing_key=MESSAGE_POSTED, content_type=kind, content_encoding="utf-8"
    )


def _depth(connection: Connection) -> int:
    queue = Queue(DEAD, no_declare=True)(connection.default_channel)
    return int(queue.queue_declare(passive=True).message_count)


def _poison_the_feed(database_url: str) -> str:
    """A message whose channel no version of the code has ever written."""
    poison = new_id()[:32]
    with psycopg.connect(database_url) as database:
        database.execute(
            "insert into channels (name, project, last_number) values ('?', '?', 1)"
            " on conflict do nothing"
        )
        database.execute(
            "insert into messages (id, channel, project, number, revision, author,"
            " author_name, author_side, author_number, text, posted_at, retry_key,"
            " content_hash, outcomes) values (%s, '?', '?', 1, 1, 'ivy', 'Ivy',"
            " 'internal', 1, 'x', now(), 'k', 'h', '[]')",
            (poison,),
        )
        database.execute(
            "insert into changes (type, subject, project, detail, at)"
            " values (%s, %s, '?', '{}', now())",
            (MESSAGE_POSTED, poison),
        )
    return poison
