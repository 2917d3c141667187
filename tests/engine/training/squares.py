"""Something easy to learn: squares of a colour and a size, in two views, and trainings of seconds."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import torch

from search.engine.training.checkpoints import CheckpointFile
from search.engine.training.kinds import prepare_lesson
from search.engine.training.loop import fit
from search.engine.training.samples import Aspect, Division, Labels, PictureViews, Samples
from search.engine.training.settings import ENCODERS

SIDE = 32
COLOURS = {"red": (210, 40, 40), "green": (40, 170, 60), "blue": (50, 60, 200), "black": (20, 20, 20)}
ASPECTS = (Aspect("colour", tuple(COLOURS)), Aspect("size", ("small", "large")))
CPU = torch.device("cpu")
KINDS = tuple(ENCODERS)
# Small enough for a test, large enough to learn something.
SMALL = {
    "transfer": {"batch": 8, "hidden": 16, "dropout": 0.2},
    "aspects": {"batch": 8, "hidden": 16},
    "csn": {"items": 10, "dimensions": 8, "triplets": 8},
    "siamese": {"queries": 6, "in_class": 3, "out_of_class": 1, "dimensions": 8, "pool": 4},
}


def draw_labels(count, seed=0, *, missing=0.0):
    """Colours and sizes at random; a share of each is not known."""
    generator = np.random.default_rng(seed)
    table = np.stack([generator.integers(0, len(a.values), count) for a in ASPECTS], axis=1)
    table[generator.random(table.shape) < missing] = -1
    return Labels(ASPECTS, table.astype(np.int64))


def paint(labels, seed=0, *, ground=(250, 250, 250), shade=0):
    """A square of each item's colour and size somewhere in its picture; what is not known is drawn."""
    generator = np.random.default_rng([seed, 7])
    pictures = np.empty((len(labels.table), SIDE, SIDE, 3), np.uint8)
    pictures[:] = ground
    for picture, (colour, size) in zip(pictures, labels.table.tolist(), strict=True):
        colour = generator.integers(len(COLOURS)) if colour < 0 else colour
        size = generator.integers(2) if size < 0 else size
        side = (8, 20)[size]
        top, left = generator.integers(0, SIDE - side, 2)
        tint = np.array(list(COLOURS.values())[colour]) + shade
        picture[top : top + side, left : left + side] = tint.clip(0, 255)
    return pictures


def views(pictures):
    """Pictures in memory as a view."""
    return PictureViews(SimpleNamespace(read=lambda rows: pictures[rows]), CPU)


def draw_samples(count=48, seed=0, *, missing=0.0):
    """Two views of ``count`` squares: on white, and darker on a brownish ground elsewhere in the picture."""
    labels = draw_labels(count, seed, missing=missing)
    rows = np.arange(count)
    learned, validation, held_out = rows[: count // 2], rows[count // 2 : -count // 4], rows[-count // 4 :]
    return Samples(
        catalogue=views(paint(labels, seed)),
        lifestyle=views(paint(labels, seed + 1, ground=(120, 100, 80), shade=-15)),
        has_lifestyle=np.ones(count, bool),
        labels=labels,
        division=Division(learned, validation, held_out),
        device=CPU,
    )


def draw_twins(count=48):
    """Each item has a colour of its own, in both views, and the category is its size."""
    generator = np.random.default_rng(5)
    own = generator.integers(0, 256, (count, 1, 1, 3))
    size = np.arange(count) % 2
    catalogue = np.full((count, SIDE, SIDE, 3), 250, np.uint8)
    catalogue[:, 8:24, 8:24] = own
    lifestyle = np.full((count, SIDE, SIDE, 3), 130, np.uint8)
    lifestyle[:, 4:20, 10:26] = own * 0.9
    rows = np.arange(count)
    return Samples(
        catalogue=views(catalogue),
        lifestyle=views(lifestyle),
        has_lifestyle=np.ones(count, bool),
        labels=Labels((ASPECTS[1],), size[:, None].astype(np.int64)),
        division=Division(rows[: count // 2], rows[count // 2 :], rows[:0]),
        device=CPU,
    )


def settings_of(kind, **changes):
    """Settings of a kind for a training of moments."""
    common = {"side": SIDE, "steps": 8, "validate_every": 4, "checkpoint_every": 3, "averaging": 0.5}
    return ENCODERS[kind](**(common | SMALL[kind] | changes))


def prepare(kind, settings, samples, *, copies=None, featurise=None, straighten=None, weights=None):
    """A lesson without near duplicates, unless told."""
    if kind == "transfer":
        samples = replace(samples, labels=samples.labels.of((samples.labels.aspects[0].name,)))
    count = len(samples.labels.table)
    copies = np.arange(count) if copies is None else copies
    return prepare_lesson(
        kind,
        settings,
        samples,
        copies=copies,
        featurise=featurise or refuse,
        straighten=straighten or refuse,
        weights=weights,
    )


def refuse(*_):
    raise AssertionError("this trunk is not frozen, and nothing is turned upright")


def train(kind, settings, samples, *, path=None, report=lambda _: None, **how):
    """Prepare and fit; returns the lesson and how it ended."""
    lesson = prepare(kind, settings, samples, **how)
    checkpoint = CheckpointFile(path, {"of": "squares"})
    return lesson, fit(lesson.learner, settings, checkpoint=checkpoint, report=report, device=CPU)


class Killed(BaseException):
    """Stands for kill -9: nothing in the loop catches it."""


def kill_at(step):
    """A report that kills the run after a step."""

    def report(progress):
        if progress.step == step:
            raise Killed

    return report


def assert_equal_weights(one, other):
    """Bit for bit."""
    first, second = one.state_dict(), other.state_dict()
    assert first.keys() == second.keys()
    assert [name for name in first if not torch.equal(first[name], second[name])] == []
