"""Trainings as somebody asks for them, with what they leave behind and ways to stop them."""

import io
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.core.management import call_command

from search.engine.encoders import EncoderInfo
from search.engine.encoders.trained_files import read_trained_card
from search.models import Job, Training
from search.selectors.encoders import list_all_encoders
from search.services.jobs import cancel_job
from tests.factories import NOW
from tests.lessons import quick

ASPECTS = {"transfer": "", "siamese": "", "csn": "colour,neck line", "aspects": "colour,pattern"}


def command_line(kind: str = "transfer", *, name: str = "pupil", **changed: object) -> list[str]:
    told = quick(kind, **changed)
    pairs = [word for setting, value in told.items() for word in ("--set", f"{setting}={value}")]
    return [
        *("train", kind, "--catalogue", "school", "--name", name, "--device", "cpu"),
        *("--aspects", ASPECTS[kind], *pairs),
    ]


def call(*words: str) -> str:
    out = io.StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def card_of(name: str = "pupil") -> dict:
    return read_trained_card(settings.TRAINED_FOLDER / name)


def files_of(name: str = "pupil") -> dict[str, bytes]:
    folder = settings.TRAINED_FOLDER / name
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def encoders(name: str = "pupil") -> dict[str, EncoderInfo]:
    return {info.name: info for info in list_all_encoders() if info.network == name}


def checkpoint_of(training: Training) -> Path:
    [found] = settings.TRAINING_FOLDER.glob(f"{training.fingerprint[:16]}/checkpoint")
    return found


def at_step(number: int, do: Callable[[Job], object]) -> Callable[[Job], None]:
    """A report that does something once that many steps are done."""

    def report(job: Job) -> None:
        if job.done == number:
            do(job)

    return report


def cancel(job: Job) -> None:
    cancel_job(job=Job.objects.get(pk=job.pk), now=NOW)
