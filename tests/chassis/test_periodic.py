"""Chores: done at the start and again by the clock, whatever happens in between."""

from collections.abc import Callable

from nameko.containers import ServiceContainer

from clp_chassis.concurrency.periodic import Chore
from tests.waiting import until

DONE: list[str] = []


def _stumbles_once(_container: object) -> Callable[[], None]:
    def chore() -> None:
        DONE.append("turn")
        if len(DONE) == 1:
            raise ValueError("the first turn stumbles")

    return chore


class TidyService:
    name = "tidy"
    chore = Chore(_stumbles_once, every_s=0.01)


def test_a_chore_that_failed_has_its_next_turn() -> None:
    DONE.clear()
    container = ServiceContainer(TidyService, {})
    container.start()
    until(lambda: len(DONE) >= 3)
    container.stop()
    container.wait()  # raises what ended it, had anything
