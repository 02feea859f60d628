"""Poll for a condition; tests never sleep for a fixed time."""

import time
from collections.abc import Callable


def until(holds: Callable[[], object], seconds: float = 10.0) -> None:
    """Return as soon as the condition holds; fail after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds:g} s"
        time.sleep(0.005)
