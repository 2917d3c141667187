"""A learner of a linear rule, on which the loop of all kinds is tried."""

import numpy as np
import torch
from torch import nn

from search.engine.training.checkpoints import CheckpointFile
from search.engine.training.loop import fit, initialise
from search.engine.training.settings import PictureSettings
from tests.engine.training.squares import CPU

FACTS = {"of": "lines"}


class Lines:
    """Learns a linear rule, with what makes resuming hard: statistics, dropout, and a state of its own."""

    def __init__(self, seed=0, *, width=3, measures=None, spoil=None):
        self.module = initialise(
            lambda: nn.Sequential(nn.Linear(width, 6), nn.BatchNorm1d(6), nn.Dropout(0.3), nn.Linear(6, 1)),
            seed,
        )
        self.validation = np.arange(4)
        self.width, self.seed, self.measures, self.spoil = width, seed, measures, spoil
        self.judged = 0
        self.shift = np.zeros(2, np.float32)  # found every fifth step under the weights of that time

    def begin_step(self, step):
        if step % 5 == 0:
            self.shift = self.module[3].weight.detach().flatten()[:2].numpy().copy()

    def loss(self, step):
        draws = torch.Generator().manual_seed(self.seed * 1000 + step)
        inputs = torch.randn((8, self.width), generator=draws)
        loss = (self.module(inputs)[:, 0] - inputs.sum(dim=1) - float(self.shift.sum())).square().mean()
        if self.spoil is not None:
            loss = self.spoil(step, loss)
        return loss

    def judge(self, module, rows):
        assert not module.training
        inputs = torch.linspace(-1, 1, 5 * self.width).reshape(5, self.width)
        self.judged += 1
        error = float((module(inputs)[:, 0] - inputs.sum(dim=1)).abs().mean())
        return {"gain": self.measures[self.judged - 1] if self.measures else 1 - error, "error": error}

    def state(self):
        return {"shift": self.shift}

    def restore(self, state):
        self.shift = state["shift"].copy()


def settings_of(**changes):
    return PictureSettings(
        **({"steps": 12, "validate_every": 4, "checkpoint_every": 3, "averaging": 0.5} | changes)
    )


def run(how, *, path=None, report=lambda _: None, learner=None):
    learner = learner or Lines(how.seed)
    checkpoint = CheckpointFile(path, FACTS)
    return learner, fit(learner, how, checkpoint=checkpoint, report=report, device=CPU)
