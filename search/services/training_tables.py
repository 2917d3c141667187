"""Which models each kind's table compares: the trained one, its variants and what anybody could have had."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from search.engine.encoders import create_encoder
from search.engine.images import load_picture, load_rgb
from search.engine.perceptual_hash import perceptual_hash
from search.engine.training.exams import (
    Answers,
    embed_all,
    embed_views,
    examine_chance,
    examine_matches,
    examine_predictions,
    examine_triplets,
    examine_views,
    rank_at_random,
)
from search.engine.training.kinds import Lesson
from search.engine.training.samples import MISSING
from search.engine.training.settings import CsnSettings, PictureSettings, SiameseSettings, TransferSettings
from search.selectors.catalogues import image_path
from search.services.training_session import Session
from search.services.training_wishes import TrainingRefused

CLASSICAL = ("colour-histogram", "gradient-histogram")
MOST_COMMON = 22  # categories of Datascope's second network, of 50
SIZES = (512, 1536, 2048)  # of Grid Dynamics' embeddings, beside the 256 of `siamese`
ITEMS_PER_CATEGORY = 100
AT_ONCE = 64


@dataclass(frozen=True)
class TrainedModel:
    """A network to train and to examine. ``aspects`` None: all of the table's."""

    name: str
    settings: PictureSettings
    examine: Callable[[Session, Lesson], list[Answers]]
    aspects: tuple[str, ...] | None = None
    untrained: bool = False


@dataclass(frozen=True)
class Baseline:
    """What needs no training: answers once, whatever the seed."""

    name: str
    answer: Callable[[Session], list[Answers]]


Model = TrainedModel | Baseline


def list_models(kind: str, settings: PictureSettings, session: Session) -> list[Model]:
    """The models of a kind's table, over what the session knows of the catalogue.

    Raises ``TrainingRefused`` where there is nothing to measure a csn by.
    """
    match settings:
        case TransferSettings():
            return _list_transfer(settings, session)
        case SiameseSettings():
            return _list_siamese(settings)
        case CsnSettings():
            return _list_csn(settings, session)
    return [TrainedModel(kind, settings, _examine_predictions)]


def require_questions(session: Session) -> None:
    """Refuse a catalogue whose held-out items leave nothing to ask. Raises ``TrainingRefused``."""
    title, labels, rows = session.plan.catalogue.title, session.labels, session.division.held_out
    if session.plan.kind == "siamese":
        known = labels.table[session.seen_twice(), 0]
        if not len(known) or np.bincount(known).max() < ITEMS_PER_CATEGORY:
            raise TrainingRefused(
                f"No category of “{title}” has {ITEMS_PER_CATEGORY} held-out items with a lifestyle photo, "
                "among which one is looked for: import more items."
            )
        return
    if session.plan.kind == "csn":
        asked = [len(questions) for questions in session.triplets.questions()]
    else:
        asked = (labels.table[rows] != MISSING).sum(axis=0).tolist()
    for aspect, count in zip(labels.aspects, asked, strict=True):
        if not count:
            why = (
                "no triplet of the test file is of items that are not learned from"
                if session.plan.triplets is not None
                else f"held-out items of “{title}” are too few, or too much alike"
            )
            raise TrainingRefused(
                f"Nothing can be measured of “{aspect.name}”: {why}. "
                "Import more items, or name other aspects.",
                about="aspects",
            )


def _list_transfer(settings: TransferSettings, session: Session) -> list[Model]:
    [category] = session.labels.aspects
    # All of them are the most common where there are no more.
    top = MOST_COMMON if len(category.values) > MOST_COMMON else (len(category.values) + 1) // 2
    return [
        TrainedModel("transfer", settings, _examine_matches),
        TrainedModel("transfer-top", replace(settings, top=top), _examine_matches),
        *(Baseline(name, _examiner_of(name)) for name in CLASSICAL),
        Baseline("random", _examine_chance),
    ]


def _list_siamese(settings: SiameseSettings) -> list[Model]:
    return [
        TrainedModel("siamese", settings, _examine_views),
        *(
            TrainedModel(f"siamese-{size}", replace(settings, dimensions=size), _examine_views)
            for size in SIZES
            if size != settings.dimensions
        ),
        TrainedModel("siamese-shallow", replace(settings, shallow=True), _examine_views),
        TrainedModel("untrained", settings, _examine_views, untrained=True),
        Baseline("perceptual-hash", _examine_hashes),
        Baseline("chance", _examine_views_by_chance),
    ]


def _list_csn(settings: CsnSettings, session: Session) -> list[Model]:
    plain = replace(settings, masks_sum_to_one=False, magnitude_penalty=False, global_consistency=False)
    changes = {
        "masks-sum-to-one": replace(plain, masks_sum_to_one=True),
        "magnitude-penalty": replace(plain, magnitude_penalty=True),
        "global-consistency": replace(plain, global_consistency=True),
    }
    single = replace(plain, masks=False)
    names = tuple(aspect.name for aspect in session.labels.aspects)
    return [
        TrainedModel("csn", settings, _examine_triplets),
        TrainedModel("csn-plain", plain, _examine_triplets),
        *(TrainedModel(f"csn-{name}", changed, _examine_triplets) for name, changed in changes.items()),
        TrainedModel("triplet", single, _examine_triplets),
        *(TrainedModel("specialists", single, _examine_triplets, (name,)) for name in names),
    ]


def _examine_matches(session: Session, lesson: Lesson) -> list[Answers]:
    samples = session.samples()
    return _match(session, embed_all(lesson.network, samples))


def _match(session: Session, vectors: NDArray[np.float32]) -> list[Answers]:
    [category] = session.all_labels.aspects
    return [
        examine_matches(
            vectors,
            session.all_labels.table[:, 0],
            session.division.held_out,
            session.items.copies,
            aspect=category.name,
        )
    ]


def _examiner_of(encoder: str) -> Callable[[Session], list[Answers]]:
    def answer(session: Session) -> list[Answers]:
        opened = create_encoder(encoder, "cpu")
        images = session.items.images
        parts = [
            opened.encode([load_rgb(image_path(image)) for image in images[start : start + AT_ONCE]])
            for start in range(0, len(images), AT_ONCE)
        ]
        return _match(session, np.concatenate(parts))

    return answer


def _examine_chance(session: Session) -> list[Answers]:
    [category] = session.all_labels.aspects
    labels, asked = session.all_labels.table[:, 0], session.division.held_out
    return [examine_chance(labels, asked, session.items.copies, aspect=category.name)]


def _examine_views(session: Session, lesson: Lesson) -> list[Answers]:
    samples, rows = session.samples(), session.seen_twice()
    query, catalogue = embed_views(lesson.network, samples, rows)
    return examine_views(
        query, catalogue, samples.labels, rows, copies=session.items.copies, items=ITEMS_PER_CATEGORY
    )


def _examine_hashes(session: Session) -> list[Answers]:
    rows = session.seen_twice()
    query, catalogue = (
        np.stack([_hash_picture(images[row]) for row in rows])
        for images in (session.items.lifestyles, session.items.images)
    )
    return examine_views(
        query, catalogue, session.labels, rows, copies=session.items.copies, items=ITEMS_PER_CATEGORY
    )


def _hash_picture(image: str) -> NDArray[np.float32]:
    """64 bits as numbers: their squared distance is Hamming's."""
    value = perceptual_hash(load_picture(image_path(image)))
    return np.array([value >> place & 1 for place in range(64)], np.float32)


def _examine_views_by_chance(session: Session) -> list[Answers]:
    return rank_at_random(
        session.labels, session.seen_twice(), copies=session.items.copies, items=ITEMS_PER_CATEGORY
    )


def _examine_triplets(session: Session, lesson: Lesson) -> list[Answers]:
    samples = session.samples()
    return examine_triplets(lesson.network, samples, session.triplets.questions())


def _examine_predictions(session: Session, lesson: Lesson) -> list[Answers]:
    return examine_predictions(lesson.network, session.samples(), session.division.held_out)
