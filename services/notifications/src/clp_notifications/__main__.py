"""Run `notifications` as a process: routing, or with ``delivery`` the deliveries.

With ``bounce [RECIPIENT]`` it is the command that a relay pipes incoming mails into: it
writes the mail on its standard input to the Maildir that routing reads, and ends with
75 where the relay has to keep the mail.
"""

from clp_chassis.concurrency import monkey_patch  # isort: skip  # noqa: F401 - first: it patches the process

import os
import sys

from clp_chassis.process_command import main
from clp_contracts.notifications import SERVICE
from clp_notifications.inbound.maildir import deliver_to_maildir
from clp_notifications.service import build, build_delivery, reach, reach_relay
from clp_notifications.settings import Settings

DELIVERY = "delivery"

if __name__ == "__main__":
    if sys.argv[1:2] == ["bounce"] and len(sys.argv) <= 3:  # noqa: PLR2004
        folder = os.environ.get("CLP_NOTIFICATIONS_BOUNCE_DIR", "")
        recipient = sys.argv[2] if sys.argv[2:] else None
        raise SystemExit(deliver_to_maildir(sys.stdin.buffer.read(), folder, recipient))
    if sys.argv[1:2] == [DELIVERY]:
        main(
            SERVICE,
            Settings,
            build_delivery,
            reach=reach_relay,
            process_type=DELIVERY,
            arguments=sys.argv[2:],
        )
    else:
        main(SERVICE, Settings, build, reach=reach)
