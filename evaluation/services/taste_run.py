"""The job that learns a private encoder and finds questions on which it differs from the public one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from django.db import transaction
from numpy.typing import NDArray

from evaluation.models import Deal, Pair, Taste, TastePair
from evaluation.selectors.taste_answers import Public, Told, find_public, list_players, read_told
from evaluation.services.tastes import give_up_pairs
from evaluation.services.turns import wait_for_turn
from search.artifacts import open_vectors, read_items, read_neighbours
from search.engine.errors import ArtifactDamaged
from search.engine.taste import Floats, Said, find_nearest, learn_taste
from search.engine.taste import Taste as Learned
from search.models import Catalogue, Item, Split
from search.services.jobs import JobContext, JobFailed

MOST_ASKED = 1000  # evaluation-only questions, drawn, that the private encoder is asked
MOST_COMPARED = 200  # of those on which the two differ
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Duel:
    """A question and what the two found, items by id."""

    question: int
    private: int
    public: int


@dataclass(frozen=True)
class Differing:
    """How many questions were asked, on how many the two differ, and on which of these they are compared."""

    asked: int = 0
    differing: int = 0
    duels: Sequence[Duel] = ()


def run_taste(context: JobContext) -> None:
    """Learn ``arguments["taste"]`` from what its player said, and put it in the place of what was before.

    Nothing is done where the player has deleted it meanwhile, or asked again. A job's reason leaves the
    house, and says nothing of what the person said.
    """
    rows = Taste.objects.select_related("player", "catalogue").filter(pk=context.job.arguments["taste"])
    taste = rows.first()
    if taste is None or taste.job_id != context.job.pk:
        return
    public = find_public(taste.catalogue)
    if public is None:
        raise JobFailed("No public encoder of this catalogue has masks any more: ask again once one has.")
    told = read_told(list_players(taste.player), taste.catalogue, now=context.now())
    if told.missing:
        raise JobFailed("It cannot be learned now; the person's own page says why.")
    context.progress(0, 1, "reading vectors")
    seed = context.job.pk.int % 2**32
    try:
        ground = _Ground.open(taste.catalogue, public)
        learnable = ground.keep(told)
        if learnable.missing:
            raise JobFailed("Most of what was said is of items that no contender has: build every contender.")
        learned = learn_taste(ground.measure(learnable), seed=seed)
        differing = _compare(context, ground, public, learned, taste, seed) if learned.is_own else Differing()
    except ArtifactDamaged as damaged:
        raise JobFailed(f"The public encoder's files are damaged: {damaged}") from damaged
    _publish(context, taste, public, told, learned, differing)


@dataclass(frozen=True)
class _Ground:
    """The items of the public vectors, by row; of one picture all have one ``identity``.

    What came to the catalogue since is not among them; ``present`` (n,) are those that were not removed.
    """

    items: Ints
    positions: Ints
    identity: Ints
    present: NDArray[np.bool_]
    asked: Ints
    parts: Sequence[NDArray[np.float32]]

    @classmethod
    def open(cls, catalogue: Catalogue, public: Public) -> _Ground:
        """Raises ArtifactDamaged."""
        embedded = read_items(public.space)
        known = set(embedded.tolist())
        there = (
            Item.objects.filter(catalogue=catalogue)
            .order_by("position")
            .values_list("pk", "position", "image_sha256", "split", "removed_at")
        )
        rows = [row for row in there.iterator(chunk_size=5000) if row[1] in known]
        positions = np.array([position for _, position, *_ in rows], np.int64)
        for space in public.spaces.values():
            if not np.array_equal(read_items(space), positions):
                raise ArtifactDamaged(
                    f"{space} is of other items than there are: build the contenders again."
                )
        return cls(
            items=np.array([pk for pk, *_ in rows], np.int64),
            positions=positions,
            identity=np.unique([sha for _, _, sha, *_ in rows], return_inverse=True)[1].astype(np.int64),
            present=np.array([removed_at is None for *_, removed_at in rows], bool),
            asked=np.flatnonzero(
                [split == Split.EVALUATION and removed_at is None for *_, split, removed_at in rows]
            ),
            parts=[open_vectors(space).rows for space in public.spaces.values()],
        )

    def keep(self, told: Told) -> Told:
        """What was said of items that have a row: of others the encoder knows nothing."""
        known = set(self.items.tolist())
        votes = [vote for vote in told.votes if known.issuperset(vote[:2])]
        picks = [pick for pick in told.picks if known.issuperset(pick[1:])]
        return replace(told, votes=votes, picks=picks)

    def measure(self, told: Told) -> Said:
        """What was said, as distances in each part. A pick counts once, however much was passed over."""
        votes = np.array(told.votes, np.int64).reshape(-1, 3)
        picks = np.array(told.picks, np.int64).reshape(-1, 4)
        passed = Counter(picks[:, 0].tolist())
        return Said(
            votes=self._measure(votes[:, 0], votes[:, 1]),
            dope=votes[:, 2].astype(bool),
            picked=self._measure(picks[:, 1], picks[:, 2]),
            passed=self._measure(picks[:, 1], picks[:, 3]),
            weights=np.array([1 / passed[slate] for slate in picks[:, 0].tolist()]),
            questions=np.concatenate([votes[:, 0], picks[:, 1]]),
        )

    def _measure(self, one: Ints, other: Ints) -> Floats:
        """(n, parts): squared distances of items."""
        order = np.argsort(self.items)
        rows = [order[np.searchsorted(self.items, some, sorter=order)] for some in (one, other)]
        apart = [np.square(part[rows[0]] - part[rows[1]]).sum(axis=1) for part in self.parts]
        return np.array(apart, float).reshape(len(self.parts), -1).T

    def read_public(self, public: Public) -> Ints:
        """(n,): of each row the row that the public encoder finds; -1 where it finds none."""
        assert public.contender.index is not None, "only those with one are taught from"
        _, found = read_neighbours(public.contender.index)
        nearest = found.positions[:, 0].astype(np.int64)
        return np.where(nearest < 0, -1, np.searchsorted(self.positions, nearest))


def _compare(
    context: JobContext, ground: _Ground, public: Public, learned: Learned, taste: Taste, seed: int
) -> Differing:
    """Duels on questions of which this person was never dealt either pair. Raises ArtifactDamaged."""
    asked = np.random.default_rng(seed).permutation(ground.asked)[:MOST_ASKED]
    private = find_nearest(
        ground.parts,
        learned.weights,
        asked,
        ground.identity,
        report=lambda done: context.progress(done, len(asked), "asking questions"),
    )
    others = ground.read_public(public)[asked]
    differs = (private >= 0) & (others >= 0)
    differs &= ground.present[private] & ground.present[others]
    differs &= ground.identity[private] != ground.identity[others]
    dealt = set(
        Deal.objects.filter(player__in=list_players(taste.player), pair__catalogue=taste.catalogue)
        .values_list("pair__question_id", "pair__candidate_id")
        .iterator()
    )
    duels = [
        Duel(*(int(ground.items[row]) for row in rows))
        for rows in zip(asked[differs], private[differs], others[differs], strict=True)
    ]
    fresh = [one for one in duels if not {(one.question, one.private), (one.question, one.public)} & dealt]
    return Differing(len(asked), len(duels), fresh[:MOST_COMPARED])


def _publish(
    context: JobContext,
    taste: Taste,
    public: Public,
    told: Told,
    learned: Learned,
    differing: Differing,
) -> None:
    names = list(public.spaces)
    with transaction.atomic():
        # The turn first, as whoever deletes a private encoder and its job has it first.
        wait_for_turn()
        with context.publish():
            held = Taste.objects.select_for_update(no_key=True).filter(pk=taste.pk, job=context.job)
            if not held:
                return
            before = list(TastePair.objects.filter(taste=taste).values_list("pair", flat=True))
            TastePair.objects.filter(taste=taste).delete()
            _make_pairs(taste, differing.duels)
            give_up_pairs(before, now=context.now())
            held.update(
                contender=public.contender,
                # All of it, or what has no vectors would be asked for again and again.
                votes=len(told.votes),
                picks=told.picked,
                asked=differing.asked,
                differing=differing.differing,
                weights=dict(zip(names, learned.weights.tolist(), strict=True)),
                shares=dict(zip(names, learned.shares.tolist(), strict=True)),
                ready_at=context.now(),
            )


def _make_pairs(taste: Taste, duels: Sequence[Duel]) -> None:
    """Both pairs of each duel; those that nobody found before are made, and credited to nobody."""
    categories = dict(
        Item.objects.filter(pk__in=[one.question for one in duels]).values_list("pk", "category_id")
    )
    found = {
        (one.question, candidate): is_private
        for one in duels
        for candidate, is_private in ((one.private, True), (one.public, False))
    }
    Pair.objects.bulk_create(
        (
            Pair(
                catalogue_id=taste.catalogue_id,
                question_id=question,
                candidate_id=candidate,
                category_id=categories[question],
                split=Split.EVALUATION,
            )
            for question, candidate in found
        ),
        ignore_conflicts=True,
    )
    known = Pair.objects.filter(catalogue=taste.catalogue_id, words="", question__in=categories)
    TastePair.objects.bulk_create(
        TastePair(taste=taste, pair_id=pk, is_private=found[question, candidate])
        for pk, question, candidate in known.values_list("pk", "question_id", "candidate_id")
        if (question, candidate) in found
    )
