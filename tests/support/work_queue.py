"""One queue of tests for several pytest processes.

The first process collects the tests and forks the others. Each takes the next group of
tests from a shared counter, until none is left. Tests of one file are a group, as they share
module fixtures; so are the tests of a session fixture that starts many processes, and
these groups come first. (pytest-xdist's workers do not run under Eventlet's patch.)
"""

import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.support import forks

COUNTER: Final = "TESTS_QUEUE"
PROCESSES: Final = "TESTS_PROCESSES"
# Session fixtures that start many processes, with their parameters; longest first.
EXPENSIVE: Final = ("up", "bed", "suite[processes]")
# Folders whose files take seconds and wait for no process.
SHORT: Final = ("tests/architecture", "tests/contracts", "tests/services")


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
    """The tests in groups: expensive ones first, and those that mostly compute last."""
    groups: dict[str, list[pytest.Item]] = {name: [] for name in EXPENSIVE}
    for item in items:
        groups.setdefault(group_of(item), []).append(item)
    return [groups[name] for name in in_order(groups) if groups[name]]


def in_order(names: Iterable[str]) -> list[str]:
    """The names of groups, long ones before short ones, so that all processes end together."""
    return sorted(names, key=lambda name: name.startswith(SHORT))


def take_number(counter: Path) -> int:
    """Take the next number of a counter that several processes share."""
    with counter.open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        number = int(file.read() or 0)
        file.seek(0)
        file.write(str(number + 1))
        file.flush()
        return number


def claimed(
    groups: list[list[pytest.Item]], counter: Path
) -> Iterator[list[pytest.Item]]:
    """The groups that this process gets, one after the other."""
    while (number := take_number(counter)) < len(groups):
        yield groups[number]


def codes_file(counter: Path) -> Path:
    """Where the first process writes how the others ended."""
    return counter.with_suffix(".codes")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Run the tests that the queue gives; without a queue, leave it to pytest."""
    name = os.environ.get(COUNTER)
    if name is None or session.config.option.collectonly or session.testsfailed:
        return None
    counter = Path(name)
    processes = int(os.environ.get(PROCESSES, "1"))
    forked = forks.fork(session.config, counter.parent, processes)
    try:
        _run(session, claimed(groups_of(session.items), counter))
    finally:
        if forked:
            codes_file(counter).write_text(json.dumps(forks.exit_codes(forked)))
    return True


def _run(session: pytest.Session, groups: Iterator[list[pytest.Item]]) -> None:
    for group in groups:
        # Fixtures outlive a test when the next one uses them as well; of the last test's,
        # those of the session stay.
        for item, following in zip(group, [*group[1:], session], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.shouldstop or session.shouldfail:
                return
        _release(group)


def _release(group: list[pytest.Item]) -> None:
    """Stop what an expensive group started, which takes a core's time also when idle."""
    last = group[-1]
    name, _, _ = group_of(last).partition("[")
    last._initrequest()
    for fixture in last._fixtureinfo.name2fixturedefs.get(name, ()):
        fixture.finish(last._request)
