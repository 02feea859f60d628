"""T36: messages that cost their receiver more than their sender, over both brokers."""

import json
import resource
import struct
import zlib
from functools import cache
from typing import Any

import amqp
import eventlet
import pytest
from kombu import Connection, compression

from clp_contracts.connection_pool import RpcConnectionPool
from clp_contracts.exchanges import REQUESTS
from clp_contracts.serialization import MAX_MESSAGE_BYTES
from tests.chassis.conftest import Serve
from tests.chassis.raw_amqp import Wire
from tests.chassis.services_under_test import Gate, consumer, rpc_service
from tests.support.waiting import until

LARGE = 200 * 1024 * 1024
MIB = 1024
# Which properties of a message are there, as AMQP marks them.
HEADERS, CORRELATION_ID = 0x2000, 0x0400
NOBODY = "00000000-0000-4000-8000-000000000000"


def request(wire: Wire, service: str, body: bytes, **stated: Any) -> None:
    """Publish a request that nobody waits for."""
    properties = {
        "reply_to": NOBODY,
        "content_type": "application/json",
        "content_encoding": "utf-8",
        "correlation_id": "c1",
        **stated,
    }
    wire.publish_raw(body, f"{service}.wait_at_gate", REQUESTS, **properties)


@cache
def packed() -> bytes:
    """A large request, compressed without being whole in memory."""
    packing = zlib.compressobj()
    blanks = b" " * 1024 * 1024
    parts = [packing.compress(blanks) for _ in range(LARGE // len(blanks))]
    return b"".join([*parts, packing.compress(arguments("x")), packing.flush()])


def arguments(value: str) -> bytes:
    return json.dumps({"args": [], "kwargs": {"value": value}}).encode()


@pytest.mark.parametrize("reply_to", ["nobody", "rpc-projects", "", "#", "x" * 255])
def test_t34_a_request_whose_reply_would_be_refused_is_dropped(
    serve: Serve, broker_url: str, unique: str, reply_to: str
) -> None:
    """The broker closes the channel of a refused reply, with those of others on it."""
    gate = Gate()
    serve(rpc_service(unique, gate))
    with Wire(broker_url) as wire:
        request(wire, unique, arguments("x"), reply_to=reply_to)
        until(lambda: wire.size(f"rpc-{unique}") == 0)
        assert add(broker_url, unique) == 3
    assert not gate.reached.ready()


def add(url: str, service: str) -> Any:
    pool = RpcConnectionPool(url, 5)
    try:
        return pool.call(service, "add", {"left": 1, "right": 2})
    finally:
        pool.close()


@pytest.mark.parametrize("name", ["application/x-gzip", "gzip", "zlib"])
def test_t36_a_compressed_message_is_refused_unread(
    serve: Serve, broker_url: str, unique: str, name: str
) -> None:
    gate = Gate()
    serve(rpc_service(unique, gate))
    body = packed()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with Wire(broker_url) as wire:
        for _ in range(3):
            request(wire, unique, body, headers={"compression": name})
        until(lambda: wire.size(f"rpc-{unique}") == 0)
        assert add(broker_url, unique) == 3
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 100 * MIB
    assert not gate.reached.ready()


def test_t36_no_algorithm_of_the_library_is_left() -> None:
    for name in compression.encoders():
        with pytest.raises(Exception, match="compressed messages are refused"):
            compression.decompress(b"", name)


def test_t36_an_oversized_message_is_refused_before_it_is_decoded(
    serve: Serve, broker_url: str, unique: str
) -> None:
    gate = Gate()
    serve(rpc_service(unique, gate))
    with Wire(broker_url) as wire:
        request(wire, unique, arguments("x" * MAX_MESSAGE_BYTES))
        until(lambda: wire.size(f"rpc-{unique}") == 0)
        assert add(broker_url, unique) == 3
        assert not gate.reached.ready()
        request(wire, unique, arguments("x" * (MAX_MESSAGE_BYTES - 100)))
        until(gate.reached.ready)
    gate.open()


def test_t36_json_builds_no_objects(serve: Serve, broker_url: str, unique: str) -> None:
    gate = Gate()
    gate.open()
    serve(rpc_service(unique, gate))
    marked = {"__type__": "datetime", "__value__": "2026-11-25T12:00:00"}
    pool = RpcConnectionPool(broker_url, 5)
    assert pool.call(unique, "wait_at_gate", {"value": marked}) == marked
    pool.close()


def test_t36_a_request_that_comes_back_is_acknowledged_before_it_runs(
    serve: Serve, broker_url: str, unique: str
) -> None:
    """So a request that ends its process ends one more at most."""
    gate = Gate()
    serve(rpc_service(unique)).stop()
    with Wire(broker_url) as wire:
        request(wire, unique, arguments("poison"))
        wire.get(f"rpc-{unique}").requeue()
        group = serve(rpc_service(unique, gate))
        until(gate.reached.ready)
        group.kill()
        gate.open()
        eventlet.sleep(0)
        assert wire.size(f"rpc-{unique}") == 0


def test_a_first_request_is_delivered_again_to_another_process(
    serve: Serve, broker_url: str, unique: str
) -> None:
    gate = Gate()
    group = serve(rpc_service(unique, gate))
    with Wire(broker_url) as wire:
        request(wire, unique, arguments("x"))
        until(gate.reached.ready)
        group.kill()
        until(lambda: wire.size(f"rpc-{unique}") == 1)
    gate.open()


class RawMessage(amqp.Message):  # type: ignore[misc]
    """A message whose properties are these bytes."""

    def __init__(self, body: bytes, encoded: bytes) -> None:
        super().__init__(body)
        self.encoded = encoded

    def _serialize_properties(self) -> bytes:
        return self.encoded


def short(text: bytes) -> bytes:
    return bytes([len(text)]) + text


def table(*entries: bytes) -> bytes:
    content = b"".join(entries)
    return struct.pack(">I", len(content)) + content


def nested(kind: bytes, name: bytes, depth: int) -> bytes:
    """A header of arrays or tables inside each other."""
    value = b"V"
    for _ in range(depth):
        value = kind + table(name + value)
    return table(short(b"h") + value)


def properties(flags: int = 0, rest: bytes = b"", encoding: bytes = b"utf-8") -> bytes:
    """A content type, an encoding, and others that the flags name."""
    kinds = short(b"application/json") + short(encoding)
    return struct.pack(">H", 0xC000 | flags) + kinds + rest


# What is malformed in a message, and its properties.
MALFORMED = {
    "a correlation id is no text": properties(CORRELATION_ID, short(b"\xff\xfe")),
    "the encoding is no text": properties(encoding=b"\xff"),
    "a header is later than the year 9999": properties(
        HEADERS, table(short(b"h") + b"T" + struct.pack(">Q", 253_402_300_800))
    ),
    "a header is later than a clock can say": properties(
        HEADERS, table(short(b"h") + b"T" + struct.pack(">Q", 2**63))
    ),
    "the name of a header is no text": properties(
        HEADERS, table(short(b"\xff") + b"V")
    ),
    "arrays are nested too deeply": properties(HEADERS, nested(b"A", b"", 3000)),
    "tables are nested too deeply": properties(
        HEADERS, nested(b"F", short(b"k"), 3000)
    ),
    # In punycode a body of 4 MB takes minutes to decode.
    "the encoding is another one": properties(encoding=b"utf-16"),
}


ON_RABBITMQ = pytest.mark.parametrize(
    "broker_url", [pytest.param("rabbitmq", marks=pytest.mark.broker)], indirect=True
)


@ON_RABBITMQ
def test_t36_a_message_that_cannot_be_decoded_ends_no_process(
    serve: Serve, broker_url: str, unique: str
) -> None:
    """Each would end its process, come back and end the next one."""
    handled: list[Any] = []
    source = f"s{unique}"
    serve(rpc_service(unique), consumer(f"c{unique}", source, handled))
    body = '"malformed"'.encode("utf-16")
    # What a closed connection sent last may be lost.
    confirmed = {"confirm_publish": True}
    with Connection(broker_url, transport_options=confirmed) as connection:
        publish = connection.default_channel.basic_publish
        for encoded in MALFORMED.values():
            publish(RawMessage(body, encoded), REQUESTS, f"{unique}.add")
            publish(RawMessage(body, encoded), f"{source}.events", "happened")
        publish(RawMessage(body, properties()), REQUESTS, unique.encode() + b".\xff")
        after = RawMessage(b'"after"', properties())
        publish(after, f"{source}.events", "happened")
    assert add(broker_url, unique) == 3
    until(lambda: "after" in handled)
    assert handled == ["after"]
