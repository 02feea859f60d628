"""Events are published in batches and confirmed together."""

import pytest
from amqp.exceptions import MessageNacked
from kombu import Exchange

from clp_chassis.messaging import BROKER_ERRORS
from clp_chassis.messaging.event_publisher import (
    EncodedEvent,
    EventPublisher,
    _Confirms,
)
from tests.chassis.raw_amqp import Wire, body_of


def publisher(broker_url: str, exchange: str) -> EventPublisher:
    made = Exchange(exchange, type="topic", durable=True)
    return EventPublisher(broker_url, made, ssl=None, confirm_timeout=10.0)


def events(*bodies: int) -> list[EncodedEvent]:
    return [EncodedEvent("a.b", str(body).encode()) for body in bodies]


def test_a_batch_arrives_whole_and_in_order(broker_url: str, unique: str) -> None:
    with Wire(broker_url) as wire:
        wire.queue(unique, "a.*", exchange=f"x{unique}")
        sender = publisher(broker_url, f"x{unique}")
        sender.publish(events(*range(100)))
        sender.publish(events(100))
        assert wire.size(unique) == 101
        assert [body_of(wire.get(unique)) for _ in range(101)] == [*range(101)]
        sender.close()


def test_a_closed_connection_is_replaced_once(broker_url: str, unique: str) -> None:
    with Wire(broker_url) as wire:
        wire.queue(unique, "a.*", exchange=f"x{unique}")
        sender = publisher(broker_url, f"x{unique}")
        sender.publish(events(1))
        assert sender._connection is not None
        sender._connection.default_channel.connection.close()
        sender.publish(events(2))
        assert wire.size(unique) == 2
        sender.close()


def test_an_unreachable_broker_is_an_error() -> None:
    sender = publisher("amqp://guest:guest@127.0.0.1:1//", "x")
    with pytest.raises(BROKER_ERRORS, match=r"refused|111"):
        sender.publish(events(1))


def test_confirms_count_whatever_their_order() -> None:
    confirms = _Confirms()
    confirms.expected = 5
    confirms.ack(2, multiple=False)
    confirms.ack(5, multiple=False)
    assert not confirms.are_complete
    confirms.ack(3, multiple=True)
    assert not confirms.are_complete
    confirms.ack(4, multiple=False)
    assert confirms.are_complete


def test_an_event_that_the_broker_does_not_take_is_an_error() -> None:
    with pytest.raises(MessageNacked):
        _Confirms().nack(1, multiple=False)
