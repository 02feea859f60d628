"""Logs name events and places, and never quote a person's text."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from clp_chassis.observability import in_chain
from clp_chassis.observability.logs import configure_logs
from clp_contracts.errors import CallFailed, Refused

SECRET = "the killer is the gardener"
log = logging.getLogger("some.part")


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Everything logged, as JSON; the tests' own logging is put back afterwards."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logs("messages", shape="json", stream=stream)
    yield stream
    root.handlers[:], level = before
    root.setLevel(level)


def only(lines: io.StringIO) -> dict[str, object]:
    (line,) = lines.getvalue().splitlines()
    entry: dict[str, object] = json.loads(line)
    return entry


def test_a_line_names_its_process_and_its_chain_of_calls(lines: io.StringIO) -> None:
    with in_chain(["gateway.http.1", "messages.post.2"]):
        log.info("posted %s", "m1")

    entry = only(lines)

    assert entry["message"] == "posted m1"
    assert entry["process_type"] == "messages"
    assert entry["chain"] == ["gateway.http.1", "messages.post.2"]
    assert entry["level"] == "INFO"
    assert "at" in entry


def test_outside_a_call_the_chain_is_empty(lines: io.StringIO) -> None:
    with in_chain(["messages.post.1"]):
        pass
    log.info("ending")

    assert only(lines)["chain"] == []


@pytest.mark.parametrize(
    "error",
    [ValueError(SECRET), KeyError(SECRET), Refused("request.malformed", SECRET)],
    ids=["a wrong value", "a missing key", "a refusal with its detail"],
)
def test_an_exception_is_named_and_not_quoted(
    lines: io.StringIO, error: Exception
) -> None:
    def fail() -> None:
        raise RuntimeError("while " + SECRET) from error

    try:
        fail()
    except RuntimeError:
        log.exception("it failed: %r, %s", error, error)

    written = lines.getvalue()

    assert SECRET not in written
    assert "RuntimeError" in written
    assert type(error).__name__ in written
    assert "test_logs.py" in written


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "Connection refused"),
        (CallFailed("search.find: no response in 10 s"), "no response in 10 s"),
        (Refused("channel.missing"), "channel.missing"),
    ],
    ids=["the network", "another service", "a refusal's code"],
)
def test_errors_that_never_quote_data_are_quoted(
    lines: io.StringIO, error: Exception, words: str
) -> None:
    log.warning("waiting: %s", error)

    assert words in str(only(lines)["message"])
