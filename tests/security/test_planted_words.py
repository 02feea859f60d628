"""T11 and T18: no text and no name in events or logs."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import eventlet
import pytest
from kombu import Connection, Exchange, Queue

from clp_contracts.errors import Refused
from clp_suite import EmbeddedSuite
from clp_suite.sample_data import PORTAL
from clp_suite.suite import Suite

SOURCES: Final = ("projects", "messages", "notifications")
# Words that only the people of this test write.
PLANTED: Final = (
    "xylophagous", "quizzaciously", "Zebulon", "zebulon@", "Ysolde", "North Quokkas",
    "vermilion-cue", "Night of the Wombat", "zugzwang",
)  # fmt: skip


class Spy:
    """A consumer of every event of every source."""

    def __init__(self, broker_url: str) -> None:
        self.events: list[str] = []
        self._connection = Connection(broker_url)
        self._channel = self._connection.channel()
        for source in SOURCES:
            exchange = Exchange(f"{source}.events", type="topic", durable=True)
            queue = Queue(f"spy-{source}", exchange, routing_key="#", auto_delete=True)
            consumer = self._connection.Consumer(queue, callbacks=[self._consume])
            consumer.consume()

    def _consume(self, body: Any, message: Any) -> None:
        self.events.append(repr((body, message.headers, message.properties)))
        message.ack()

    def listen(self) -> None:
        """Take what has come; go on until nothing comes any more."""
        while True:
            try:
                self._connection.drain_events(timeout=0.2)
            except TimeoutError:
                return

    def close(self) -> None:
        self._connection.release()


@contextmanager
def logs() -> Iterator[list[str]]:
    """Every line of every log, formatted as a process would write it."""
    lines: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    listener, root = Listener(), logging.getLogger()
    before = root.level
    root.addHandler(listener)
    root.setLevel(logging.INFO)
    try:
        yield lines
    finally:
        root.removeHandler(listener)
        root.setLevel(before)


def live(suite: Suite) -> None:
    """A little of everything, refusals and failures included."""
    directory = suite.client(service="directory").projects
    directory.put_partner(id="north", name="North Quokkas")
    directory.put_project(id="p1", title="Night of the Wombat")
    directory.put_person(
        id="ivy",
        name="Ysolde Lund",
        email="ysolde@studio.example",
        internal=True,
        roles=[PORTAL],
    )
    directory.put_person(
        id="nat",
        name="Zebulon Moreau",
        email="zebulon@north.example",
        partner="north",
        roles=[PORTAL],
    )
    directory.assign_partner(project="p1", partner="north", languages=["fr"])
    nat, ivy = suite.client("nat"), suite.client("ivy")
    nat.projects.follow(project="p1")
    file = suite.files("ivy").upload(
        channel="p1/direct/north", name="vermilion-cue.csv", body=b"zugzwang,1\n"
    )
    posted = ivy.messages.post(
        channel="p1/direct/north",
        text="@Zebulon Moreau xylophagous",
        key="k",
        attachments=[file],
    )
    suite.settle()
    ivy.messages.edit(message=posted.id, text="quizzaciously @nobody-Zebulon")
    nat.search.find(query="quizzaciously", project="p1")
    for refused in (
        lambda: nat.messages.post(channel="p1/broadcast", text="xylophagous", key="k"),
        lambda: nat.messages.post(channel="xylophagous", text="zugzwang", key="k"),
        lambda: ivy.messages.post(channel="p1/direct/north", text="zugzwang", key="k"),
        lambda: directory.put_person(
            id="x", name="Zebulon", email="zebulon@", internal=True
        ),
    ):
        with pytest.raises(Refused):
            refused()
    ivy.messages.delete(message=posted.id)
    suite.settle()


def test_no_event_and_no_line_of_a_log_holds_what_people_wrote(tmp_path: Path) -> None:
    with logs() as lines, EmbeddedSuite(tmp_path / "data") as suite:
        spy = Spy(suite.broker_url)
        listening = eventlet.spawn(spy.listen)
        live(suite)
        listening.wait()
        spy.listen()
        spy.close()

    # Both spies were there.
    assert any("message_posted" in event for event in spy.events)
    assert any("notification" in event for event in spy.events)
    assert lines
    assert found_in(spy.events) == []
    assert found_in(lines) == []


def found_in(texts: list[str]) -> list[str]:
    """Planted words in texts, whatever their case."""
    return [
        f"{word}: {text}"
        for text in texts
        for word in PLANTED
        if word.lower() in text.lower()
    ]


def test_a_planted_word_would_be_found() -> None:
    assert found_in(["all is well", "it was Xylophagous"]) == [
        "xylophagous: it was Xylophagous"
    ]
