"""What trainings of composed search can be told. Imports no torch: forms read it."""

from __future__ import annotations

from dataclasses import dataclass

from search.engine.training.typed_settings import Settings, declare


@dataclass(frozen=True)
class SentenceSettings(Settings):
    """Vectors of sentences, from captions whose change is known."""

    steps: int = declare(1500, "batches to learn from, at most", low=1, high=10_000_000)
    rate: float = declare(5e-3, "highest learning rate", low=1e-7, high=10)
    weight_decay: float = declare(1e-4, "how much weights shrink by themselves", low=0, high=1)
    averaging: float = declare(
        0.98, "how slowly the averaged weights that are kept follow", low=0, high=0.9999
    )
    validate_every: int = declare(100, "steps between two judgements", low=1, high=1_000_000)
    checkpoint_every: int = declare(500, "steps between two checkpoints", low=1, high=1_000_000)
    batch: int = declare(128, "captions in a batch", low=1, high=65_536)


@dataclass(frozen=True)
class GraphSettings(Settings):
    """The third article's graph: links and compositions in equal parts, Adam at 1e-3."""

    steps: int = declare(2000, "batches to learn from, at most", low=1, high=10_000_000)
    rate: float = declare(1e-3, "highest learning rate (published: 1e-3)", low=1e-7, high=10)
    weight_decay: float = declare(1e-4, "how much weights shrink by themselves", low=0, high=1)
    averaging: float = declare(
        0.99, "how slowly the averaged weights that are kept follow", low=0, high=0.9999
    )
    validate_every: int = declare(100, "steps between two judgements", low=1, high=1_000_000)
    checkpoint_every: int = declare(200, "steps between two checkpoints", low=1, high=1_000_000)
    patience: int = declare(8, "judgements without gain before training stops; 0: never", low=0, high=1000)
    batch: int = declare(256, "captions in a batch", low=2, high=65_536)
    negatives: int = declare(
        2000, "random items that a batch's targets are ranked among", low=1, high=1_000_000
    )
    units: int = declare(128, "units of a layer (published: 128), a multiple of 16", low=16, high=4096)
    liked_share: float = declare(
        0.2, "share of a batch that are captions with liked answers, where there are any", low=0, high=0.9
    )


@dataclass(frozen=True)
class BaselineSettings(Settings):
    """What the graph is held against: the same vectors, batches and negatives."""

    steps: int = declare(2000, "batches to learn from, at most", low=1, high=10_000_000)
    rate: float = declare(1e-3, "highest learning rate", low=1e-7, high=10)
    weight_decay: float = declare(1e-4, "how much weights shrink by themselves", low=0, high=1)
    averaging: float = declare(
        0.99, "how slowly the averaged weights that are kept follow", low=0, high=0.9999
    )
    validate_every: int = declare(100, "steps between two judgements", low=1, high=1_000_000)
    checkpoint_every: int = declare(500, "steps between two checkpoints", low=1, high=1_000_000)
    patience: int = declare(8, "judgements without gain before training stops; 0: never", low=0, high=1000)
    batch: int = declare(256, "captions in a batch", low=2, high=65_536)
    negatives: int = declare(
        2000, "random items that a batch's targets are ranked among", low=1, high=1_000_000
    )
    width: int = declare(256, "size of the vectors that are compared, a multiple of 16", low=16, high=4096)
