"""One running system on private servers, shared by all tests that need one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from clp_suite.sample_data import put_cast
from clp_suite.server_process import server_directory
from clp_suite.servers import PrivatePostgres, PrivateRabbit
from tests.deploy.running import UpSystem
from tests.support.servers import require


@pytest.fixture(scope="session")
def up() -> Iterator[UpSystem]:
    """Every process type with its own user over TLS, and the sample world."""
    require(PrivateRabbit)
    require(PrivatePostgres)
    with server_directory() as folder, UpSystem(folder / "up") as system:
        directory = system.service("directory")
        put_cast(directory)
        directory.projects.put_project(id="p1", title="Night Train")
        for partner in ("north", "south"):
            directory.projects.assign_partner(project="p1", partner=partner)
        yield system


@pytest.fixture
def repository() -> Path:
    return Path(__file__).parents[2]
