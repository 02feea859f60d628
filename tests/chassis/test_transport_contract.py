"""What Nameko needs of a broker: in-process broker and RabbitMQ behave alike."""

from collections.abc import Iterator
from typing import Any

import pytest
from amqp.exceptions import ChannelError, NotFound, PreconditionFailed, ResourceLocked
from kombu import Queue

from tests.chassis.raw_amqp import Wire, body_of
from tests.support.waiting import until


@pytest.fixture
def wire(broker_url: str) -> Iterator[Wire]:
    with Wire(broker_url) as opened:
        yield opened


@pytest.fixture
def other(broker_url: str) -> Iterator[Wire]:
    with Wire(broker_url) as opened:
        yield opened


def dead_letters_to(name: str, **more: Any) -> dict[str, Any]:
    return {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": name, **more}


@pytest.mark.parametrize(
    ("pattern", "key", "matches"),
    [
        ("a.b", "a.b", 1),
        ("a.b", "a.c", 0),
        ("a.*", "a.b", 1),
        ("a.*", "a.b.c", 0),
        ("a.*", "a", 0),
        ("*.b", "a.b", 1),
        ("a.#", "a", 1),
        ("a.#", "a.b.c", 1),
        ("#.c", "a.b.c", 1),
        ("#.c", "c", 1),
        ("#", "a.b", 1),
        ("a.#.c", "a.c", 1),
        ("a.#.c", "a.b.b.c", 1),
        ("a.#.c", "a.cc", 0),
        ("a+.b", "aa.b", 0),
    ],
)
def test_a_topic_is_routed_to_queues_with_a_matching_pattern(
    wire: Wire, unique: str, pattern: str, key: str, matches: int
) -> None:
    wire.queue(unique, pattern, exchange=f"x{unique}")
    wire.publish("hello", key, f"x{unique}")
    assert wire.size(unique) == matches


def test_a_queue_bound_twice_gets_one_copy(wire: Wire, unique: str) -> None:
    wire.queue(unique, "a.*", "*.b", exchange=f"x{unique}")
    wire.publish("hello", "a.b", f"x{unique}")
    assert wire.size(unique) == 1


def test_an_unbound_key_is_no_longer_routed(wire: Wire, unique: str) -> None:
    wire.queue(unique, "a.*", exchange=f"x{unique}")
    wire.channel.queue_unbind(unique, f"x{unique}", "a.*")
    wire.publish("hello", "a.b", f"x{unique}")
    assert wire.size(unique) == 0


def test_a_message_arrives_as_it_was_published(wire: Wire, unique: str) -> None:
    wire.queue(unique)
    wire.consume(unique)
    wire.publish(
        {"grüße": [1, None, "ü"]},
        unique,
        headers={"list": ["a", "b"]},
        correlation_id="c1",
        reply_to="r1",
        delivery_mode=1,
    )
    message = wire.next()
    assert body_of(message) == {"grüße": [1, None, "ü"]}
    assert message.headers == {"list": ["a", "b"]}
    assert message.content_type == "application/json"
    sent = {"correlation_id": "c1", "reply_to": "r1", "delivery_mode": 1}
    assert sent.items() <= message.properties.items()
    assert message.properties["content_type"] == "application/json"
    assert message.delivery_info["routing_key"] == unique
    assert not message.delivery_info["redelivered"]


def test_a_mandatory_message_without_a_route_is_refused(
    wire: Wire, unique: str
) -> None:
    wire.queue(unique, "a", exchange=f"x{unique}")
    with pytest.raises(ChannelError, match="NO_ROUTE"):
        wire.publish("hello", "b", f"x{unique}", mandatory=True)
    wire.publish("hello", "b", f"x{unique}")


def test_an_exchange_nobody_declared_is_an_error(wire: Wire, unique: str) -> None:
    with pytest.raises(NotFound):
        wire.publish("hello", "a", f"x{unique}")


def test_a_queue_nobody_declared_is_an_error(wire: Wire, unique: str) -> None:
    with pytest.raises(NotFound):
        wire.size(unique)


def test_a_queue_keeps_the_arguments_it_was_made_with(wire: Wire, unique: str) -> None:
    wire.queue(unique)
    with pytest.raises(PreconditionFailed):
        wire.queue(unique, arguments={"x-message-ttl": 1000})


def test_a_requeued_message_returns_to_its_own_queue_only(
    wire: Wire, unique: str
) -> None:
    mine, theirs = f"{unique}.mine", f"{unique}.theirs"
    for name in (mine, theirs):
        wire.queue(name, "a", exchange=f"x{unique}")
    wire.publish("hello", "a", f"x{unique}")
    wire.consume(mine)
    wire.next().requeue()
    assert wire.next().delivery_info["redelivered"]
    assert wire.size(theirs) == 1


def test_a_requeued_message_keeps_its_position(wire: Wire, unique: str) -> None:
    wire.queue(unique)
    for number in range(4):
        wire.publish(number, unique)
    taken = [wire.get(unique) for _ in range(3)]
    for message in (taken[1], taken[0], taken[2]):
        message.requeue()
    assert [body_of(wire.get(unique)) for _ in range(4)] == [0, 1, 2, 3]


def test_unacknowledged_messages_of_a_lost_client_are_redelivered(
    wire: Wire, other: Wire, unique: str
) -> None:
    wire.queue(unique)
    for number in range(3):
        wire.publish(number, unique)
    other.consume(unique)
    for _ in range(3):
        other.next()
    other.received[0].ack()
    other.connection.close()
    wire.consume(unique)
    assert [body_of(wire.next()) for _ in range(2)] == [1, 2]
    assert all(message.delivery_info["redelivered"] for message in wire.received)


def test_messages_of_a_cancelled_consumer_go_to_the_next(
    wire: Wire, other: Wire, unique: str
) -> None:
    wire.queue(unique)
    consumer = wire.consume(unique, prefetch=5)
    for number in range(3):
        wire.publish(number, unique)
    wire.next().ack()
    consumer.cancel()
    wire.connection.close()
    other.consume(unique)
    assert [body_of(other.next()) for _ in range(2)] == [1, 2]


def test_no_consumer_has_more_unacknowledged_messages_than_its_prefetch(
    wire: Wire, unique: str
) -> None:
    wire.queue(unique)
    for number in range(5):
        wire.publish(number, unique)
    wire.consume(unique, prefetch=2)
    first, _ = wire.next(), wire.next()
    assert wire.nothing_comes()
    first.ack()
    assert body_of(wire.next()) == 2
    assert wire.nothing_comes()


def test_consumers_are_served_in_rotation(wire: Wire, other: Wire, unique: str) -> None:
    wire.queue(unique)
    wire.consume(unique)
    other.consume(unique)
    for number in range(4):
        wire.publish(number, unique)
    wire.next(), wire.next()
    other.next(), other.next()
    assert wire.nothing_comes(0.05)
    assert other.nothing_comes(0.05)


def test_an_acknowledged_message_is_deleted(wire: Wire, unique: str) -> None:
    wire.queue(unique)
    wire.publish("hello", unique)
    consumer = wire.consume(unique)
    wire.next().ack()
    consumer.cancel()
    assert wire.size(unique) == 0


def test_a_rejected_message_goes_to_the_dead_letter_queue(
    wire: Wire, unique: str
) -> None:
    wire.queue(f"{unique}.dead")
    wire.queue(unique, arguments=dead_letters_to(f"{unique}.dead"))
    wire.publish("hello", unique, headers={"kept": "yes"})
    wire.consume(unique)
    wire.next().reject()
    wire.consume(f"{unique}.dead")
    dead_letter = wire.next()
    assert body_of(dead_letter) == "hello"
    assert dead_letter.headers["kept"] == "yes"
    assert dead_letter.headers["x-death"][0]["reason"] == "rejected"


def test_a_retry_queue_returns_messages_after_its_delay(
    wire: Wire, unique: str
) -> None:
    wire.queue(unique)
    wait = dead_letters_to(unique, **{"x-message-ttl": 150})
    wire.queue(f"{unique}.wait", arguments=wait)
    wire.consume(unique)
    wire.publish("first", f"{unique}.wait")
    wire.publish("second", f"{unique}.wait")
    assert wire.nothing_comes(0.05)
    assert [body_of(wire.next()) for _ in range(2)] == ["first", "second"]
    assert wire.received[0].headers["x-death"][0]["reason"] == "expired"


def test_an_expired_message_is_never_delivered(wire: Wire, unique: str) -> None:
    wire.queue(unique)
    wire.publish("late", unique, expiration=0.05)
    wire.publish("in time", unique, expiration=60)
    until(lambda: wire.size(unique) == 1)
    wire.consume(unique)
    assert body_of(wire.next()) == "in time"
    assert wire.nothing_comes()


def test_an_expired_message_does_not_expire_again(wire: Wire, unique: str) -> None:
    wire.queue(f"{unique}.dead")
    wire.queue(unique, arguments=dead_letters_to(f"{unique}.dead"))
    wire.publish("late", unique, expiration=0.05)
    until(lambda: wire.size(f"{unique}.dead") == 1)
    assert wire.nothing_comes(0.1)
    assert wire.size(f"{unique}.dead") == 1


def test_a_queue_that_deletes_itself_goes_with_its_last_consumer(
    wire: Wire, other: Wire, unique: str
) -> None:
    wire.queue(unique, auto_delete=True)
    first, second = wire.consume(unique), wire.consume(unique)
    first.cancel()
    assert other.size(unique) == 0
    second.cancel()
    with pytest.raises(NotFound):
        other.size(unique)


def test_an_exclusive_queue_is_closed_to_others(
    wire: Wire, other: Wire, unique: str
) -> None:
    wire.queue(unique, exclusive=True)
    with pytest.raises(ResourceLocked):
        other.queue(unique, exclusive=True)


def test_an_exclusive_queue_goes_with_its_connection(
    wire: Wire, other: Wire, unique: str
) -> None:
    wire.queue(unique, exclusive=True)
    wire.connection.close()
    with pytest.raises(NotFound):
        other.size(unique)


def test_a_queue_expires_when_nobody_uses_it(wire: Wire, unique: str) -> None:
    wire.queue(unique, "a", exchange=f"x{unique}", arguments={"x-expires": 100})

    def is_gone() -> bool:
        try:
            wire.publish("hello", "a", f"x{unique}", mandatory=True)
        except ChannelError:
            return True
        return False

    until(is_gone)


def test_purged_and_deleted_queues_hold_nothing(wire: Wire, unique: str) -> None:
    queue = Queue(unique)(wire.channel)
    queue.declare()
    wire.publish("hello", unique)
    assert queue.purge() == 1
    assert wire.size(unique) == 0
    wire.publish("hello", unique)
    assert queue.delete() == 1
    with pytest.raises(NotFound):
        wire.size(unique)


def test_a_drain_without_messages_times_out(wire: Wire, unique: str) -> None:
    wire.queue(unique)
    wire.consume(unique)
    with pytest.raises(TimeoutError):
        wire.drain(0.05)
