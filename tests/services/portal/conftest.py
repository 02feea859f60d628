"""One embedded suite with its portal for all tests of a module."""

from collections.abc import Callable, Iterator

import pytest

from clp_contracts.client.rpc_client import RpcClient
from clp_suite import EmbeddedSuite
from clp_suite.sample_data import put_cast
from tests.services.portal.browser import Browser

PROJECT = "p1"
BROADCAST = f"{PROJECT}/broadcast"
NORTH = f"{PROJECT}/direct/north"
SOUTH = f"{PROJECT}/direct/south"


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedSuite]:
    """The sample world: one project with two partners."""
    folder = tmp_path_factory.mktemp("portal")
    with EmbeddedSuite(folder, portal=True) as suite:
        directory = suite.client(service="directory")
        put_cast(directory)
        directory.projects.put_project(id=PROJECT, title="Night Train")
        directory.projects.put_project(id="p2", title="Paper Moon")
        for partner, languages in (("north", ["fr"]), ("south", ["es"])):
            directory.projects.assign_partner(
                project=PROJECT, partner=partner, languages=languages
            )
        for person in ("ivy", "ian", "nat", "nia", "sam"):
            suite.client(person).projects.follow(project=PROJECT)
        yield suite


@pytest.fixture
def browser(suite: EmbeddedSuite) -> Callable[..., Browser]:
    """A browser in which a person is signed in; nobody without a name."""

    def opened(person: str | None = None, *, language: str = "en") -> Browser:
        browser = Browser(suite.portal_url, language=language)
        if person is not None:
            response = browser.submit("/-/sign-in", [("person", person)])
            assert response.status == 303, response.text
        return browser

    return opened


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The methods that are called from here on."""
    made: list[str] = []
    call = RpcClient.call

    def recorded(self: RpcClient, method: object, request: object) -> object:
        made.append(f"{method.service}.{method.name}")  # type: ignore[attr-defined]
        return call(self, method, request)  # type: ignore[arg-type]

    monkeypatch.setattr(RpcClient, "call", recorded)
    return made
