"""R2: a process that keeps memory or files is noticed, one that breathes is not."""

import os
from pathlib import Path

import pytest

from tests.faults.growth import WARM_AFTER_S, Growth, Held, held_by


def growth_of(*seen: tuple[float, int]) -> Growth:
    """A process that was looked at every half a minute, after it had become warm."""
    growth = Growth()
    growth.note("messages.0", 1, Held(0.0, 1.0, 1))
    for number, (mib, files) in enumerate(seen):
        growth.note("messages.0", 1, Held(WARM_AFTER_S + 30 * number, mib, files))
    return growth


@pytest.mark.parametrize(
    "seen",
    [
        [(100, 30)] * 6,
        [(100, 30), (130, 90), (101, 30), (160, 95), (104, 30), (150, 80)],
        [(100, 30), (100, 30), (102, 31), (104, 30)],
        [(100, 30)],
    ],
    ids=["stands still", "breathes", "grows by less", "was seen once"],
)
def test_a_process_that_lets_go_is_left_in_peace(seen: list[tuple[float, int]]) -> None:
    assert growth_of(*seen).broken() == []


def test_a_process_that_keeps_memory_is_noticed() -> None:
    (line,) = growth_of((100, 30), (101, 30), (109, 30), (112, 30)).broken()
    assert "grew from 101.0 to 109.0 MiB" in line


def test_a_process_that_keeps_files_open_is_noticed() -> None:
    (line,) = growth_of((100, 30), (100, 31), (100, 32), (100, 33)).broken()
    assert "keeps 32 files open and had 31" in line


def test_what_a_process_takes_until_it_is_warm_is_no_growth() -> None:
    assert growth_of((100, 30), (100, 30)).broken() == []
    assert list(growth_of((100, 30), (100, 30)).figures()) == ["messages.0 (1)"]


def test_what_this_process_holds_is_seen_and_a_process_that_is_gone_is_not() -> None:
    held = held_by(os.getpid())
    assert held is not None
    with Path(os.devnull).open() as _:
        more = held_by(os.getpid())
    assert more is not None
    assert (more.files - held.files, held.rss_mib > 5) == (1, True)
    assert held_by(2**22 + 1) is None
