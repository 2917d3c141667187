"""What trainings leave behind to go on from: kept as long as somebody may, deleted after that."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path

from search.models import JobState, Training
from search.services.training_folders import features_folder, key_of, list_folders

# After a training failed or was cancelled, or a measurement last wrote; asked for again, it then starts anew.
KEPT_FOR = timedelta(days=30)


def drop_leftovers(now: datetime) -> int:
    """Delete checkpoints of trainings that are over, and what nobody went on from for `KEPT_FOR`; how many.

    That of a queued or running training stays, however old it is.
    """
    folders = list(list_folders())
    ends = _list_ends() if folders else {}
    dropped = 0
    for folder in folders:
        state, ended = ends.get(folder.name, (None, None))
        if state in (JobState.QUEUED, JobState.RUNNING):
            continue
        last = _last_written(folder) if ended is None else ended.timestamp()
        if state == JobState.DONE or last < (now - KEPT_FOR).timestamp():
            shutil.rmtree(folder, ignore_errors=True)  # another sweeper may be at it
            dropped += 1
    return dropped + _drop_unfinished_features(now)


def _list_ends() -> dict[str, tuple[str | None, datetime | None]]:
    """State and end of every training's job, by the name of its folder; None: it has no job any more."""
    rows = Training.objects.values_list("fingerprint", "job__state", "job__finished_at")
    return {key_of(fingerprint): (state, finished) for fingerprint, state, finished in rows}


def _last_written(folder: Path) -> float:
    """Seconds since the epoch."""
    return max((path.stat().st_mtime for path in (folder, *folder.iterdir()) if path.exists()), default=0.0)


def _drop_unfinished_features(now: datetime) -> int:
    """What is whole is bounded by `search.engine.training.features.keep_newest`."""
    dropped = 0
    for path in features_folder().glob("*.partial"):
        if path.stat().st_mtime < (now - KEPT_FOR).timestamp():
            path.unlink(missing_ok=True)
            path.with_name(path.name.removesuffix("partial") + "marks").unlink(missing_ok=True)
            dropped += 1
    return dropped
