"""One suite per broker for all journeys; every journey gets a project of its own."""

import itertools
from collections.abc import Callable, Iterator

import pytest

from clp_suite import EmbeddedSuite
from clp_suite.sample_data import put_cast
from clp_suite.suite import Suite
from tests.journeys.scenario import Scenario
from tests.journeys.suites import deployed_suite
from tests.services.portal.openid_provider import OwnProvider


@pytest.fixture(scope="session")
def provider() -> Iterator[OwnProvider]:
    """Where people of the deployed suite sign in."""
    with OwnProvider() as running:
        yield running


@pytest.fixture(
    scope="session",
    params=["embedded", pytest.param("processes", marks=pytest.mark.broker)],
)
def suite(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Suite]:
    """Four services: embedded, or as deployed on RabbitMQ and PostgreSQL."""
    folder = tmp_path_factory.mktemp(request.param)
    is_embedded = request.param == "embedded"
    made = EmbeddedSuite(folder) if is_embedded else deployed_suite(request, folder)
    with made as running:
        put_cast(running.client(service="directory"))
        yield running


_numbers = itertools.count(1)


@pytest.fixture
def new_scenario(suite: Suite) -> Callable[[], Scenario]:
    """Create fresh projects with north and south assigned."""

    def create() -> Scenario:
        return Scenario(suite, f"p{next(_numbers)}")

    return create


@pytest.fixture
def scenario(new_scenario: Callable[[], Scenario]) -> Scenario:
    """A fresh project with north and south assigned."""
    return new_scenario()
