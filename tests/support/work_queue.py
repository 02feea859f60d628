"""One queue of tests for several pytest processes.

Every process collects the same tests in the same order and takes the next group of them
from a shared counter, until none is left. Tests of one file are a group, as they share
module fixtures; so are the tests of a session fixture that starts many processes, and
these groups come first. (pytest-xdist's workers do not run under Eventlet's patch.)
"""

import fcntl
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import pytest

COUNTER: Final = "TESTS_QUEUE"
WORKER: Final = "TESTS_WORKER"
# Session fixtures that start many processes, with their parameters; longest first.
EXPENSIVE: Final = ("up", "bed", "suite[processes]")


def worker_number() -> int:
    """The number of this test process; 0 for a run with one process."""
    return int(os.environ.get(WORKER, "0"))


def group_of(item: pytest.Item) -> str:
    """The name of the group of a test."""
    names = set(getattr(item, "fixturenames", ()))
    callspec = getattr(item, "callspec", None)
    values = callspec.params if callspec is not None else {}
    names |= {f"{name}[{v}]" for name, v in values.items() if isinstance(v, str)}
    for fixture in EXPENSIVE:
        if fixture in names:
            return fixture
    return item.path.relative_to(item.config.rootpath).as_posix()


def groups_of(items: Iterable[pytest.Item]) -> list[list[pytest.Item]]:
    """The tests in groups, expensive groups first, otherwise in the given order."""
    groups: dict[str, list[pytest.Item]] = {name: [] for name in EXPENSIVE}
    for item in items:
        groups.setdefault(group_of(item), []).append(item)
    return [group for group in groups.values() if group]


def take_number(counter: Path) -> int:
    """Take the next number of a counter that several processes share."""
    with counter.open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        number = int(file.read() or 0)
        file.seek(0)
        file.write(str(number + 1))
        file.flush()
        return number


def claimed(groups: list[list[pytest.Item]], counter: Path) -> Iterator[pytest.Item]:
    """The tests of the groups that this process gets, one group after the other."""
    while (number := take_number(counter)) < len(groups):
        yield from groups[number]


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Run the tests that the queue gives; without a queue, leave it to pytest."""
    counter = os.environ.get(COUNTER)
    if counter is None or session.config.option.collectonly or session.testsfailed:
        return None
    items = claimed(groups_of(session.items), Path(counter))
    item = next(items, None)
    while item is not None:
        # Fixtures outlive a test when the next one uses them as well.
        following = next(items, None)
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.shouldstop or session.shouldfail:
            break
        item = following
    return True
