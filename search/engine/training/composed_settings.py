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
