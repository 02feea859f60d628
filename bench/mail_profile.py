"""A delivery process that writes a profile of its work to ``BENCH_PROFILE``.

What it does before its first mails and after it was asked to stop is left out.
"""

import cProfile
import os
from collections.abc import Callable, Sequence

from clp_chassis.runner import main
from clp_notifications.delivery.claims import Claim
from clp_notifications.delivery.dependencies import Desk
from clp_notifications.service import build_delivery, delivery_process
from clp_notifications.settings import Settings

profile = cProfile.Profile()
deliver = delivery_process.deliver


def profiled(
    desk: Desk, claims: Sequence[Claim], is_stopping: Callable[[], bool]
) -> None:
    """Deliver claims, and write what all of it cost so far."""
    profile.enable()
    deliver(desk, claims, is_stopping)
    profile.disable()
    profile.dump_stats(os.environ["BENCH_PROFILE"])


if __name__ == "__main__":
    delivery_process.deliver = profiled  # type: ignore[attr-defined]
    main("notifications", Settings, build_delivery, process_type="delivery")
