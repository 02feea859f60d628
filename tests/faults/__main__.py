"""Run F1 at any size: ``python -m tests.faults``.

Posts under kill -9, broker and database outages and a faulty relay, then verifies with
logs that no service can write.
"""

from clp_chassis.concurrency import monkey_patch  # isort: skip  # noqa: F401 - first: it patches the process

import argparse
import json
import logging
import random
import tempfile
from pathlib import Path

from clp_suite.server_process import server_directory
from clp_suite.servers import PrivatePostgres, PrivateRabbit
from tests.faults.fault_injector import FaultPlan
from tests.faults.fault_run import Limits, run_under_faults
from tests.faults.growth import Growth
from tests.faults.invariants import Verdict
from tests.faults.limits import limits_of
from tests.faults.load import Load
from tests.faults.process_group import NO_LIMITS, GroupOptions, ProcessGroup
from tests.support.command_line import command_parser

# Search is one process: two never share an index.
SCALED = ("projects", "messages", "notifications", "delivery")


def parse_arguments() -> argparse.Namespace:
    parser = command_parser()
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--kill-every", type=float, default=5.0, metavar="SECONDS")
    parser.add_argument("--window", type=float, default=2.0, metavar="SECONDS")
    parser.add_argument(
        "--mentions", type=int, default=20, metavar="PERCENT", help="mailed at once"
    )
    parser.add_argument("--pace", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("--searches", type=int, default=2000)
    parser.add_argument(
        "--minutes", type=float, help="stop posting then, however much was posted"
    )
    parser.add_argument("--copies", type=int, default=2, help="of each process type")
    parser.add_argument(
        "--seed", type=int, default=random.SystemRandom().randrange(1 << 30)
    )
    parser.add_argument(
        "--growth",
        action="store_true",
        help="judge memory and open files of processes that lived for minutes",
    )
    parser.add_argument("--drain", type=float, default=3600.0, metavar="SECONDS")
    return parser.parse_args()


def main() -> None:
    given = parse_arguments()
    # Every failed call is counted; the client's library need not tell of it as well.
    logging.getLogger("amqp").setLevel(logging.CRITICAL)
    load = Load(
        run=1,
        clients=given.clients,
        each=given.messages // given.clients,
        pace_s=given.pace,
        mentions=given.mentions,
        seed=given.seed,
    )
    plan = FaultPlan(
        kill_every_s=given.kill_every,
        broker_kills=(0.25, 0.5, 0.75),
        database_stops=(0.35, 0.65),
    )
    relay_faults = ("--busy", "0.02", "--cut", "0.001", "--seed", str(given.seed))
    with (
        tempfile.TemporaryDirectory(prefix="clp-faults-") as folder,
        server_directory() as directory,
        PrivateRabbit(directory / "rabbit") as rabbit,
        PrivatePostgres(directory / "postgres") as postgres,
        ProcessGroup(
            Path(folder),
            GroupOptions(sink=relay_faults, environ=NO_LIMITS),
            rabbit=rabbit,
            postgres=postgres,
            mail_window_s=given.window,
            copies=dict.fromkeys(SCALED, given.copies),
        ) as group,
    ):
        verdict = run_under_faults(
            group,
            (rabbit, postgres),
            load,
            plan,
            Limits(
                searches=given.searches,
                drain_s=given.drain,
                minutes=given.minutes,
                hurry=False,
                growth=Growth() if given.growth else None,
            ),
        )
    raise SystemExit(report(verdict, given.copies))


def report(verdict: Verdict, copies: int) -> int:
    """Print figures and limits; return 1 when something was lost or duplicated.

    Timing limits never fail a run: they depend on the load of the machine.
    """
    limits = limits_of(verdict.figures, copies)
    print(json.dumps(verdict.figures, indent=1))
    for line in (*(limit.text() for limit in limits), *verdict.broken):
        print(line)
    broken = [one for one in limits if not one.is_kept and not one.is_timing]
    return int(bool(verdict.broken or broken))


if __name__ == "__main__":
    main()
