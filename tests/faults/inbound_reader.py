"""``python -m tests.faults.inbound_reader FOLDER``: read incoming mail until killed.

FOLDER holds the database ``notifications.db`` and the Maildir ``incoming``.
"""

import sys
from pathlib import Path

from clp_chassis.persistence.database import Database
from tests.services.notifications.harness import DeliveryHarness, inbound_in


def main() -> None:
    folder = Path(sys.argv[1])
    harness = DeliveryHarness(Database(f"sqlite:///{folder / 'notifications.db'}"))
    inbound_in(harness, folder / "incoming")
    while True:
        harness.read_incoming()


if __name__ == "__main__":
    main()
