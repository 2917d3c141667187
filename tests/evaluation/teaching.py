"""What people said of questions that may teach, and encoders in charge that it is taught to."""

from datetime import datetime
from typing import Any

import numpy as np
from django.db.models import F
from numpy.typing import NDArray

from evaluation.models import (
    Answer,
    Contender,
    Deal,
    Modality,
    Pair,
    Player,
    Promotion,
    Retraining,
    Round,
    Side,
    Vote,
)
from evaluation.services.deals import new_id
from evaluation.services.promotions import appoint
from evaluation.services.retrainings import Asked, start_retraining
from evaluation.stats.places import LESSON
from search.models import Catalogue, Item, Job, JobState, Metric, Split
from search.services.retraining import find_parent
from search.services.training_wishes import TrainingRefused
from tests.factories import NOW
from tests.search.spaces import make_space
from tests.trainings import make_trained

PARENT = "thimble-transfer"  # shipped with the project, so it can be taught


def say(
    player: Player,
    question: Item,
    candidate: Item,
    answer: str,
    *,
    at: datetime = NOW,
    settled: bool = True,
    policy: str = LESSON,
) -> Vote:
    """A vote on one card, in a round of its own that is revealed, or not."""
    pair, _ = Pair.objects.get_or_create(
        question=question,
        candidate=candidate,
        words="",
        defaults={"catalogue_id": question.catalogue_id, "split": question.split},
    )
    round_ = Round.objects.create(
        id=new_id(),
        catalogue_id=question.catalogue_id,
        player=player,
        holder="",
        created_at=at,
        revealed_at=at if settled else None,
    )
    deal = Deal.objects.create(
        pk=new_id(),
        pair=pair,
        round=round_,
        player=player,
        place=1,
        side=Side.QUESTION_FIRST,
        policy=policy,
        policy_version="1",
        propensity=0.1,
        issued_at=at,
        expires_at=at,
    )
    Pair.objects.filter(pk=pair.pk).update(**{f"{answer}s": F(f"{answer}s") + 1})
    return Vote.objects.create(
        deal=deal, answer=Answer(answer), dwell_ms=900, modality=Modality.KEY, cast_at=at
    )


def list_trainable(catalogue: Catalogue) -> list[Item]:
    return list(catalogue.items.filter(split=Split.TRAINABLE).order_by("position"))


def teach(catalogue: Catalogue, *, questions: int = 3, at: datetime = NOW) -> list[Vote]:
    """One player approves of one candidate of each question, another not of another one."""
    one, other = (Player.objects.create(created_at=NOW) for _ in range(2))
    items = list_trainable(catalogue)
    said = []
    for number in range(questions):
        question, near, far = items[number], items[number - 1], items[number - 2]
        said += [say(one, question, near, "dope", at=at), say(other, question, far, "nope", at=at)]
    return said


def make_standing(catalogue: Catalogue, encoder: str = PARENT, *, vectors: Any = None) -> Contender:
    """A contender under L2 that stands on the board, with an index over these vectors, or over drawn ones."""
    count = catalogue.items.count()
    drawn = np.random.default_rng(1).normal(size=(count, 4)) if vectors is None else vectors
    make_space(catalogue, encoder, vectors=drawn, family="trained", version=_say_version(encoder))
    # Spaces enter by the clock; what is told here happens at NOW.
    Contender.objects.filter(catalogue=catalogue, encoder=encoder).update(entered_at=NOW)
    return Contender.objects.get(catalogue=catalogue, encoder=encoder, metric=Metric.L2)


def _say_version(encoder: str) -> str:
    """That of the network of this name; any where there is none."""
    try:
        return find_parent(encoder).version
    except TrainingRefused:
        return "1"


def see_kinds(catalogue: Catalogue, *, seed: int) -> NDArray[np.float64]:
    """Vectors, (items, 6), of an encoder that tells categories apart, and within them sees by ``seed``."""
    kinds = {kind: number for number, kind in enumerate(sorted(set(_list_kinds(catalogue))))}
    plain = 9 * np.eye(3)[[kinds[kind] for kind in _list_kinds(catalogue)]]
    return np.hstack([plain, np.random.default_rng(seed).normal(size=(len(plain), 3))])


def _list_kinds(catalogue: Catalogue) -> list[int]:
    return list(catalogue.items.order_by("position").values_list("category_id", flat=True))


def put_in_charge(catalogue: Catalogue, contender: Contender) -> Promotion:
    return appoint(catalogue, contender, by="olga", now=NOW)


def start(catalogue: Catalogue, *, now: datetime = NOW, **asked: Any) -> Retraining:
    return start_retraining(catalogue, Asked(**{"by": "olga", "period": f"{now}", **asked}), now=now)


def finish(retraining: Retraining) -> None:
    """Its training has published what it made."""
    assert retraining.training is not None
    make_trained(retraining.training, kind="transfer")


def fail(retraining: Retraining, reason: str) -> None:
    """Its training cannot succeed."""
    assert retraining.training is not None
    Job.objects.filter(pk=retraining.training.job_id).update(
        state=JobState.FAILED, reason=reason, finished_at=NOW
    )
