"""The siamese triplet network: a lifestyle photo near the catalogue picture of the same item.

Grid Dynamics, "Building a reverse image search engine": loss = mean of max(0, m + Dp - Dn), Euclidean
distances between normalised vectors, m = 1; 10 to 15 negatives of the query's category and 1 to 3 of others
per positive; a second round with negatives from the 100 to 1000 nearest under the network trained so far.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from search.engine.measures import rank_views
from search.engine.metrics import nearest
from search.engine.trained_networks import SiameseHead, TrainedNetwork
from search.engine.training.failures import TrainingFailed
from search.engine.training.loop import State
from search.engine.training.samples import MISSING, Rows, Samples, Views, answer_in_parts, generator_of
from search.engine.training.settings import CONTRAST, SiameseSettings

JUDGED_ITEMS = 100  # of a category
ROUNDS = 2  # in which hard negatives are looked for


class SiameseLearner:
    """Batches are groups of items of one category: each one's positive is a negative of all the others.

    The first column of the labels is the category. ``copies`` (n,) numbers items so that near duplicates of
    each other have one number: none of them is ever the other's negative.
    """

    def __init__(
        self,
        network: TrainedNetwork[SiameseHead],
        samples: Samples,
        copies: NDArray[np.int64],
        settings: SiameseSettings,
    ) -> None:
        self.module = network
        self._samples, self._settings, self._copies = samples, settings, copies
        category = samples.labels.table[:, 0]
        seen = samples.has_lifestyle & (category != MISSING)
        learned = samples.division.learned
        self._learned = learned[seen[learned]]
        self._by_category = {
            value: rows
            for value in np.unique(category[self._learned]).tolist()
            if len(np.unique(copies[rows := self._learned[category[self._learned] == value]])) >= 2
        }
        if len(self._by_category) < 1:
            raise TrainingFailed(
                "No category has two items with a lifestyle photo: there is nothing to compare."
            )
        self._seen = seen
        self.validation = samples.division.validation
        self._pools: dict[int, NDArray[np.int64]] = {}

    def begin_step(self, step: int) -> None:
        """Look for hard negatives at the beginning of each of the later rounds."""
        begin = round(self._settings.hard_after * self._settings.steps)
        length = max(1, (self._settings.steps - begin) // ROUNDS)
        number, since = divmod(step - begin, length)
        if since == 0 and 0 <= number < ROUNDS:
            self._mine()

    def loss(self, step: int) -> Tensor:
        """See `Learner`."""
        settings, samples = self._settings, self._samples
        draws = np.random.default_rng([settings.seed, step])
        generator = generator_of(samples.device, seed=settings.seed, step=step)
        assert samples.lifestyle is not None
        groups = self._draw_groups(draws)
        rows = np.concatenate(groups)
        scale = settings.scale_at(step)
        pictures = [
            samples.lifestyle.changed(rows, settings.augmentation, generator, scale=scale),
            samples.catalogue.changed(rows, "none", generator, scale=scale),
        ]
        query, catalogue = self.module(torch.cat(pictures))[0].float().chunk(2)
        if settings.loss == CONTRAST:
            return _contrast(query, catalogue, self._copies[rows], settings.sharpness)
        distances = _distances(query, catalogue)
        own = distances.diagonal()
        triplets = functional.relu(settings.margin + own[:, None] - distances)
        counted = self._choose_negatives(groups, draws)
        return triplets[torch.from_numpy(counted).to(samples.device)].mean()

    def judge(self, module: TrainedNetwork[SiameseHead], rows: Rows) -> dict[str, float]:
        """Distance accuracy among the items of a category, its top 3, and absolute accuracy."""
        samples = self._samples
        rows = _first_of_each(rows[self._seen[rows]], samples.labels.table[:, 0], JUDGED_ITEMS)
        assert samples.lifestyle is not None
        query, catalogue = (embed(module, view, rows) for view in (samples.lifestyle, samples.catalogue))
        category = samples.labels.table[rows, 0]
        found = rank_views(query, catalogue, category, copies=self._copies[rows], most=JUDGED_ITEMS)
        if not len(found.asked):
            return {"distance_accuracy": 0.0}
        return {
            "distance_accuracy": float(found.first.mean()),
            "distance_accuracy_top_3": float(found.top_3.mean()),
            "absolute_accuracy": float(found.absolute.mean()),
        }

    def state(self) -> State:
        """The pools of hard negatives, which were found under weights that are gone."""
        width = max((len(pool) for pool in self._pools.values()), default=0)
        table = np.full((len(self._pools), width + 1), MISSING, np.int64)
        for line, (row, pool) in zip(table, self._pools.items(), strict=True):
            line[0], line[1 : len(pool) + 1] = row, pool
        return {"pools": table}

    def restore(self, state: State) -> None:
        """See `Learner`."""
        self._pools = {int(line[0]): line[1:][line[1:] != MISSING] for line in state["pools"]}

    def _draw_groups(self, draws: Generator) -> list[Rows]:
        """Items of one category each, until they are the queries of a batch."""
        categories = list(self._by_category)
        shares = np.array([len(self._by_category[value]) for value in categories], float)
        sizes = self._size_groups(len(categories))
        chosen = draws.choice(
            len(categories), len(sizes), replace=len(sizes) > len(categories), p=shares / shares.sum()
        )
        return [
            self._draw_group(self._by_category[categories[place]], size, draws)
            for place, size in zip(chosen, sizes, strict=True)
        ]

    def _size_groups(self, categories: int) -> list[int]:
        """As many whole groups as there is room for, and the rest; negatives of other categories need one."""
        settings = self._settings
        size = settings.in_class + 1
        whole, rest = divmod(max(settings.queries, size), size)
        if whole == 1 and categories > 1 and settings.out_of_class:
            rest = max(rest, settings.out_of_class)
            return [size, max(rest, 2)]
        return [size] * whole + [rest] * (rest >= 2)

    def _draw_group(self, rows: Rows, size: int, draws: Generator) -> Rows:
        anchor = int(rows[draws.integers(len(rows))])
        pool = self._pools.get(anchor)
        if pool is None or len(pool) < 2:
            pool = rows[self._copies[rows] != self._copies[anchor]]
        drawn = draws.choice(pool, min(size - 1, len(pool)), replace=False)
        return np.concatenate([[anchor], drawn]).astype(np.int64)

    def _choose_negatives(self, groups: list[Rows], draws: Generator) -> NDArray[np.bool_]:
        """(n, n): which catalogue pictures (columns) are negatives of which queries (rows)."""
        group = np.repeat(np.arange(len(groups)), [len(rows) for rows in groups])
        rows = np.concatenate(groups)
        copies, category = self._copies[rows], self._samples.labels.table[rows, 0]
        other = copies[:, None] != copies[None, :]
        inside = (group[:, None] == group[None, :]) & other
        outside = (category[:, None] != category[None, :]) & other
        # The first so many of a random order; those that may not be drawn come last.
        order = np.argsort(np.argsort(draws.random(outside.shape) + ~outside, axis=1), axis=1)
        chosen: NDArray[np.bool_] = inside | (outside & (order < self._settings.out_of_class))
        return chosen

    def _mine(self) -> None:
        """The nearest catalogue pictures of each query within its category, its near duplicates left out."""
        samples = self._samples
        assert samples.lifestyle is not None
        training = self.module.training
        self.module.eval()
        self._pools = {}
        for rows in self._by_category.values():
            query, catalogue = (
                embed(self.module, view, rows) for view in (samples.lifestyle, samples.catalogue)
            )
            copies = self._copies[rows]
            same = [np.flatnonzero(copies == copies[place]).tolist() for place in range(len(rows))]
            count = min(self._settings.pool, len(rows) - 1)
            found = nearest("l2", query, catalogue, count, exclude=same).positions
            self._pools |= {int(row): rows[line[line >= 0]] for row, line in zip(rows, found, strict=True)}
        self.module.train(training)


def _first_of_each(rows: Rows, category: NDArray[np.int64], count: int) -> Rows:
    """The first ``count`` rows of every category, in order."""
    firsts = [np.flatnonzero(category[rows] == value)[:count] for value in np.unique(category[rows])]
    chosen: Rows = rows[np.sort(np.concatenate([np.empty(0, np.int64), *firsts]))]
    return chosen


def _contrast(query: Tensor, catalogue: Tensor, copies: NDArray[np.int64], sharpness: float) -> Tensor:
    """How unsurely each query names its own catalogue picture among all (n,), and each picture its query.

    The cross-entropy of van den Oord et al., "Representation learning with contrastive predictive coding",
    2018, both ways; near duplicates are no wrong answers.
    """
    same = torch.from_numpy(copies[:, None] == copies[None, :]).to(query.device)
    same.fill_diagonal_(False)
    own = torch.arange(len(query), device=query.device)
    with torch.autocast(query.device.type, enabled=False):
        logits = (sharpness * query @ catalogue.T).masked_fill(same, -torch.inf)
        return (functional.cross_entropy(logits, own) + functional.cross_entropy(logits.T, own)) / 2


def _distances(query: Tensor, catalogue: Tensor) -> Tensor:
    """Euclidean distances between normalised vectors, (n, n)."""
    with torch.autocast(query.device.type, enabled=False):  # near ones would become one in bfloat16
        squared = 2 - 2 * query @ catalogue.T
        return squared.clamp_min(1e-9).sqrt()


def embed(network: TrainedNetwork[SiameseHead], views: Views, rows: Rows) -> NDArray[np.float32]:
    """Embeddings of one view of the rows, (m, width)."""
    return answer_in_parts(network, views, rows)[0]
