"""F2: a process that leaks memory or files is reported, one that fluctuates is not."""

import os
from pathlib import Path

import pytest

from tests.faults.growth import WARM_UP_S, Growth, ResourceUse, resources_of


def growth_of(*seen: tuple[float, int]) -> Growth:
    """Samples of a warm process, half a minute apart."""
    growth = Growth()
    growth.note("messages.0", 1, ResourceUse(0.0, 1.0, 1))
    for number, (mib, files) in enumerate(seen):
        growth.note("messages.0", 1, ResourceUse(WARM_UP_S + 30 * number, mib, files))
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
def test_a_process_that_frees_memory_is_not_reported(
    seen: list[tuple[float, int]],
) -> None:
    assert growth_of(*seen).broken() == []


def test_a_process_that_keeps_memory_is_reported() -> None:
    (line,) = growth_of((100, 30), (101, 30), (109, 30), (112, 30)).broken()
    assert "grew from 101.0 to 109.0 MiB" in line


def test_a_process_that_keeps_files_open_is_reported() -> None:
    (line,) = growth_of((100, 30), (100, 31), (100, 32), (100, 33)).broken()
    assert "keeps 32 files open and had 31" in line


def test_growth_before_the_warm_up_is_not_reported() -> None:
    assert growth_of((100, 30), (100, 30)).broken() == []
    assert list(growth_of((100, 30), (100, 30)).figures()) == ["messages.0 (1)"]


def test_a_running_process_is_measured_and_an_ended_one_is_not() -> None:
    resources = resources_of(os.getpid())
    assert resources is not None
    with Path(os.devnull).open() as _:
        more = resources_of(os.getpid())
    assert more is not None
    assert (more.files - resources.files, resources.rss_mib > 5) == (1, True)
    assert resources_of(2**22 + 1) is None
