"""Decide whether a suite is idle: no work waits, every feed reader has caught up."""

from collections.abc import Mapping

from clp_contracts.feed import Progress


def is_idle(services: Mapping[str, Progress]) -> bool:
    """Whether no event is left to publish or apply and no mail to send."""
    waiting = any(progress.pending or progress.due for progress in services.values())
    behind = any(
        reader.cursor < services[reader.source].head
        for progress in services.values()
        for reader in progress.readers
    )
    return not (waiting or behind)
