"""Teaching vectors of sentences: which attributes a caption brings, and which it takes away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from search.engine.composed.relative_captions import Item, differences
from search.engine.composed.sentences import BUCKETS, HIDDEN, WIDTH, HashedSentences, hash_pieces
from search.engine.composed.vocabulary import Vocabulary
from search.engine.training.composed_settings import SentenceSettings
from search.engine.training.failures import TrainingFailed
from search.engine.training.loop import State, initialise
from search.engine.training.samples import Rows, draw_rows

SHARPNESS = 12.0  # of the softmax-like layer above vectors of length one
LEAST_TEXTS = 20


@dataclass(frozen=True, eq=False)
class Lessons:
    """n ``texts`` and what each asks for: ``changes`` (n, 2 A), wanted attributes, then unwanted ones."""

    texts: tuple[str, ...]
    changes: NDArray[np.float32]


def make_lessons(captions: Sequence[tuple[str, Item, Item]], vocabulary: Vocabulary) -> Lessons:
    """Of (caption, reference, target): what the target has instead, and what of the reference it has not."""
    changes = np.zeros((len(captions), 2 * len(vocabulary)), np.float32)
    for row, (_, reference, target) in enumerate(captions):
        for old, new in differences(reference, target):
            if new is not None and new in vocabulary:
                changes[row, vocabulary.place(new)] = 1
            if old is not None and old in vocabulary:
                changes[row, len(vocabulary) + vocabulary.place(old)] = 1
    return Lessons(tuple(text for text, _, _ in captions), changes)


class SentenceNetwork(nn.Module):
    """As `HashedSentences`, and above it one layer that tells changes."""

    def __init__(self, changes: int, *, buckets: int, hidden: int, width: int) -> None:
        super().__init__()
        self.table = nn.EmbeddingBag(buckets, hidden, mode="sum")
        nn.init.normal_(self.table.weight, std=0.3)
        self.linear = nn.Linear(hidden, width)
        self.tell = nn.Linear(width, changes)
        nn.init.constant_(self.tell.bias, -4.0)  # most captions bring none of most attributes

    def encode(self, pieces: Sequence[NDArray[np.int64]]) -> Tensor:
        """(n, width), of length one."""
        lengths = torch.tensor([max(1, len(buckets)) for buckets in pieces])
        starts = torch.tensor(np.cumsum([0, *(len(buckets) for buckets in pieces[:-1])]))
        summed = self.table(torch.from_numpy(np.concatenate(pieces)), starts)
        hidden = summed / lengths[:, None].to(summed.dtype).sqrt()
        return functional.normalize(self.linear(torch.tanh(hidden)), dim=1)

    def forward(self, pieces: Sequence[NDArray[np.int64]]) -> Tensor:
        """(n, 2 A) logits."""
        logits: Tensor = self.tell(SHARPNESS * self.encode(pieces))
        return logits


class SentenceLearner:
    """Teaches a network to tell changes. Raises TrainingFailed where there are too few captions."""

    def __init__(self, lessons: Lessons, settings: SentenceSettings) -> None:
        if len(lessons.texts) < LEAST_TEXTS:
            raise TrainingFailed(
                f"There are {len(lessons.texts)} captions; at least {LEAST_TEXTS} are needed. "
                "Import items with more attributes, or captions."
            )
        self._settings, self._lessons = settings, lessons
        self._pieces = [hash_pieces(text) for text in lessons.texts]
        order = np.random.default_rng(settings.seed).permutation(len(self._pieces))
        kept = max(1, round(settings.validation_share * len(order)))
        self.validation, self._learned = np.sort(order[:kept]), np.sort(order[kept:])
        changes = lessons.changes.shape[1]
        self.module = initialise(
            lambda: SentenceNetwork(changes, buckets=BUCKETS, hidden=HIDDEN, width=WIDTH), settings.seed
        )

    def begin_step(self, step: int) -> None:
        """See `Learner`; nothing."""

    def loss(self, step: int) -> Tensor:
        """See `Learner`: binary cross-entropy per caption."""
        rows = draw_rows(self._learned, self._settings.batch, seed=self._settings.seed, step=step)
        return self._miss(self.module, rows)

    def judge(self, module: Any, rows: Rows) -> dict[str, float]:
        """See `Learner`: the share of captions whose likeliest change is one of theirs."""
        logits = module([self._pieces[row] for row in rows])
        likeliest = logits.argmax(dim=1).numpy()
        right = self._lessons.changes[rows, likeliest] > 0
        return {"first": float(right.mean()), "loss": float(self._miss(module, rows))}

    def state(self) -> State:
        """See `Learner`; nothing."""
        return {}

    def restore(self, state: State) -> None:
        """See `Learner`."""

    def _miss(self, module: Any, rows: Rows) -> Tensor:
        logits = module([self._pieces[row] for row in rows]).float()
        wanted = torch.from_numpy(self._lessons.changes[rows])
        return functional.binary_cross_entropy_with_logits(logits, wanted, reduction="sum") / len(rows)


def read_sentence_network(module: Any) -> HashedSentences:
    """What a trained module holds, for numpy."""
    table, weights, biases = (
        tensor.detach().cpu().float().numpy().copy()
        for tensor in (module.table.weight, module.linear.weight, module.linear.bias)
    )
    return HashedSentences(table, weights, biases)
