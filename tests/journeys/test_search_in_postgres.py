"""Two search processes that share one index in PostgreSQL, over RPC."""

from collections.abc import Callable
from pathlib import Path

import pytest

from clp_contracts.errors import CallFailed, Refused
from clp_suite.process_suite import ProcessSuite
from clp_suite.sample_data import put_cast
from clp_suite.server_access import BrokerAccess, DatabaseAccess
from tests.journeys.scenario import Scenario
from tests.support.waiting import until

pytestmark = [pytest.mark.broker, pytest.mark.slow]
FOUND_WITHIN_S = 30.0
PDF = b"%PDF-1.4\n%%EOF\n"


def _finds(scenario: Scenario, person: str, word: str, messages: list[str]) -> bool:
    """Whether both processes, called in turn, find these and nothing else."""
    find = scenario.as_(person).search.find
    try:
        pages = [find(query=word, project=scenario.project).hits for _ in range(4)]
    except (Refused, CallFailed):
        return False
    return all([hit.message for hit in page] == messages for page in pages)


def test_readers_find_messages_in_a_shared_index(
    tmp_path: Path,
    new_broker: Callable[[], BrokerAccess],
    postgres: DatabaseAccess,
) -> None:
    with ProcessSuite(
        tmp_path,
        rabbit=new_broker(),
        postgres=postgres,
        copies={"search": 2},
        search_in_postgres=True,
    ) as suite:
        put_cast(suite.client(service="directory"))
        _post_messages(Scenario(suite, "shared"))
        assert not (tmp_path / "index.1" / "current").exists()


def _post_messages(scenario: Scenario) -> None:
    north = scenario.direct("north")
    posted = scenario.post("ivy", scenario.broadcast, "zebra crossing").id
    files = scenario.suite.files("nat")
    file = files.upload(channel=north, name="okapi_v03.pdf", body=PDF)
    attached = scenario.post("nat", north, "here it is", attachments=[file]).id
    until(lambda: _finds(scenario, "nat", "zebra", [posted]), FOUND_WITHIN_S)
    until(lambda: _finds(scenario, "nat", "okapi", [attached]), FOUND_WITHIN_S)
    assert _finds(scenario, "sam", "okapi", [])
    (hit,) = scenario.as_("nat").search.find(query="okapi", channel=north).hits
    assert [shown.text for shown in hit.attachments] == ["okapi_v03.pdf"]
    scenario.as_("ivy").messages.edit(message=posted, text="quagga crossing")
    until(lambda: _finds(scenario, "sam", "quagga", [posted]), FOUND_WITHIN_S)
    assert _finds(scenario, "sam", "zebra", [])
    scenario.withdraw("north")
    with pytest.raises(Refused):
        scenario.as_("nat").search.find(query="quagga", project=scenario.project)
    assert _finds(scenario, "ivy", "okapi", [attached])
    scenario.as_("ivy").messages.delete(message=posted)
    until(lambda: _finds(scenario, "ivy", "quagga", []), FOUND_WITHIN_S)
