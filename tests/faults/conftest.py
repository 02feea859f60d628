"""One field for all faults: servers, a network that fails, and a crew on it."""

import itertools
import logging
import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from clp_suite.server_process import server_directory
from clp_suite.servers import PrivatePostgres, PrivateRabbit
from tests.faults.fault_run import drain
from tests.faults.load import Load
from tests.faults.network import Network
from tests.faults.process_group import NEVER_PUT_OFF, Crew, Terms
from tests.journeys.conftest import missing_servers

# A worker that died holds its mails for 12 seconds and not for 60, a relay that says
# nothing is given up after four.
HASTY = NEVER_PUT_OFF | {
    "CLP_NOTIFICATIONS_LEASE_S": "12",
    "CLP_NOTIFICATIONS_RELAY_TIMEOUT_S": "4",
}


@dataclass(frozen=True)
class Field:
    """Where the short forms take place; each leaves it calm."""

    crew: Crew
    rabbit: PrivateRabbit
    postgres: PrivatePostgres
    network: Network
    seed: int


def seed_of_session() -> int:
    """From the environment, or new; each run prints it."""
    given = os.environ.get("CLP_FAULTS_SEED")
    return int(given) if given else random.SystemRandom().randrange(1 << 30)


@pytest.fixture(scope="session")
def field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    """Everything, running and calm."""
    if missing := missing_servers():
        if os.environ.get("CI") == "true":
            pytest.fail(f"no {missing} on this machine; run `make servers`")
        pytest.skip(f"NOT RUN: {missing} is missing; run `make servers` as root")
    # Every failed call is counted; the client's library need not tell of it as well.
    logging.getLogger("amqp").setLevel(logging.CRITICAL)
    seed = seed_of_session()
    manners = ("--busy", "0.02", "--busy-most", "1", "--cut", "0.005")
    networks: list[Network] = []
    with (
        server_directory() as directory,
        PrivateRabbit(directory / "rabbit") as rabbit,
        PrivatePostgres(directory / "postgres") as postgres,
    ):
        crew = Crew(
            tmp_path_factory.mktemp("faults"),
            Terms(
                sink=(*manners, "--seed", str(seed)),
                environ=HASTY,
                detours=lambda _crew: networks[0].detours,
            ),
            rabbit=rabbit,
            postgres=postgres,
            mail_window_s=0.5,
        )
        ends = {
            "broker": rabbit.port,
            "database": postgres.port,
            "relay": crew.relay_port,
        }
        with Network(ends) as network:
            networks.append(network)
            with crew:
                yield Field(crew, rabbit, postgres, network, seed)


_runs = itertools.count(1)


@pytest.fixture
def new_load(field: Field) -> Iterator[Callable[..., Load]]:
    """A load of its own: other projects, other words; calm before and after."""
    drain(field.crew, 300)
    field.crew.surprises.clear()
    field.crew.kills.clear()

    def made(**options: object) -> Load:
        return Load(run=next(_runs), seed=field.seed, **options)  # type: ignore[arg-type]

    yield made
    drain(field.crew, 300)
