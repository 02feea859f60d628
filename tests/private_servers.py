"""Private servers shared by the tests of one session."""

import os
from collections.abc import Iterator

import pytest

from clp_suite.servers import PrivatePostgres, server_directory


@pytest.fixture(scope="session")
def postgres() -> Iterator[PrivatePostgres]:
    """One PostgreSQL for all tests; each creates databases of its own."""
    if not (available := PrivatePostgres.available()):
        if os.environ.get("CI") == "true":
            pytest.fail(f"no PostgreSQL on this machine; {available}")
        pytest.skip(f"NOT RUN: no PostgreSQL on this machine; {available}")
    with (
        server_directory() as directory,
        PrivatePostgres(directory / "pg", durable=False) as server,
    ):
        yield server
