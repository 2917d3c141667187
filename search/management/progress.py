"""A job's progress in the terminal: a bar with the time left, or plain lines where there is no terminal."""

import time
from types import TracebackType
from typing import TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from search.models import Job

_BETWEEN_LINES = 5.0  # seconds


class JobProgress:
    """A context manager to pass to `run_in_foreground` as its report."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._console = Console(file=stream)
        self._bar: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._last_line = 0.0

    def __enter__(self) -> "JobProgress":
        if self._console.is_terminal:
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TextColumn("left"),
                TimeRemainingColumn(),
                TextColumn("{task.fields[message]}"),
                console=self._console,
            )
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, job: Job) -> None:
        if self._bar is not None:
            self._draw(self._bar, job)
        elif job.total and (job.is_finished or time.monotonic() - self._last_line >= _BETWEEN_LINES):
            self._last_line = time.monotonic()
            self._stream.write(f"{job.title}: {job.done:,} of {job.total:,} {job.message}".rstrip() + "\n")
            self._stream.flush()

    def _draw(self, bar: Progress, job: Job) -> None:
        key = str(job.pk)
        if key not in self._tasks:
            self._tasks[key] = bar.add_task(job.title, total=None, message="")
        bar.update(self._tasks[key], completed=job.done, total=job.total or None, message=job.message)
