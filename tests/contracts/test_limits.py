"""The `limit` of every call that lists: capped above its maximum, refused below 1."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from types import ModuleType
from typing import Any, Final

import pytest

from clp_chassis.concurrency.rate_limiter import NO_LIMIT
from clp_contracts import messages, notifications, portal, projects, search
from clp_contracts.client import Clients
from clp_contracts.errors import Refused
from clp_contracts.methods import Method
from clp_suite import EmbeddedSuite
from clp_suite.sample_data import put_cast

SERVICES: Final = (messages, notifications, portal, projects, search)
BROADCAST: Final = "p-limits/broadcast"
HUGE: Final = 2**63 - 1
# More than the largest page of messages, so that a cap shows.
POSTS: Final = 120
MAX_PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class ListCall:
    """A call that lists, and who makes it."""

    method: str
    caller: str
    call: Callable[[Clients, int], Any]
    by_service: bool = False


CALLS: Final = (
    ListCall(
        "messages.page",
        "nat",
        lambda clp, n: clp.messages.page(channel=BROADCAST, limit=n),
    ),
    ListCall(
        "messages.conversation",
        "nat",
        lambda clp, n: clp.messages.conversation(channel=BROADCAST, limit=n),
    ),
    ListCall(
        "messages.mentionable",
        "ivy",
        lambda clp, n: clp.messages.mentionable(channel=BROADCAST, limit=n),
    ),
    ListCall(
        "messages.changes",
        "search",
        lambda clp, n: clp.messages.changes(limit=n),
        by_service=True,
    ),
    ListCall(
        "messages.dead_letters",
        "operations",
        lambda clp, n: clp.messages.dead_letters(limit=n),
        by_service=True,
    ),
    ListCall(
        "notifications.dead",
        "operations",
        lambda clp, n: clp.notifications.dead(limit=n),
        by_service=True,
    ),
    ListCall(
        "notifications.dead_incoming",
        "operations",
        lambda clp, n: clp.notifications.dead_incoming(limit=n),
        by_service=True,
    ),
    ListCall(
        "notifications.dead_letters",
        "operations",
        lambda clp, n: clp.notifications.dead_letters(limit=n),
        by_service=True,
    ),
    ListCall(
        "notifications.suppressions",
        "operations",
        lambda clp, n: clp.notifications.suppressions(limit=n),
        by_service=True,
    ),
    ListCall(
        "notifications.tickets",
        "operations",
        lambda clp, n: clp.notifications.tickets(limit=n),
        by_service=True,
    ),
    ListCall(
        "projects.changes",
        "messages",
        lambda clp, n: clp.projects.changes(limit=n),
        by_service=True,
    ),
    ListCall(
        "projects.find_projects",
        "nat",
        lambda clp, n: clp.projects.find_projects(limit=n),
    ),
    ListCall(
        "projects.suggest_people",
        "messages",
        lambda clp, n: clp.projects.suggest_people(
            typed="i", project="p-limits", partner=None, everybody=True, limit=n
        ),
        by_service=True,
    ),
    ListCall(
        "search.find",
        "nat",
        lambda clp, n: clp.search.find(query="hello", channel=BROADCAST, limit=n),
    ),
)


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedSuite]:
    with EmbeddedSuite(
        tmp_path_factory.mktemp("limits"), rate_limit=NO_LIMIT
    ) as running:
        admin = running.client(service="directory")
        put_cast(admin)
        admin.projects.put_project(id="p-limits", title="Night Train")
        admin.projects.assign_partner(
            project="p-limits", partner="north", languages=["fr"]
        )
        ivy = running.client("ivy").messages
        for number in range(POSTS):
            ivy.post(channel=BROADCAST, text="hello", key=f"{number}")
        running.settle()
        yield running


@pytest.fixture(params=CALLS, ids=[one.method for one in CALLS])
def listing(
    request: pytest.FixtureRequest, suite: EmbeddedSuite
) -> Callable[[int], Any]:
    one: ListCall = request.param
    if one.by_service:
        clients = suite.client(service=one.caller)
    else:
        clients = suite.client(one.caller)
    return lambda limit: one.call(clients, limit)


def _listing_methods(module: ModuleType) -> Iterator[str]:
    for method in vars(module).values():
        if isinstance(method, Method):
            names = {field.name for field in fields(method.request)}
            if "limit" in names:
                yield f"{method.service}.{method.name}"


def test_the_table_has_every_method_with_a_limit() -> None:
    listed = {name for module in SERVICES for name in _listing_methods(module)}

    assert {one.method for one in CALLS} == listed


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_below_one_is_malformed(
    listing: Callable[[int], Any], limit: int
) -> None:
    with pytest.raises(Refused) as refused:
        listing(limit)

    assert refused.value.code == "request.malformed"
    assert "limit" in str(refused.value), "the wrong field is named"


def test_a_limit_above_the_maximum_is_capped(listing: Callable[[int], Any]) -> None:
    assert listing(HUGE) == listing(1000)


def test_a_page_of_messages_is_capped(suite: EmbeddedSuite) -> None:
    clp = suite.client("nat")

    page = clp.messages.page(channel=BROADCAST, limit=HUGE)
    conversation = clp.messages.conversation(channel=BROADCAST, limit=HUGE)

    assert len(page.messages) == MAX_PAGE
    assert len(conversation.page.messages) == MAX_PAGE
