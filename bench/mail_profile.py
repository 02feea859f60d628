"""A delivery process that writes a profile of its work to ``BENCH_PROFILE``.

The time before its first mails and after the request to stop is left out.
"""

from clp_chassis.concurrency import monkey_patch  # isort: skip  # noqa: F401 - first: it patches the process

import cProfile
import os
import time
from collections.abc import Callable, Sequence

from clp_chassis.process_command import main
from clp_notifications.delivery.claims import Claim
from clp_notifications.delivery.dependencies import DeliveryDependencies
from clp_notifications.service import build_delivery, delivery_process, reach_relay
from clp_notifications.settings import Settings

# By processor time: other processes share the cores.
profile = cProfile.Profile(time.process_time)
deliver = delivery_process.deliver


def profiled(
    deps: DeliveryDependencies, claims: Sequence[Claim], is_stopping: Callable[[], bool]
) -> None:
    """Deliver claims, and write the profile so far."""
    profile.enable()
    deliver(deps, claims, is_stopping)
    profile.disable()
    profile.dump_stats(os.environ["BENCH_PROFILE"])


if __name__ == "__main__":
    delivery_process.deliver = profiled  # type: ignore[attr-defined]
    main(
        "notifications",
        Settings,
        build_delivery,
        reach=reach_relay,
        process_type="delivery",
    )
