"""Several search processes serve the same calls, each from its own index."""

from collections.abc import Callable
from pathlib import Path

import pytest

from clp_contracts.errors import CallFailed, Refused
from clp_suite.process_suite import ProcessSuite
from clp_suite.sample_data import put_cast
from clp_suite.server_access import BrokerAccess, DatabaseAccess
from tests.journeys.scenario import Scenario
from tests.support.waiting import until

pytestmark = pytest.mark.broker
FOUND_WITHIN_S = 30.0
# So many calls in a row reach both of two processes that take turns.
CALLS = 6


def test_each_of_two_processes_finds_everything_also_when_the_other_is_killed(
    tmp_path: Path, new_broker: Callable[[], BrokerAccess], postgres: DatabaseAccess
) -> None:
    with ProcessSuite(
        tmp_path, rabbit=new_broker(), postgres=postgres, copies={"search": 2}
    ) as suite:
        put_cast(suite.client(service="directory"))
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
        assert (tmp_path / "index.1" / "current").exists()
        suite.kill("search.0")
        second = scenario.as_("ivy").messages.post(
            channel=scenario.broadcast, text="quagga", key="k2"
        )
        until(lambda: all_find("quagga", [second.id]), FOUND_WITHIN_S)
        suite.restart("search.0")
        scenario.as_("ivy").messages.delete(message=posted.id)
        until(lambda: all_find("zebra", []), FOUND_WITHIN_S)
        until(lambda: all_find("quagga", [second.id]), FOUND_WITHIN_S)
