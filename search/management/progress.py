"""Progress of jobs in the terminal, with the time left."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.text import Text

from search.models import Job, JobState
from search.services.jobs import run_in_foreground

MARKS = {
    JobState.QUEUED: "waiting",
    JobState.RUNNING: "",
    JobState.DONE: "[green]done[/]",
    JobState.FAILED: "[red]failed[/]",
    JobState.CANCELLED: "[yellow]cancelled[/]",
}


class TimeLeft(ProgressColumn):
    """The job's own estimate, which knows where a resumed attempt began."""

    def render(self, task: Task) -> Text:
        seconds = task.fields["seconds_left"]
        if seconds is None:
            return Text("")
        minutes, rest = divmod(int(seconds), 60)
        return Text(f"{minutes}:{rest:02d} left")


class JobBoard:
    """Lines of the terminal, one per job; ``show`` is what `run_in_foreground` reports to."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._lines: dict[str, TaskID] = {}

    def show(self, job: Job) -> None:
        line = self._lines.get(str(job.pk))
        if line is None:
            line = self._progress.add_task(job.title, total=None, note="", seconds_left=None)
            self._lines[str(job.pk)] = line
        note = MARKS[JobState(job.state)] or job.message
        left = job.seconds_left(now=timezone.now())
        self._progress.update(
            line,
            completed=job.done,
            total=job.total or None,
            note=note,
            seconds_left=left,
        )


@contextmanager
def job_board(console: Console | None = None) -> Iterator[JobBoard]:
    """A live board on the terminal; elsewhere its last state is printed."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeLeft(),
    )
    with Progress(*columns, console=console) as progress:
        yield JobBoard(progress)


def run_jobs(jobs: Iterator[Job]) -> list[Job]:
    """Run jobs one after the other in the foreground, shown on a board; those that did not end as done."""
    with job_board() as board:
        ended = [run_in_foreground(job=job, report=board.show) for job in jobs]
    return [job for job in ended if job.state != JobState.DONE]
