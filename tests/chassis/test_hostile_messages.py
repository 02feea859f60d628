"""T36: messages that cost their receiver more than their sender, over both brokers."""

import json
import resource
import zlib
from functools import cache
from typing import Any

import eventlet
import pytest
from kombu import compression

from clp_contracts.connection_pool import RpcConnectionPool
from clp_contracts.exchanges import REQUESTS
from clp_contracts.serialization import MAX_MESSAGE_BYTES
from tests.chassis.conftest import Serve
from tests.chassis.raw_amqp import Wire
from tests.chassis.services_under_test import Gate, rpc_service
from tests.support.waiting import until

LARGE = 200 * 1024 * 1024
MIB = 1024
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
