"""A conditional similarity network that learns from triplets of files instead of drawing them from labels."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from search.engine.published_triplets import NO_ITEM, PublishedTriplets, rows_of, sort_out
from search.engine.trained_networks import Architecture, CsnHead, TrainedNetwork
from search.engine.training.csn import CsnLearner
from search.engine.training.exams import examine_triplets
from search.engine.training.samples import MISSING, Aspect, Division, FeatureViews, Labels, Samples
from search.engine.training.settings import CsnSettings
from search.engine.training.triplet_sources import FileTriplets, LabelTriplets
from search.engine.triplet_files import SPLITS, ConditionTriplets, find_triplet_files

CPU = torch.device("cpu")
ITEMS = 60
CONDITIONS = ("class", "closure")
VALUES = np.stack([np.arange(ITEMS) % 3, np.arange(ITEMS) // 3 % 2], axis=1)
SETTINGS = CsnSettings(steps=60, items=24, triplets=16, dimensions=8, masks_sum_to_one=False)


class CountingViews(FeatureViews):
    """Notes every row that is looked at."""

    looked: list[list[int]]

    def changed(self, rows: Any, *how: Any, **more: Any) -> torch.Tensor:
        self.looked.append(rows.tolist())
        return super().changed(rows, *how, **more)


def write_lists(folder: Path, *, swapped: bool = False) -> Path:
    """Both conditions' lists among items 0 to 35 (train), 36 to 47 (val) and 48 to 59 (test)."""
    (folder / "filenames.json").write_text("".join(f"{number}.jpg\n" for number in range(ITEMS)))
    for place, condition in enumerate(CONDITIONS):
        for split, (first, last) in zip(SPLITS, ((0, 36), (36, 48), (48, 60)), strict=True):
            rng = np.random.default_rng([place, first])
            lines = []
            while len(lines) < 120:
                anchor, far, close = first + rng.choice(last - first, 3, replace=False)
                values = VALUES[[anchor, far, close], place]
                if values[0] == values[2] != values[1]:
                    turned = swapped and split != "test"
                    lines.append(f"{anchor} {close} {far}\n" if turned else f"{anchor} {far} {close}\n")
            (folder / f"{condition}_tripletlist_{split}.txt").write_text("".join(lines))
    return folder


def read(folder: Path, trainable: Any = None) -> PublishedTriplets:
    return sort_out(
        find_triplet_files(folder).read(),
        np.arange(ITEMS),
        trainable=np.ones(ITEMS, bool) if trainable is None else trainable,
        copies=np.arange(ITEMS),
    )


def make_samples(published: PublishedTriplets) -> Samples:
    """Items whose features tell their values, among noise."""
    rng = np.random.default_rng(0)
    told = np.concatenate([np.eye(3)[VALUES[:, 0]], np.eye(2)[VALUES[:, 1]]], axis=1)
    views = CountingViews((told + rng.normal(0, 0.1, told.shape)).astype(np.float32), CPU)
    views.looked = []
    labels = Labels(
        tuple(Aspect(name, ()) for name in published.conditions),
        np.full((ITEMS, len(published.conditions)), MISSING),
    )
    division = Division(
        rows_of(published.learned), rows_of(published.validation), rows_of(published.measured)
    )
    return Samples(views, None, np.zeros(ITEMS, bool), labels, division, CPU)


def teach(
    published: PublishedTriplets, chosen: CsnSettings = SETTINGS, known: Any = VALUES
) -> tuple[CsnLearner, Samples]:
    """A learner after all steps of plain gradient descent."""
    torch.manual_seed(chosen.seed)
    masks = published.conditions if chosen.masks else ()
    head = CsnHead(5, Architecture("csn", "", 0, chosen.dimensions, masks=masks))
    samples = make_samples(published)
    learner = CsnLearner(TrainedNetwork(nn.Identity(), head), samples, chosen, FileTriplets(published, known))
    optimiser = torch.optim.Adam(learner.module.parameters(), 0.02)
    for step in range(chosen.steps):
        optimiser.zero_grad()
        learner.loss(step).backward()
        optimiser.step()
    return learner, samples


def test_it_learns_what_the_files_say(tmp_path: Path) -> None:
    published = read(write_lists(tmp_path))
    learner, samples = teach(published)
    told = learner.judge(learner.module, samples.division.validation)
    assert list(told) == ["triplet_accuracy", "triplet_accuracy class", "triplet_accuracy closure"]
    assert all(share > 0.9 for share in told.values())
    answers = examine_triplets(learner.module, samples, published.measured)
    assert [(part.aspect, len(part.right)) for part in answers] == [("class", 120), ("closure", 120)]
    assert all(part.right.mean() > 0.9 for part in answers)


def test_where_far_and_close_change_places_the_opposite_is_learned(tmp_path: Path) -> None:
    learner, samples = teach(
        read(write_lists(tmp_path, swapped=True)), replace(SETTINGS, global_consistency=False)
    )
    told = learner.judge(learner.module, samples.division.held_out)  # of which the lists are as they should
    assert told["triplet_accuracy class"] < 0.5 and told["triplet_accuracy closure"] < 0.5


@pytest.mark.parametrize("changes", [{"masks": False}, {"magnitude_penalty": False}, {"triplets": 1}])
def test_the_variants_learn_from_files_alike(tmp_path: Path, changes: dict[str, Any]) -> None:
    chosen = replace(SETTINGS, **changes)
    learner, samples = teach(read(write_lists(tmp_path)), chosen)
    assert learner.judge(learner.module, samples.division.validation)["triplet_accuracy"] > 0.7


def test_a_specialist_is_asked_what_everybody_is_though_it_learns_one_condition(tmp_path: Path) -> None:
    write_lists(tmp_path)
    (tmp_path / "closure_tripletlist_train.txt").write_text("50 51 54\n")  # which class does not learn from
    every = read(tmp_path)
    alone = every.of(["class"])
    assert alone.conditions == ("class",) and np.array_equal(alone.measured[0], every.measured[0])
    assert not set(alone.measured[0].reshape(-1)) & {50, 51, 54}
    assert not set(rows_of(alone.learned)) & {50, 51, 54}


def test_the_step_embeds_each_picture_once_and_never_one_to_judge_by(tmp_path: Path) -> None:
    _, samples = teach(read(write_lists(tmp_path)))
    assert len(samples.catalogue.looked) == SETTINGS.steps
    for rows in samples.catalogue.looked:
        assert rows == sorted(set(rows)) and len(rows) <= SETTINGS.items and max(rows) < 36


def test_what_a_step_draws_depends_on_the_seed_and_the_step_alone(tmp_path: Path) -> None:
    source = FileTriplets(read(write_lists(tmp_path)), VALUES)

    def draw(seed: int, step: int) -> list[list[int]]:
        batch = source.draw(replace(SETTINGS, seed=seed), step)
        return [batch.rows[part].tolist() for part in [*batch.triplets, batch.overlap]]

    first = draw(3, 7)
    draw(3, 8)
    assert draw(3, 7) == first
    assert draw(3, 8) != first and draw(4, 7) != first


@settings(max_examples=60, deadline=None)
@given(
    items=st.integers(3, 40),
    triplets=st.integers(1, 30),
    step=st.integers(0, 5),
    sizes=st.lists(st.integers(1, 20), min_size=1, max_size=4),
)
def test_a_batch_has_triplets_of_the_lists_and_no_more_pictures_than_it_may(items, triplets, step, sizes):
    rng = np.random.default_rng(len(sizes))
    lists = [np.stack([rng.choice(ITEMS, 3, replace=False) for _ in range(size)]) for size in sizes]
    published = PublishedTriplets(tuple(map(str, sizes)), lists, lists, lists, {})
    chosen = replace(SETTINGS, items=items, triplets=triplets)

    batch = FileTriplets(published, VALUES).draw(chosen, step)

    counts = [len(part) for part in batch.triplets]
    assert len(batch.rows) <= items and np.array_equal(batch.rows, np.unique(batch.rows))
    assert max(counts) <= triplets and sum(counts) > 0
    assert max(counts) - min(counts) <= 1, "where not all find room, every condition has its share"
    if items >= 3 * triplets * len(sizes):
        assert counts == [triplets] * len(sizes)
    for part, known in zip(batch.triplets, lists, strict=True):
        assert {tuple(row) for row in batch.rows[part].tolist()} <= {tuple(row) for row in known.tolist()}
    assert set(batch.rows) == {row for part in batch.triplets for row in batch.rows[part].reshape(-1)}


def test_with_room_for_one_triplet_every_condition_has_its_turn(tmp_path: Path) -> None:
    source = FileTriplets(read(write_lists(tmp_path)), VALUES)
    counts = [
        [len(part) > 0 for part in source.draw(replace(SETTINGS, items=3), step).triplets]
        for step in range(4)
    ]
    assert counts == [[True, False], [False, True]] * 2


def test_items_with_more_attributes_in_common_are_compared_where_attributes_are_known(tmp_path: Path) -> None:
    published = read(write_lists(tmp_path))
    chosen = replace(SETTINGS, steps=1)
    batch = FileTriplets(published, VALUES).draw(chosen, 0)
    anchor, near, far = (VALUES[batch.rows[part]] for part in batch.overlap.T)
    assert len(batch.overlap) and ((anchor == near).sum(axis=1) > (anchor == far).sum(axis=1)).all()
    for nothing in (np.full((ITEMS, 2), MISSING), np.empty((ITEMS, 0), np.int64)):
        assert len(FileTriplets(published, nothing).draw(chosen, 0).overlap) == 0

    def loss(known: Any, **changes: bool) -> float:
        learner, _ = teach(published, replace(chosen, **changes), known)
        return float(learner.loss(1).detach())

    nothing = np.full((ITEMS, 2), MISSING)
    assert loss(nothing) == loss(nothing, global_consistency=False) == loss(VALUES, global_consistency=False)
    assert loss(VALUES) > loss(nothing)


def test_labels_give_what_they_gave_before_there_were_files() -> None:
    """Weights that were trained so can be trained again: the draws of a step are as they were."""
    labels = Labels((Aspect("class", ("a", "b", "c")), Aspect("closure", ("x", "y"))), VALUES)
    division = Division(np.arange(36), np.arange(36, 48), np.arange(48, 60))
    batch = LabelTriplets(labels, division).draw(replace(SETTINGS, items=8, triplets=2), 5)
    assert batch.rows.tolist() == [3, 15, 20, 23, 24, 26, 30, 33]
    assert [part.tolist() for part in batch.triplets] == [[[7, 6, 5], [2, 5, 0]], [[5, 4, 1], [2, 6, 3]]]
    assert batch.overlap.tolist() == [[1, 3, 2]]


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32), held=st.floats(0, 1), gone=st.floats(0, 0.5), copied=st.floats(0, 0.5))
def test_sorted_out_triplets_keep_to_the_catalogues_sides(seed, held, gone, copied):
    rng = np.random.default_rng(seed)
    count = 25
    rows = np.where(rng.random(count) < gone, NO_ITEM, rng.permutation(count))
    trainable = rng.random(count) >= held
    copies = np.where(rng.random(count) < copied, rng.integers(0, count, count), np.arange(count))
    parts = [
        ConditionTriplets(name, split, (), np.array([rng.choice(count, 3, replace=False) for _ in range(20)]))
        for name in CONDITIONS
        for split in SPLITS
    ]

    found = sort_out(parts, rows, trainable=trainable, copies=copies)

    seen = rows_of(found.learned + found.validation)
    assert trainable[seen].all(), "an evaluation-only item is never learned from"
    assert not set(copies[rows_of(found.measured)]) & set(copies[seen]), (
        "nor a picture measured that was seen"
    )
    used = dict(zip(SPLITS, (found.learned, found.validation, found.measured), strict=True))
    for part in parts:
        place = CONDITIONS.index(part.condition)
        kept, told = used[part.split][place].tolist(), found.counts[part.split][place]
        meant = rows[part.triplets]
        known = (meant != NO_ITEM).all(axis=1)
        allowed = trainable if part.split != "test" else ~np.isin(copies, copies[seen])
        assert kept == meant[known & allowed[meant].all(axis=1)].tolist(), "in order, each as it was written"
        assert (told.used, told.no_item) == (len(kept), int((~known).sum()))
        assert told.used + told.no_item + told.other_side == len(meant)


def test_two_names_of_one_item_make_no_triplet() -> None:
    parts = [ConditionTriplets("class", split, (), np.array([[0, 1, 2]])) for split in SPLITS]
    found = sort_out(parts, np.array([4, 4, 2]), trainable=np.ones(5, bool), copies=np.arange(5))
    assert found.describe()["train"] == {"used": 0, "no_item": 1, "other_side": 0}
