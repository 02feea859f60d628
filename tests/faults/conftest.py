"""The fault bed: servers, a failing network, and a process group on it."""

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
from tests.faults.process_group import NO_LIMITS, GroupOptions, ProcessGroup
from tests.support.servers import require

# A worker that died holds its mails for 12 seconds and not for 60, a relay that says
# nothing times out after four.
SHORT_TIMEOUTS = NO_LIMITS | {
    "CLP_NOTIFICATIONS_LEASE_S": "12",
    "CLP_NOTIFICATIONS_SMTP_TIMEOUT_S": "4",
}


@dataclass(frozen=True)
class FaultBed:
    """Where the short runs take place; each leaves it idle."""

    group: ProcessGroup
    rabbit: PrivateRabbit
    postgres: PrivatePostgres
    network: Network
    seed: int


def seed_of_session() -> int:
    """Return the seed of the environment, or a new one; each run prints it."""
    given = os.environ.get("TESTS_FAULTS_SEED")
    return int(given) if given else random.SystemRandom().randrange(1 << 30)


@pytest.fixture(scope="session")
def bed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultBed]:
    """Everything, running and idle."""
    require(PrivateRabbit)
    require(PrivatePostgres)
    # Every failed call is counted; the client's library need not tell of it as well.
    logging.getLogger("amqp").setLevel(logging.CRITICAL)
    seed = seed_of_session()
    relay_faults = ("--busy", "0.02", "--busy-most", "1", "--cut", "0.005")
    networks: list[Network] = []
    with (
        server_directory() as directory,
        PrivateRabbit(directory / "rabbit") as rabbit,
        PrivatePostgres(directory / "postgres") as postgres,
    ):
        group = ProcessGroup(
            tmp_path_factory.mktemp("faults"),
            GroupOptions(
                sink=(*relay_faults, "--seed", str(seed)),
                environ=SHORT_TIMEOUTS,
                detours=lambda _group: networks[0].detours,
            ),
            rabbit=rabbit,
            postgres=postgres,
            mail_window_s=0.5,
        )
        ends = {
            "broker": rabbit.port,
            "database": postgres.port,
            "relay": group.relay_port,
        }
        with Network(ends) as network:
            networks.append(network)
            with group:
                yield FaultBed(group, rabbit, postgres, network, seed)


_runs = itertools.count(1)


@pytest.fixture
def new_load(bed: FaultBed) -> Iterator[Callable[..., Load]]:
    """A load with projects and words of its own; idle before and after."""
    drain(bed.group, 300)
    bed.group.unexpected_exits.clear()
    bed.group.kills.clear()

    def made(**options: object) -> Load:
        return Load(run=next(_runs), seed=bed.seed, **options)  # type: ignore[arg-type]

    yield made
    drain(bed.group, 300)
