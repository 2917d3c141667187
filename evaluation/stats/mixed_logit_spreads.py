"""How far outer and inner groups spread: the highest Laplace likelihood, and what its error does to the rest.

Newton's method on at most two numbers, with derivatives by central differences. The likelihood is even and
smooth in a spread, so a spread of 0 is an ordinary highest point of it. That the spreads are themselves
estimated widens the covariance of the fixed effects by the delta method (Rue, Martino & Chopin 2009 integrate
over them instead).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evaluation.stats.mixed_logit_laplace import Board, Mode, begin, climb
from evaluation.stats.votes import Floats

START = 0.8  # logits
LARGEST = 5.0  # logits; a spread that wants to be larger is held there
REACH = 0.05  # logits, of the differences
STRIDE = 0.7  # logits, at most at once
NEARLY = 0.25  # of log likelihood, under one standard error: from here on one last step lands close enough
ROUNDS, HALVINGS = 15, 6


@dataclass(frozen=True)
class Fit:
    """Everything estimated: ``fixed`` (p,), ``spreads`` (2,) of outer and inner groups, and the covariance
    (p + 2, p + 2) of both together, with zeros for spreads that were not estimated."""

    fixed: Floats
    spreads: Floats
    covariance: Floats
    converged: bool


@dataclass(frozen=True)
class _Surroundings:
    """Derivatives of the likelihood by the free spreads, and of the fixed effects' highest point."""

    slope: Floats  # (free,)
    bend: Floats  # (free, free)
    moves: Floats  # (p, free)

    def step(self) -> tuple[Floats, float]:
        """Newton's step, turned uphill where the likelihood does not bend down; and what it brings."""
        sizes, turns = np.linalg.eigh(-self.bend)
        step = turns @ ((turns.T @ self.slope) / np.maximum(np.abs(sizes), 1e-3))
        step = np.clip(step, -STRIDE, STRIDE)
        return step, float(self.slope @ step) / 2


def estimate(board: Board, free: tuple[bool, bool]) -> Fit:
    """Fits the model; spreads that are not ``free`` are 0."""
    axes = np.eye(2)[np.flatnonzero(free)]
    at = START * axes.sum(axis=0)
    mode = climb(board, _pair(at), begin(board, _pair(at)))
    settled = False
    for _ in range(ROUNDS):
        around = _look_around(board, mode, at, axes)
        step, gain = around.step()
        # A bend that is not downwards is no summit, whatever the step would bring.
        settled = gain < NEARLY and bool((np.linalg.eigvalsh(around.bend) <= 0).all())
        if settled:
            at = np.minimum(np.abs(at + step @ axes), LARGEST)
            mode = climb(board, _pair(at), mode)
            break
        at, mode = _go(board, mode, at, step @ axes)
    return _sum_up(board, mode, at, axes, around, settled)


def _go(board: Board, mode: Mode, at: Floats, step: Floats) -> tuple[Floats, Mode]:
    """As much of the step as leads up."""
    for _ in range(HALVINGS):
        there = np.minimum(np.abs(at + step), LARGEST)
        higher = climb(board, _pair(there), mode)
        if higher.likelihood >= mode.likelihood:
            return there, higher
        step = step / 2
    return at, mode


def _look_around(board: Board, mode: Mode, at: Floats, axes: Floats) -> _Surroundings:
    count, free = board.fixed.shape[1], len(axes)
    up = [climb(board, _pair(at + REACH * axis), mode) for axis in axes]
    down = [climb(board, _pair(at - REACH * axis), mode) for axis in axes]
    bend = np.zeros((free, free))
    for one in range(free):
        bend[one, one] = up[one].likelihood + down[one].likelihood - 2 * mode.likelihood
    if free == 2:
        both = climb(board, _pair(at + REACH * axes.sum(axis=0)), up[0])
        bend[0, 1] = bend[1, 0] = both.likelihood - up[0].likelihood - up[1].likelihood + mode.likelihood
    slope = np.array([one.likelihood - other.likelihood for one, other in zip(up, down, strict=True)])
    moves = [
        one.point.parameters[:count] - other.point.parameters[:count]
        for one, other in zip(up, down, strict=True)
    ]
    return _Surroundings(
        slope / (2 * REACH), bend / REACH**2, np.array(moves).reshape(free, count).T / (2 * REACH)
    )


def _sum_up(board: Board, mode: Mode, at: Floats, axes: Floats, around: _Surroundings, settled: bool) -> Fit:
    count = board.fixed.shape[1]
    sizes, turns = np.linalg.eigh(-around.bend)
    inverse = (turns / np.maximum(sizes, 1e-3)) @ turns.T
    covariance = np.zeros((count + 2, count + 2))
    covariance[:count, :count] = mode.covariance(count) + around.moves @ inverse @ around.moves.T
    covariance[:count, count:] = around.moves @ inverse @ axes
    covariance[count:, :count] = covariance[:count, count:].T
    covariance[count:, count:] = axes.T @ inverse @ axes
    converged = settled and mode.converged and bool((at < LARGEST).all())
    return Fit(mode.point.parameters[:count], at, covariance, converged)


def _pair(at: Floats) -> tuple[float, float]:
    return float(abs(at[0])), float(abs(at[1]))
