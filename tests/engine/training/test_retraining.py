"""A trained network is taught by triplets: it learns what they say, a little, and keeps the rest."""

import numpy as np
import pytest
import torch

from search.engine.trained_networks import Architecture
from search.engine.training.failures import TrainingFailed
from search.engine.training.retrained_vectors import retrain_vectors
from search.engine.training.retraining import (
    Lessons,
    RetrainingLearner,
    divide_lessons,
    measure_distances,
    prepare_pupil,
)
from search.engine.training.settings import RetrainSettings
from tests.engine.pupils import CSN, make
from tests.engine.training.squares import CPU, SIDE, draw_labels, paint, views

SIAMESE = Architecture("siamese", "thimble", SIDE, 8, shallow=True)
TRANSFER = Architecture("transfer", "thimble", SIDE, 16, values=(2,))


def draw_triplets(count: int, items: int, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return np.array([generator.choice(items, 3, replace=False) for _ in range(count)])


def order(vectors: np.ndarray, triplets: np.ndarray) -> Lessons:
    """Triplets with the nearer one first."""
    near, far = measure_distances(vectors, triplets)
    triplets = np.where((near < far)[:, None], triplets, triplets[:, [0, 2, 1]])
    return Lessons(triplets, np.ones(len(triplets), np.float32))


def agree(vectors: np.ndarray, lessons: Lessons) -> float:
    near, far = measure_distances(vectors, lessons.triplets)
    return float((near < far).mean())


@pytest.mark.parametrize("learn", ["masks", "head"])
def test_what_people_weigh_otherwise_is_learned_also_of_things_never_asked_about(learn: str) -> None:
    generator = np.random.default_rng(1)
    vectors = generator.normal(size=(300, 8)).astype(np.float32)
    taste = np.array([2, 2, 1, 1, 0.5, 0.5, 0.1, 0.1], np.float32)
    taught = order(vectors * taste, draw_triplets(1500, 200))
    unseen = order(vectors * taste, draw_triplets(1500, 100, seed=2) + 200)
    settings = RetrainSettings.learning(learn, {"steps": "200", "rate": "0.02"})
    found, fitted = retrain_vectors(vectors, taught, settings)
    assert agree(found, unseen) > agree(vectors, unseen) + 0.1
    assert fitted.best_step > 0


def test_where_nothing_is_to_be_gained_the_parent_stays_as_it_is() -> None:
    vectors = np.random.default_rng(1).normal(size=(60, 8)).astype(np.float32)
    lessons = order(vectors, draw_triplets(300, 60))
    found, fitted = retrain_vectors(vectors, lessons, RetrainSettings.learning("masks", {"steps": "50"}))
    assert fitted.best_step == 0 and fitted.measures == {"triplet_accuracy": 1.0}
    assert (found == vectors).all()


def test_a_triplet_counts_as_much_as_its_weight() -> None:
    """Two crowds want the opposite; the one whose triplets weigh more is heard."""
    vectors = np.random.default_rng(1).normal(size=(100, 2)).astype(np.float32)
    one, other = (order(vectors * np.array(taste), draw_triplets(600, 100)) for taste in ([3, 1], [1, 3]))
    both = Lessons(
        np.concatenate([one.triplets, other.triplets]),
        np.repeat(np.array([1, 9], np.float32), 600),
    )
    found, _ = retrain_vectors(vectors, both, RetrainSettings.learning("masks", {"steps": "200"}))
    assert agree(found, other) > agree(found, one)


@pytest.mark.parametrize(
    ("architecture", "learn"),
    [(CSN, "masks"), (CSN, "head"), (CSN, "all"), (SIAMESE, "head"), (TRANSFER, "head"), (TRANSFER, "all")],
)
def test_what_learns_changes_and_nothing_else(architecture: Architecture, learn: str) -> None:
    parent, network = make(architecture), make(architecture)
    pictures = paint(draw_labels(20))
    pupil = prepare_pupil(network, architecture, learn)
    seen = views(pictures)
    if learn != "all":
        with torch.no_grad():
            features = pupil.network.trunk(torch.from_numpy(pictures)).numpy()
        seen.changed = lambda rows, *_, **__: torch.from_numpy(features[rows])  # type: ignore[method-assign]
        seen.plain = seen.changed  # type: ignore[method-assign]
    settings = RetrainSettings.learning(learn, {"triplets": "8", "items": "9"})
    taught = divide_lessons(
        Lessons(draw_triplets(40, 20), np.ones(40, np.float32)), np.arange(20), share=0.3, seed=0
    )
    learner = RetrainingLearner(pupil.learning, seen, taught, settings, CPU)
    optimiser = torch.optim.SGD([one for one in pupil.network.parameters() if one.requires_grad], lr=0.5)
    learner.begin_step(0)
    learner.loss(0).backward()
    optimiser.step()
    before, after = parent.state_dict(), pupil.network.state_dict()
    moved = {name for name in after if name not in before or not torch.equal(before[name], after[name])}
    assert moved and all(is_taught(name, learn) for name in moved)
    assert pupil.architecture.taste == (learn == "masks")
    with torch.no_grad():
        says, said = (one(torch.from_numpy(pictures)) for one in (pupil.network, parent))
    assert not torch.equal(says[0], said[0])
    if learn == "masks":
        assert all(torch.equal(one, other) for one, other in zip(says[1:], said[1:], strict=True))


def is_taught(name: str, learn: str) -> bool:
    parts = {"masks": ("head.raw_taste",), "head": ("head.linear", "head.hidden")}
    return learn == "all" or name.startswith(parts[learn])


def test_what_cannot_be_taught_says_why() -> None:
    one_anchor = Lessons(np.array([[0, 1, 2], [0, 2, 3]]), np.ones(2, np.float32))
    settings = RetrainSettings.learning("masks", {})
    with pytest.raises(TrainingFailed, match="one anchor"):
        retrain_vectors(np.eye(4, dtype=np.float32), one_anchor, settings)
    with pytest.raises(TrainingFailed, match="in one place"):
        two = Lessons(np.array([[0, 1, 2], [1, 2, 3]]), np.ones(2, np.float32))
        retrain_vectors(np.ones((4, 3), np.float32), two, settings)
    with pytest.raises(TrainingFailed, match="no masks"):
        prepare_pupil(make(SIAMESE), SIAMESE, "masks")


def test_anchors_that_are_copies_of_each_other_lie_on_one_side() -> None:
    lessons = Lessons(draw_triplets(200, 20), np.ones(200, np.float32))
    copies = np.arange(20) // 2
    taught = divide_lessons(lessons, copies, share=0.3, seed=4)
    sides = [set(copies[part.triplets[:, 0]].tolist()) for part in (taught.learned, taught.judged)]
    assert not sides[0] & sides[1] and len(sides[1]) == 3
