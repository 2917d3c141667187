"""Plain functions that make what trainings learn from, and trainings as they stand at any time."""

import math
from typing import Any

from django.conf import settings

from search.engine.encoders.trained import version_of
from search.engine.encoders.trained_files import write_trained
from search.models import Aspect, Attribute, Catalogue, Item, Job, JobState, Label, Training
from tests.factories import NOW, make_catalogue

COLOURS = ("black", "red", "green")


def make_lessons(*, items: int = 24, slug: str = "demo", with_images: bool = False, **how: Any) -> Catalogue:
    """A ready catalogue whose items are labelled with the category "kind" and with "colour"."""
    catalogue = make_catalogue(items=items, slug=slug, with_images=with_images, **how)
    colour = Aspect.objects.create(catalogue=catalogue, name="colour", position=1)
    colours = Attribute.objects.bulk_create(Attribute(aspect=colour, value=value) for value in COLOURS)
    for item in Item.objects.filter(catalogue=catalogue):
        for attribute in (item.category, colours[item.position // 2 % len(colours)]):
            Label.objects.create(item=item, attribute=attribute)
    return catalogue


def make_training(
    catalogue: Catalogue, *, kind: str = "transfer", name: str = "pupil", job: Any = None, **fields: Any
) -> Training:
    """A training with its job, of the columns given. What it would learn from is not looked at."""
    training = Training.objects.create(
        **{
            "name": name,
            "kind": kind,
            "catalogue": catalogue,
            "catalogue_hash": catalogue.content_hash,
            "fingerprint": f"{kind} {name} {Training.objects.count()}",
            "created_at": NOW,
        }
        | fields
    )
    training.job = Job.objects.create(
        **{
            "kind": "train",
            "queue": "ml",
            "arguments": {"training": training.pk},
            "idempotency_key": f"train:{training.pk}",
            "title": f"Train {name} ({kind})",
            "catalogue": catalogue,
            "created_at": NOW,
        }
        | (job or {})
    )
    training.save()
    return training


def make_curve(*, steps: int, judged_every: int, **measures: list[float]) -> list[dict[str, Any]]:
    """Points as a job stores them: the loss falls; the n-th judgement has each measure's n-th value."""
    points = []
    for step in range(10, steps + 1, 10):
        turn = step // judged_every - 1
        judged = {name: values[turn] for name, values in measures.items()} if step % judged_every == 0 else {}
        points.append({"step": step, "loss": 4 * math.exp(-step / 80), "rate": 0.001, "measures": judged})
    return points


def make_trained(training: Training, *, weights: bytes = b"weights", **card: Any) -> Training:
    """The training as it stands once its encoder is published."""
    written = write_trained(
        settings.TRAINED_FOLDER / training.name,
        weights,
        {
            "name": training.name,
            "kind": training.kind,
            "architecture": {"kind": training.kind, "backbone": "thimble", "side": 112, "width": 64},
            "lineage": {"learned": 1234, "validation": 120, "held_out": 300, "device": "cpu", "versions": {}},
            "stopped_early": False,
            "held_out_measures": {},
            **card,
        },
    )
    training.encoder_version, training.ready_at = version_of(written), NOW
    training.save()
    Job.objects.filter(pk=training.job_id).update(state=JobState.DONE, finished_at=NOW)
    return training


def make_card(catalogue: Catalogue, kind: str) -> dict[str, Any]:
    """What the card of a "csn" or "aspects" encoder shows of the aspects "kind" and "colour"."""
    aspects = ("kind", "colour")
    images = list(catalogue.items.values_list("image_sha256", flat=True))
    lines = [images[start : start + 6] for start in (0, 1, 4)]
    shown = {
        "aspects": [{"name": name, "values": []} for name in aspects],
        "alike": [{"aspect": name, "images": lines} for name in aspects],
    }
    if kind == "csn":
        masks = [[0.02, 0.4, 0.1, 0.0] * 16, [0.3, 0.0, 0.1, 0.0] * 16]
        return {**shown, "masks": masks}
    bins = [
        {"count": 12, "confidence": 0.45, "accuracy": 0.25},
        {"count": 60, "confidence": 0.7, "accuracy": 0.75},
        {"count": 228, "confidence": 0.97, "accuracy": 0.95},
    ]
    calibration = [{"aspect": "kind", "bins": bins}, {"aspect": "colour", "bins": bins[1:]}]
    return {**shown, "temperatures": [1.43, 0.8], "calibration": calibration}
