"""One running system on private servers, shared by all tests that need one."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from clp_suite.sample_data import put_cast
from clp_suite.server_process import server_directory
from clp_suite.servers import PrivatePostgres, PrivateRabbit
from tests.deploy.running import UpSystem
from tests.support.servers import require

# The output of a command, given its `main` and the arguments that it refuses.
RefusalOf = Callable[..., str]


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


@pytest.fixture
def refusal_of(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> RefusalOf:
    """Run a command with arguments that it refuses; return what it says."""

    def run(main: Callable[[], None], *arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["command", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return f"{ended.value}{capsys.readouterr().err}"

    return run
