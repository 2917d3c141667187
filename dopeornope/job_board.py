"""The jobs in the terminal of `play`: a bar per running one, a line per ended one, messages above them."""

from datetime import datetime
from types import TracebackType
from uuid import UUID

from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.text import Text

from search.models import Job, JobState

ENDED = {
    JobState.DONE: "[green]✓[/]",
    JobState.FAILED: "[red]✗[/]",
    JobState.CANCELLED: "[yellow]–[/]",
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
    """A context manager; ``look`` reads the jobs and draws what is new."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[message]}"),
            TimeLeft(),
            console=console,
            disable=not console.is_terminal,
        )
        self._bars: dict[str, TaskID] = {}
        self._since = timezone.now()
        self._said: set[tuple[UUID, datetime | None]] = set()

    def __enter__(self) -> "JobBoard":
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def say(self, message: str) -> None:
        self._progress.console.print(message, highlight=False, soft_wrap=True)

    def look(self) -> None:
        """Draw the unfinished jobs, and say how others ended since the board was made.

        Quick ones begin and end between two looks.
        """
        unfinished = {str(job.pk): job for job in Job.objects.unfinished()}
        for job in Job.objects.filter(finished_at__gte=self._since).order_by("finished_at"):
            if (job.pk, job.finished_at) not in self._said:
                self._said.add((job.pk, job.finished_at))
                self._end(job)
        for key, job in unfinished.items():
            if job.state == JobState.RUNNING:
                self._draw(key, job)

    def _draw(self, key: str, job: Job) -> None:
        if key not in self._bars:
            self._bars[key] = self._progress.add_task(job.title, total=None, message="", seconds_left=None)
        self._progress.update(
            self._bars[key],
            completed=job.done,
            total=job.total or None,
            message=job.message,
            seconds_left=job.seconds_left(now=timezone.now()),
        )

    def _end(self, job: Job) -> None:
        bar = self._bars.pop(str(job.pk), None)
        if bar is not None:
            self._progress.remove_task(bar)
        reason = f": {job.reason}" if job.reason else ""
        self.say(f"{ENDED[JobState(job.state)]} {job.title}{reason}")
