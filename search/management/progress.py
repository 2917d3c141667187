"""A job's progress in the terminal: a bar with the time left, or plain lines where there is no terminal."""

import time
from types import TracebackType
from typing import Self, TextIO

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


class StepProgress:
    """A context manager to call with a title, steps done and steps in all."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._console = Console(file=stream)
        self._bar: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._last_line = 0.0

    def __enter__(self) -> Self:
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

    def __call__(self, title: str, done: int, total: int) -> None:
        self.show(title, title, done, total, "", is_last=done == total)

    def show(self, key: str, title: str, done: int, total: int, message: str, *, is_last: bool) -> None:
        if self._bar is not None:
            if key not in self._tasks:
                self._tasks[key] = self._bar.add_task(title, total=None, message="")
            self._bar.update(self._tasks[key], completed=done, total=total or None, message=message)
        elif total and (is_last or time.monotonic() - self._last_line >= _BETWEEN_LINES):
            self._last_line = time.monotonic()
            self._stream.write(f"{title}: {done:,} of {total:,} {message}".rstrip() + "\n")
            self._stream.flush()


class JobProgress:
    """A context manager to pass to `run_in_foreground` as its report."""

    def __init__(self, stream: TextIO) -> None:
        self._steps = StepProgress(stream)

    def __enter__(self) -> Self:
        self._steps.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._steps.__exit__(kind, error, trace)

    def __call__(self, job: Job) -> None:
        self._steps.show(str(job.pk), job.title, job.done, job.total, job.message, is_last=job.is_finished)
