"""How weights of aspects are learned: listwise, from queries and what was relevant to them.

A query's candidates are scored with the weights that the network gives it, and the softmax of the scores is
brought near to an even share for each relevant candidate (Cao, Qin, Liu, Tsai, Li, "Learning to rank: from
pairwise approach to listwise approach", ICML 2007, top one probabilities). Weights that settle on one aspect
before there is a reason to are held back by a small reward for their entropy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from search.engine.aspect_ranking import LearnedWeights, describe, find_candidates
from search.engine.aspect_views import AspectGround, AspectView
from search.engine.ranking_measures import Lists, Vectors
from search.engine.telling_aspects import Wanted
from search.engine.training.failures import TrainingFailed
from search.engine.training.loop import State, initialise
from search.engine.training.samples import Division, draw_rows
from search.engine.training.settings import AspectRankingSettings

_FIRST_SHARPNESS = 10.0  # of the softmax over candidates, whose scores are 0 to 1


@dataclass(frozen=True)
class Asked:
    """Queries ready to learn from: what a network is told of each (q, f), and their candidates."""

    told: Vectors
    lists: Lists

    def __len__(self) -> int:
        return len(self.told)


def ask(
    ground: AspectGround,
    wanted: Wanted,
    *,
    per_part: int,
    report: Callable[[int], None] = lambda done: None,
) -> Asked:
    """Look at every query, and for candidates of it. ``report`` is told how many are done and may raise."""
    told, parts = [], []
    for number, place in enumerate(wanted.queries.tolist()):
        view = ground.look_at(place)
        told.append(describe(view))
        parts.append(_list(view, wanted, number, per_part))
        report(number + 1)
    most = max((len(relevant) for _, relevant, _ in parts), default=1)
    width = len(ground.aspects) + 1
    lists = Lists(
        similarities=np.zeros((len(parts), most, width), np.float32),
        relevant=np.zeros((len(parts), most), bool),
        there=np.zeros((len(parts), most), bool),
        sought=np.array([sought for _, _, sought in parts], np.int64),
    )
    for number, (similarities, relevant, _) in enumerate(parts):
        count = len(relevant)
        lists.similarities[number, :count] = similarities
        lists.relevant[number, :count] = relevant
        lists.there[number, :count] = True
    return Asked(np.array(told, np.float32).reshape(len(parts), -1), lists)


class WeightsNetwork(nn.Module):
    """What a query is told in, (q, f), to weights, (q, 1 + K), that sum to one."""

    centre: Tensor
    scale: Tensor

    def __init__(self, told: Vectors, parts: int, *, hidden: int, dropout: float) -> None:
        super().__init__()
        spread = told.std(axis=0)
        self.register_buffer("centre", torch.from_numpy(told.mean(axis=0)))
        self.register_buffer("scale", torch.from_numpy(1 / np.where(spread > 1e-6, spread, 1)).float())
        last = nn.Linear(hidden, parts)
        nn.init.zeros_(last.weight)  # equal weights, until there is a reason for others
        nn.init.zeros_(last.bias)
        self.layers = nn.Sequential(nn.Linear(told.shape[1], hidden), nn.ReLU(), nn.Dropout(dropout), last)
        self.sharpness = nn.Parameter(torch.tensor(_FIRST_SHARPNESS).log())

    def forward(self, told: Tensor) -> Tensor:
        logits: Tensor = self.layers((told - self.centre) * self.scale)
        return logits.softmax(dim=1)


class AspectWeightsLearner:
    """Teaches a network to weigh aspects. Rows of ``division`` are queries: places in ``asked``.

    Raises TrainingFailed where there is too little to learn from.
    """

    def __init__(
        self, asked: Asked, settings: AspectRankingSettings, division: Division, *, device: torch.device
    ) -> None:
        for rows, what in ((division.learned, "learn from"), (division.validation, "judge by")):
            if len(rows) < 2:
                raise TrainingFailed(
                    f"There are too few queries to {what}: {len(rows)} items on that side share what tells "
                    "them apart with others. Import more items, or label them."
                )
        self._asked, self._settings, self.division, self._device = asked, settings, division, device
        lists = asked.lists
        self._told = torch.from_numpy(asked.told)
        self._similarities = torch.from_numpy(lists.similarities)
        self._relevant = torch.from_numpy(lists.relevant)
        self._there = torch.from_numpy(lists.there)
        # A query of which no candidate is relevant teaches nothing.
        self._teaching = division.learned[lists.relevant[division.learned].any(axis=1)]
        if not len(self._teaching):
            raise TrainingFailed("No candidate is relevant to any query: this encoder does not see aspects.")
        told = asked.told[division.learned]
        parts = lists.similarities.shape[2]
        self.module = initialise(
            lambda: WeightsNetwork(told, parts, hidden=settings.hidden, dropout=settings.dropout),
            settings.seed,
        ).to(device)

    @property
    def validation(self) -> NDArray[np.int64]:
        """See `Learner`."""
        return self.division.validation

    def begin_step(self, step: int) -> None:
        """See `Learner`; nothing."""

    def loss(self, step: int) -> Tensor:
        """See `Learner`."""
        rows = draw_rows(self._teaching, self._settings.batch, seed=self._settings.seed, step=step)
        told, similarities, relevant, there = (
            part[rows].to(self._device)
            for part in (self._told, self._similarities, self._relevant, self._there)
        )
        with torch.autocast(self._device.type, enabled=False):
            weights = self.module(told)
            scores = torch.einsum("qcp,qp->qc", similarities, weights) * self.module.sharpness.exp()
            chances = scores.masked_fill(~there, -torch.inf).log_softmax(dim=1)
            missed = -(chances.masked_fill(~relevant, 0).sum(dim=1) / relevant.sum(dim=1)).mean()
            entropy = -(weights * weights.clamp_min(1e-9).log()).sum(dim=1).mean()
        return cast(Tensor, missed - self._settings.entropy * entropy)

    def judge(self, module: Any, rows: NDArray[np.int64]) -> dict[str, float]:
        """See `Learner`: how well candidates are ordered."""
        weights = _numpy(module(self._told[rows].to(self._device)))
        return {"ndcg": float(self._asked.lists.of(rows).rate(weights).mean())}

    def state(self) -> State:
        """See `Learner`; nothing."""
        return {}

    def restore(self, state: State) -> None:
        """See `Learner`."""


def read_network(module: Any) -> LearnedWeights:
    """What a trained module holds, for numpy."""
    linear = [layer for layer in module.layers if isinstance(layer, nn.Linear)]
    return LearnedWeights(
        centre=_numpy(module.centre),
        scale=_numpy(module.scale),
        layers=tuple((_numpy(layer.weight), _numpy(layer.bias)) for layer in linear),
    )


def _list(
    view: AspectView, wanted: Wanted, number: int, per_part: int
) -> tuple[Vectors, NDArray[np.bool_], int]:
    """A query's candidates, which of them are relevant, and how many relevant items there are."""
    relevant = wanted.is_relevant(number)
    places = find_candidates(view, allowed=wanted.is_other(number), per_part=per_part)
    return view.similarities[places], relevant[places], int(relevant.sum())


def _numpy(tensor: Tensor) -> Vectors:
    return tensor.detach().cpu().numpy().copy()
