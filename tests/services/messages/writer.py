"""A process that posts until it is killed: ``python -m … DATABASE_URL FOLDER``.

Prints each number once its post was confirmed; the parent may kill it at any time.
"""

import sys
from pathlib import Path

from clp_chassis.persistence.database import Database
from tests.services.messages.scenario import NORTH, Scenario


def main() -> None:
    """Post with the keys k1, k2, k3 and so on."""
    url, folder = sys.argv[1:]
    scenario = Scenario(Database(url), Path(folder))
    number = 0
    while True:
        number += 1
        scenario.post("nat", NORTH, f"line {number} for @Ivy Lane", key=f"k{number}")
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
