"""Another team's program calls with clp-contracts alone, from plain threads."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from clp_suite.process_suite import ProcessSuite
from clp_suite.suite import Suite
from tests.journeys.scenario import Scenario
from tests.support.bare_environment import bare_environment, run_in

PROGRAM = """
import json, socket, sys, threading
plain = (socket.socket, threading.Thread.start)
from concurrent.futures import ThreadPoolExecutor
from clp_contracts.client import connect
from clp_contracts.errors import CallFailed, Refused

broker, passport, channel = sys.argv[1:]
with connect(broker, passport) as clp:
    def post(number):
        text = f"Hello {number} " + "ü" * 1000
        return clp.messages.post(channel=channel, text=text, key=f"k{number}").number
    with ThreadPoolExecutor(4) as pool:
        numbers = sorted(pool.map(post, range(20)))
    page = clp.messages.page(channel=channel)
    try:
        clp.messages.page(channel="nowhere/broadcast")
    except Refused as refused:
        code = refused.code
    try:
        clp.messages.post(channel=channel, text="x" * 5_000_000, key="large")
    except Refused as refused:
        large = refused.code
with connect(broker, "no passport", timeout=5) as stranger:
    try:
        stranger.messages.page(channel=channel)
    except Refused as refused:
        unsigned = refused.code
print(json.dumps({
    "numbers": numbers,
    "read": len(page.messages),
    "codes": [code, large, unsigned],
    "framework": [m for m in ("nameko", "eventlet") if m in sys.modules],
    "patched": plain != (socket.socket, threading.Thread.start),
}))
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bare_environment(tmp_path_factory.mktemp("bare"), "clp-contracts")


def test_the_environment_holds_no_framework(python: Path) -> None:
    program = (
        "from importlib.util import find_spec;"
        "print([n for n in ('nameko', 'eventlet', 'clp_chassis') if find_spec(n)])"
    )
    assert run_in(python, program).strip() == "[]"


@pytest.mark.parametrize("suite", ["processes"], indirect=True)
@pytest.mark.broker
def test_a_program_calls_the_services_from_threads(
    python: Path, suite: Suite, new_scenario: Callable[[], Scenario]
) -> None:
    assert isinstance(suite, ProcessSuite)
    channel = new_scenario().broadcast
    passport = suite.passport("ivy", audience="messages")
    printed = run_in(python, PROGRAM, suite.broker_url, passport, channel)
    assert json.loads(printed) == {
        "numbers": list(range(1, 21)),
        "read": 20,
        "codes": ["channel.missing", "request.malformed", "passport.refused"],
        "framework": [],
        "patched": False,
    }
