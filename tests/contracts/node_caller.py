"""The vectors of the reference, called from Node.js over AMQP.

``python -m tests.contracts.node_caller FOLDER``; the folder has the npm packages.
"""

from clp_chassis.concurrency import monkey_patch  # isort: skip  # noqa: F401 - first: it patches the process

import json
import shutil
import subprocess
import sys
from pathlib import Path

from clp_suite.process_suite import ProcessSuite
from clp_suite.server_process import server_directory
from clp_suite.servers import PrivatePostgres, PrivateRabbit
from tests.contracts.vectors import VECTORS, disagreements, passport_of
from tests.support.command_line import command_parser

PROGRAMS = Path(__file__).parent / "node"


def main(folder: Path) -> int:
    """Run the caller against the services on private servers."""
    for path in PROGRAMS.glob("*.mjs"):
        shutil.copy(path, folder)
    with (
        server_directory() as directory,
        PrivateRabbit(directory / "rabbit") as rabbit,
        PrivatePostgres(directory / "postgres", durable=False) as postgres,
        ProcessSuite(
            directory / "suite", rabbit=rabbit, postgres=postgres.access
        ) as suite,
    ):
        calls = [one | {"passport": passport_of(suite, one)} for one in VECTORS]
        ran = subprocess.run(
            ["node", folder / "run.mjs"],
            input=json.dumps({"url": suite.broker_url, "calls": calls}),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    if ran.returncode:
        sys.stderr.write(ran.stderr)
        return 1
    wrong = disagreements(json.loads(ran.stdout))
    passed = f"{len(VECTORS)} vectors pass from Node.js"
    sys.stdout.write(("\n".join(wrong) or passed) + "\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    parser = command_parser()
    parser.add_argument("folder", metavar="FOLDER", type=Path)
    sys.exit(main(parser.parse_args().folder))
