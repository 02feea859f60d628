"""Rebuild the index from the feed while the old one serves."""

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
from clp_search.index.live_index import LiveIndex
from clp_search.projection import MessagesProjection

log = logging.getLogger(__name__)

PROGRESS: Final = "rebuild.json"
# Run so long at a time, so that a stopping service need not wait.
MAX_STEP_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class RebuildProgress:
    """The changes applied to the index being built, and how many there are."""

    position: int
    of: int


class IndexRebuild:
    """Feeds the index being built, and switches to it when it has caught up."""

    def __init__(
        self,
        index: LiveIndex,
        projection_of: Callable[[Engine], MessagesProjection],
        *,
        folder: Path,
    ) -> None:
        self._index = index
        self._projection_of = projection_of
        self._progress = folder / PROGRESS
        self._progress.unlink(missing_ok=True)
        self.progress: RebuildProgress | None = None

    def work(self) -> None:
        """Run one slice of a rebuild, if one is in progress."""
        building = self._index.building
        if building is None:
            return
        projection = self._projection_of(building.engine)
        until = time.monotonic() + MAX_STEP_S
        try:
            while not (level := self._read_batch(projection)):
                if time.monotonic() >= until:
                    break
        except (CallFailed, Refused, IndexDamaged, OSError) as error:
            log.warning("the rebuild of the index is paused: %s", type(error).__name__)
            return
        self._save_progress(projection)
        if level:
            self._index.switch()
            log.info("the index is rebuilt, up to position %s", self._index.cursor())
            self.progress = None
            self._progress.unlink(missing_ok=True)

    def _read_batch(self, projection: MessagesProjection) -> bool:
        """Apply a batch; return true when the new index is level with the old one."""
        changes = projection.fetch(projection.cursor()).changes
        if changes:
            try:
                projection.apply(changes)
            except (CallFailed, Refused, OSError):
                raise
            except Exception:
                log.exception("the rebuild retries one change at a time")
                for change in changes:
                    self._apply_alone(projection, change)
        return projection.cursor() >= self._index.cursor()

    def _apply_alone(self, projection: MessagesProjection, change: Change) -> None:
        try:
            projection.apply((change,))
        except (CallFailed, Refused, OSError):
            raise
        except Exception as error:
            log.exception("the rebuild makes change %s a dead letter", change.position)
            projection.add_dead_letter(change, type(error).__name__)

    def _save_progress(self, projection: MessagesProjection) -> None:
        """Save the progress for an operator command in another process."""
        position = projection.cursor()
        self.progress = RebuildProgress(position, max(position, self._index.cursor()))
        draft = self._progress.with_suffix(".new")
        draft.write_text(json.dumps([position, self.progress.of]), encoding="utf-8")
        draft.replace(self._progress)


def read_progress(folder: Path) -> RebuildProgress | None:
    """Read the progress of the process that serves a folder; None without a rebuild."""
    try:
        position, of = json.loads((folder / PROGRESS).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return RebuildProgress(int(position), int(of))
