"""The mixed logistic model under given spreads: its likelihood, where that is highest, and how sharply.

The logit of a vote is linear in fixed effects, plus a normal effect of its outer group and one of its inner
group. The inner groups, which are the more numerous and so hold the fewest votes each, are integrated out one
by one by adaptive Gauss-Hermite quadrature (Liu & Pierce 1994); given the rest they do not touch each other,
so what they take from the curvature is a sparse product (the Schur complement of their block). Fixed effects
and outer groups are integrated by one Laplace approximation with a dense Cholesky factor
(Tierney & Kadane 1986; Breslow & Clayton 1993 for the penalised iterations).

Both kinds of group effects are kept in units of their spread, so that a spread may be 0 (Bates et al. 2015).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.sparse import csr_array
from scipy.special import expit

from evaluation.stats.votes import Flags, Floats, Places

Spreads = tuple[float, float]  # of the outer and of the inner groups, in logits

PRIOR_SD = 5.0  # logits; of the normal prior around 0 of every fixed effect
NODES = 7  # of the quadrature over an inner group
MODE_STEPS, MODE_TOLERANCE, MODE_STRIDE = 50, 1e-3, 1.0  # to an inner group's mode, in spreads
ROUNDS, CLIMBS, HALVINGS = 30, 8, 12
GAIN = 1e-5  # of log likelihood: what a further step would bring when the highest point is reached
SLOW = 0.3  # of the gain before: above, an old curvature no longer serves
FARTHEST = 700.0  # logits; beyond, a chance is no number other than 0
MOSTLY_FILLED = 0.15  # from here on a dense product is quicker than a sparse one

_NODES, _WEIGHTS = hermegauss(NODES)
_LOG_WEIGHTS = np.log(_WEIGHTS) - 0.5 * np.log(2 * np.pi) + _NODES**2 / 2


@dataclass(frozen=True)
class Board:
    """n votes in the order of their inner groups: ``dope`` (n,), ``fixed`` (n, p) columns.

    ``outer`` and ``inner`` (n,) number the groups from 0, each number used; ``inner`` never falls.
    """

    dope: Flags
    fixed: Floats
    outer: Places
    inner: Places
    sign: Floats = field(init=False)  # 1 for dope, -1 for nope
    starts: Places = field(init=False)  # of inner groups
    columns: Places = field(init=False)  # (n, NODES): of an inner group's nodes
    by_outer: Places = field(init=False)  # positions in the order of outer groups
    ends: Places = field(init=False)  # of outer groups in that order, with a 0 before

    def __post_init__(self) -> None:
        starts = np.flatnonzero(np.diff(self.inner, prepend=-1))
        object.__setattr__(self, "sign", np.where(self.dope, 1.0, -1.0))
        object.__setattr__(self, "starts", starts)
        object.__setattr__(self, "columns", self.inner[:, None] * NODES + np.arange(NODES))
        object.__setattr__(self, "by_outer", np.argsort(self.outer, kind="stable"))
        object.__setattr__(self, "ends", np.append(0, np.cumsum(np.bincount(self.outer))))

    @property
    def groups(self) -> int:
        return len(self.ends) - 1

    def sum_inner(self, values: Floats) -> Floats:
        """(n, ...) -> (inner groups, ...)."""
        sums: Floats = np.add.reduceat(values, self.starts, axis=0)
        return sums


@dataclass(frozen=True)
class Point:
    """The penalised log likelihood at some parameters: fixed effects, then outer effects in spreads."""

    spreads: Spreads
    parameters: Floats
    centres: Floats  # modes of the inner groups
    value: float
    gradient: Floats
    said: Floats  # (n, NODES): the chance of what was said, at each node
    shares: Floats  # (inner groups, NODES): of each node in its group's likelihood


@dataclass(frozen=True)
class Mode:
    """The highest point found, the Cholesky factor of its curvature, and the Laplace likelihood there."""

    point: Point
    factor: tuple[Floats, bool]
    likelihood: float
    converged: bool

    def covariance(self, count: int) -> Floats:
        """(count, count): of the first parameters."""
        units = np.eye(len(self.point.parameters), count)
        block: Floats = cho_solve(self.factor, units)[:count]
        return block


def begin(board: Board, spreads: Spreads) -> Mode:
    """A place to climb from: no effects at all."""
    parameters = np.zeros(board.fixed.shape[1] + board.groups)
    return _stand(board, evaluate(board, spreads, parameters, np.zeros(len(board.starts))))


def climb(board: Board, spreads: Spreads, start: Mode) -> Mode:
    """The highest point under these spreads, from another one's. ``converged`` tells whether it was reached.

    Newton's method; the curvature is kept as long as it serves, since it costs more than the rest.
    """
    parameters, centres = start.point.parameters.copy(), start.point.centres
    old, new = start.point.spreads, spreads
    if min(old[0], new[0]) > 0.1:  # effects in logits stay nearly the same
        parameters[board.fixed.shape[1] :] *= old[0] / new[0]
    mode = replace(start, point=evaluate(board, spreads, parameters, centres))
    for _ in range(ROUNDS):
        mode = _stand(board, _follow(board, mode))
        if mode.converged:
            break
    return mode


def _stand(board: Board, point: Point) -> Mode:
    bend = curvature(board, point)
    try:
        factor, exact = cho_factor(bend, lower=True, check_finite=False), True
    except LinAlgError:
        factor, exact = cho_factor(_lift(bend), lower=True, check_finite=False), False
    _, gain = _aim(factor, point)
    likelihood = point.value + gain - float(np.log(np.diagonal(factor[0])).sum())
    return Mode(point, factor, likelihood, exact and gain < GAIN)


def _lift(bend: Floats) -> Floats:
    """The nearest curvature that bends nowhere less than the priors do, as the true one must.

    Quadrature by few nodes errs where a spread is wide and votes are few, by more than the priors hold.
    """
    sizes, turns = np.linalg.eigh(bend)
    lifted: Floats = (turns * np.maximum(sizes, 1 / PRIOR_SD**2)) @ turns.T
    return lifted


def _aim(factor: tuple[Floats, bool], point: Point) -> tuple[Floats, float]:
    """Newton's step from here, and what it would bring."""
    step = cho_solve(factor, point.gradient)
    return step, float(point.gradient @ step) / 2


def _follow(board: Board, mode: Mode) -> Point:
    """Steps by one curvature, as long as each leaves much less to gain than the one before."""
    point = mode.point
    step, gain = _aim(mode.factor, point)
    for _ in range(CLIMBS):
        if gain < GAIN / 4:
            break
        point = _step(board, mode.factor, point, step)
        before = gain
        step, gain = _aim(mode.factor, point)
        if gain > SLOW * before:
            break
    return point


def _step(board: Board, factor: tuple[Floats, bool], point: Point, step: Floats) -> Point:
    """As much of a step as leads up, or where less is left to gain.

    The second, because quadrature leaves the likelihood and its slope further apart than last steps reach.
    """
    _, gain = _aim(factor, point)
    for _ in range(HALVINGS):
        there = evaluate(board, point.spreads, point.parameters + step, point.centres)
        if there.value > point.value or _aim(factor, there)[1] < gain:
            return there
        step = step / 2
    return point


def evaluate(board: Board, spreads: Spreads, parameters: Floats, centres: Floats) -> Point:
    """The log likelihood with the inner groups integrated out, plus the log priors of all parameters.

    ``centres`` (inner groups,): where to look for the modes from.
    """
    count = board.fixed.shape[1]
    linear = board.fixed @ parameters[:count] + spreads[0] * parameters[count:][board.outer]
    centres, widths = _find_modes(board, linear, spreads[1], centres)
    nodes = centres[:, None] + widths[:, None] * _NODES
    logits = (spreads[1] * nodes)[board.inner] + linear[:, None]
    said = expit(np.clip(board.sign[:, None] * logits, -FARTHEST, FARTHEST))
    logs = board.sum_inner(np.log(said))
    logs += _LOG_WEIGHTS - nodes**2 / 2 + np.log(widths)[:, None]
    most = logs.max(axis=1)
    shares = np.exp(logs - most[:, None])
    sums = shares.sum(axis=1)
    shares /= sums[:, None]
    residual = board.sign * (1 - np.einsum("nk,nk->n", shares[board.inner], said))
    pulls = np.concatenate([board.fixed.T @ residual, spreads[0] * np.bincount(board.outer, residual)])
    strength = np.where(np.arange(len(parameters)) < count, 1 / PRIOR_SD**2, 1.0)
    value = float((most + np.log(sums)).sum() - (strength * parameters**2).sum() / 2)
    return Point(spreads, parameters, centres, value, pulls - strength * parameters, said, shares)


def _find_modes(board: Board, linear: Floats, spread: float, modes: Floats) -> tuple[Floats, Floats]:
    """Where each inner group's effect, in spreads, is most likely, and how widely it may lie around."""
    for _ in range(MODE_STEPS):
        chances = expit(linear + spread * modes[board.inner])
        slopes = spread * board.sum_inner(board.dope - chances) - modes
        bends = 1 + spread**2 * board.sum_inner(chances * (1 - chances))
        steps = np.clip(slopes / bends, -MODE_STRIDE, MODE_STRIDE)
        modes = modes + steps
        if np.abs(steps).max() < MODE_TOLERANCE:
            break
    return modes, 1 / np.sqrt(bends)


def curvature(board: Board, point: Point) -> Floats:
    """Minus the second derivatives by all parameters, (p + groups, p + groups); positive definite.

    Of one inner group: the mean over its effect of the votes' own curvature, minus the variance of their
    slopes. Both are concave-preserving, since a marginal of a log-concave density is log-concave.
    """
    count, spread = board.fixed.shape[1], point.spreads[0]
    share = point.shares[board.inner]
    mean = np.einsum("nk,nk->n", share, point.said)
    weights = mean - np.einsum("nk,nk,nk->n", share, point.said, point.said)
    loadings = board.sign[:, None] * np.sqrt(share) * (point.said - mean[:, None])
    shape = (len(board.dope), len(board.starts) * NODES)
    own = csr_array((loadings.ravel(), board.columns.ravel(), np.arange(shape[0] + 1) * NODES), shape=shape)
    order = board.by_outer
    grouped = csr_array(
        (loadings[order].ravel(), board.columns[order].ravel(), board.ends * NODES),
        shape=(board.groups, shape[1]),
    )
    taken = own.T @ board.fixed
    weighted = weights[:, None] * board.fixed
    sums = np.add.reduceat(weighted[order], board.ends[:-1], axis=0)
    bend = np.empty((count + board.groups,) * 2)
    bend[:count, :count] = board.fixed.T @ weighted - taken.T @ taken
    bend[count:, :count] = spread * (sums - grouped @ taken)
    bend[:count, count:] = bend[count:, :count].T
    bend[count:, count:] = -(spread**2) * _square(grouped)
    own_bends = spread**2 * np.bincount(board.outer, weights) + 1
    bend[np.diag_indices_from(bend)] += np.append(np.full(count, 1 / PRIOR_SD**2), own_bends)
    return bend


def _square(matrix: csr_array) -> Floats:
    """matrix @ matrix.T, dense."""
    if matrix.nnz > MOSTLY_FILLED * matrix.shape[0] * matrix.shape[1]:
        dense: Floats = matrix.toarray()
        return dense @ dense.T
    product: Floats = (matrix @ matrix.T).toarray()
    return product
