"""Building the index anew from the feed while the old one serves."""

import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from clp_contracts.errors import CallFailed, Refused
from clp_contracts.feed import Change
from clp_search.engine import Engine, IndexDamaged
from clp_search.index.live_index import ServingIndex
from clp_search.projection import MessagesProjection

log = logging.getLogger(__name__)

PROGRESS: Final = "rebuild.json"
# So long at a time, so that a service that is asked to end need not wait.
TURN_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Built:
    """How many changes the index in the making was told, and how many there are."""

    position: int
    of: int


class Rebuilding:
    """Feeds an index in the making, and lets it serve when it is level."""

    def __init__(
        self,
        index: ServingIndex,
        projection_of: Callable[[Engine], MessagesProjection],
        *,
        folder: Path,
    ) -> None:
        self._index = index
        self._projection_of = projection_of
        self._progress = folder / PROGRESS
        self._progress.unlink(missing_ok=True)
        self.built: Built | None = None

    def work(self) -> None:
        """Do a turn of work, if an index is to be built."""
        building = self._index.building
        if building is None:
            return
        projection = self._projection_of(building.engine)
        until = time.monotonic() + TURN_S
        try:
            while not (level := self._read_batch(projection)):
                if time.monotonic() >= until:
                    break
        except (CallFailed, Refused, IndexDamaged, OSError) as trouble:
            log.warning("building the index waits: %s", type(trouble).__name__)
            return
        self._tell(projection)
        if level:
            self._index.switch()
            log.info(
                "the index was built anew, up to position %s", self._index.cursor()
            )
            self.built = None
            self._progress.unlink(missing_ok=True)

    def _read_batch(self, projection: MessagesProjection) -> bool:
        """Read on; true when everything that the other index was told is in."""
        changes = projection.fetch(projection.cursor()).changes
        if changes:
            try:
                projection.apply(changes)
            except (CallFailed, Refused, OSError):
                raise
            except Exception:
                log.exception("building the index goes one change at a time")
                for change in changes:
                    self._apply_alone(projection, change)
        return projection.cursor() >= self._index.cursor()

    def _apply_alone(self, projection: MessagesProjection, change: Change) -> None:
        try:
            projection.apply((change,))
        except (CallFailed, Refused, OSError):
            raise
        except Exception as error:
            log.exception("building the index sets change %s aside", change.position)
            projection.set_aside(change, type(error).__name__)

    def _tell(self, projection: MessagesProjection) -> None:
        """Leave word of the progress, also for a command in another process."""
        position = projection.cursor()
        self.built = Built(position, max(position, self._index.cursor()))
        draft = self._progress.with_suffix(".new")
        draft.write_text(json.dumps([position, self.built.of]), encoding="utf-8")
        draft.replace(self._progress)


def built_so_far(folder: Path) -> Built | None:
    """What the process that serves a folder told last; None when it builds nothing."""
    try:
        position, of = json.loads((folder / PROGRESS).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return Built(int(position), int(of))
