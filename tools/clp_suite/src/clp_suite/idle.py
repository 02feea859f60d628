"""When a suite is idle: nothing waits, and every reader is at the end of its feed."""

from collections.abc import Mapping

from clp_contracts.feed import Progress


def is_idle(seen: Mapping[str, Progress]) -> bool:
    """Whether nothing is left to announce, read or send."""
    waiting = any(progress.pending or progress.due for progress in seen.values())
    behind = any(
        reader.cursor < seen[reader.source].head
        for progress in seen.values()
        for reader in progress.readers
    )
    return not (waiting or behind)
