"""Which comparisons of contenders are still open, and how badly they need votes, from counts per pair.

Only what is dealt next depends on it. Estimates are weighted by propensity, so being wrong here costs votes,
not truth.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
# A pair's approval is drawn towards all pairs' as if by so many answers: pairs differ by half a logit or so.
ANSWERS_BEFORE = 15.0
SETTLED = 5.0  # standard errors; a sequence for one of a dozen contenders takes about as many
# The most that a comparison weighs more than one with half of the votes it needs: a newcomer has no votes at
# all, and the others' comparisons go on beside it.
MOST_NEED = 4.0
OTHERS = 0.25  # what a comparison weighs that cannot concern the lead, beside one that does


def weigh_comparisons(
    found: NDArray[np.bool_], dopes: NDArray[np.int64], answers: NDArray[np.int64]
) -> Floats:
    """(contenders, contenders), symmetric: how much more votes on each comparison are needed; 0: none.

    ``found`` (pairs, contenders), bool; ``dopes`` and ``answers``, skips left out, (pairs,). A difference of
    z standard errors will be one of SETTLED of them after (SETTLED / z)^2 times the votes, that is with
    (SETTLED / z)^2 - 1 times as many besides. Comparisons with somebody who may lead weigh most: by the
    likelihood ratio exp(-z^2 / 2) of being level with the leader. Without any answers all weigh the same.
    """
    credit = found.astype(float)
    level = (dopes.sum() + 1) / (answers.sum() + 2)
    worth = answers + ANSWERS_BEFORE
    questions = np.maximum(1.0, credit.sum(axis=0))
    approvals = credit.T @ ((dopes + ANSWERS_BEFORE * level) / worth) / questions
    credit /= questions
    covariance = (credit * (level * (1 - level) / worth)[:, None]).T @ credit
    covariance = (covariance + covariance.T) / 2  # a product of matrices rounds its two halves differently
    own = np.diagonal(covariance)
    variance = np.maximum(0.0, own[:, None] + own - 2 * covariance)
    # Those who found the same everywhere, or nothing at all, cannot be told apart by any vote.
    usable = (variance > 1e-9 * own.max(initial=0.0)) & (own > 0) & (own > 0)[:, None]
    apart = (approvals[:, None] - approvals) ** 2  # squared standard errors from here on
    apart = np.divide(apart, variance, out=np.full_like(variance, SETTLED**2), where=usable)
    needs = np.clip(SETTLED**2 / np.maximum(apart, 1e-9) - 1, 0, MOST_NEED)
    leads = np.exp(-apart[np.argmax(np.where(own > 0, approvals, -1.0))] / 2) if len(own) else own
    leads = np.where(own > 0, leads, 0.0)
    weights: Floats = needs * (OTHERS + (1 - OTHERS) * np.maximum(leads[:, None], leads))
    np.fill_diagonal(weights, 0.0)
    return weights
