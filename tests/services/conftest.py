"""One PostgreSQL server for the tests of all services; each has databases of its own."""

import os
from collections.abc import Iterator

import pytest

from clp_suite.servers import PrivatePostgres, server_directory


@pytest.fixture(scope="session")
def postgres() -> Iterator[PrivatePostgres]:
    if not (available := PrivatePostgres.available()):
        if os.environ.get("CI") == "true":
            pytest.fail(f"no PostgreSQL on this machine; {available}")
        pytest.skip(f"NOT RUN: no PostgreSQL on this machine; {available}")
    with (
        server_directory() as directory,
        PrivatePostgres(directory / "pg", survives_power_cuts=False) as server,
    ):
        yield server
