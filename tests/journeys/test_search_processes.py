"""Several search processes serve the same calls, each from its own index."""

from collections.abc import Iterator

import pytest

from clp_contracts.errors import CallFailed, Refused
from clp_suite.process_suite import ProcessSuite
from tests.journeys.scenario import Scenario
from tests.support.waiting import until

pytestmark = pytest.mark.broker
FOUND_WITHIN_S = 60.0
START_WITHIN_S = 120.0
# So many calls in a row reach both of two processes that take turns.
CALLS = 6


@pytest.fixture
def second_process(suite: ProcessSuite) -> Iterator[ProcessSuite]:
    """Another search process of the suite, ready for calls."""
    suite.restart("search.1")
    until((suite.data_dir / "index.1" / "current").exists, START_WITHIN_S)
    yield suite
    suite.kill("search.1")


@pytest.mark.parametrize("suite", ["processes"], indirect=True)
def test_each_of_two_processes_finds_everything_also_when_the_other_is_killed(
    second_process: ProcessSuite,
) -> None:
    suite = second_process
    scenario = Scenario(suite, "two")
    posted = scenario.as_("ivy").messages.post(
        channel=scenario.broadcast, text="zebra crossing", key="k1"
    )

    def all_find(word: str, messages: list[str]) -> bool:
        """Whether successive calls find these; a process may be down meanwhile."""
        try:
            return all(
                [
                    hit.message
                    for hit in scenario.as_("nat")
                    .search.find(query=word, channel=scenario.broadcast)
                    .hits
                ]
                == messages
                for _ in range(CALLS)
            )
        except (Refused, CallFailed):
            return False

    until(lambda: all_find("zebra", [posted.id]), FOUND_WITHIN_S)
    suite.kill("search.0")
    second = scenario.as_("ivy").messages.post(
        channel=scenario.broadcast, text="quagga", key="k2"
    )
    until(lambda: all_find("quagga", [second.id]), FOUND_WITHIN_S)
    suite.restart("search.0")
    scenario.as_("ivy").messages.delete(message=posted.id)
    until(lambda: all_find("zebra", []), FOUND_WITHIN_S)
    until(lambda: all_find("quagga", [second.id]), FOUND_WITHIN_S)
