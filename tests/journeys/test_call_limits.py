"""T23, T28, T32: the embedded suite limits the calls of a person as the processes do."""

import itertools
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import eventlet
import pytest

from clp_chassis.bootstrap import DEPENDENCIES
from clp_chassis.concurrency.rate_limiter import NO_LIMIT, RateLimit
from clp_chassis.rpc import CallContext
from clp_contracts.errors import Refused
from clp_messages.service import MessagesService
from clp_notifications.service.routing_process import NotificationsService
from clp_projects.service import ProjectsService
from clp_search.service import SearchService
from clp_suite import EmbeddedSuite
from clp_suite.demo.play import set_up

CALLS = 90


def outcomes_of(call: Callable[[], object], calls: int = CALLS) -> list[str]:
    """Call at once in many green threads; return the codes, or done."""

    def outcome(_: int) -> str:
        try:
            call()
        except Refused as refused:
            return refused.code
        return "done"

    pool = eventlet.GreenPool(calls)
    return list(pool.imap(outcome, range(calls)))


def test_t32_a_person_beyond_the_rate_limit_is_refused(tmp_path: Path) -> None:
    with EmbeddedSuite(tmp_path / "limited") as suite:
        usual = RateLimit()
        codes = outcomes_of(suite.client("nat").projects.my_projects)
        assert set(codes) == {"done", "calls.too_many"}
        assert codes.count("done") >= usual.burst
        assert suite.client("sam").projects.my_projects().projects == ()


def test_t28_posts_of_long_texts_count_as_several_calls(tmp_path: Path) -> None:
    numbers = itertools.count()
    with EmbeddedSuite(tmp_path / "limited") as suite:
        set_up(suite)

        def post(text: str) -> None:
            suite.client("nat").messages.post(
                channel="p1/direct/north", text=text, key=f"k{next(numbers)}"
            )

        assert set(outcomes_of(lambda: post("short"), 30)) == {"done"}
        assert "calls.too_many" in outcomes_of(lambda: post("a " * 5_000), 30)


def test_a_suite_may_lift_the_rate_limit(tmp_path: Path) -> None:
    with EmbeddedSuite(tmp_path / "lifted", rate_limit=NO_LIMIT) as suite:
        codes = outcomes_of(suite.client("nat").projects.my_projects)
    assert set(codes) == {"done"}


@pytest.mark.parametrize(
    "service", [ProjectsService, MessagesService, SearchService, NotificationsService]
)
def test_t23_calls_are_queued_by_partner(service: Any) -> None:
    groups = SimpleNamespace(of=lambda person: f"partner of {person}")
    config = {DEPENDENCIES: SimpleNamespace(groups=groups)}
    container = SimpleNamespace(config=config)
    group_of = cast("CallContext", service.call_info)._group_of
    assert group_of is not None
    assert group_of(container, "nat") == "partner of nat"
