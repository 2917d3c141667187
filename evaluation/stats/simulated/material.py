"""Does retraining on people's answers about some materials raise agreement on others that it never saw?

Real answers, of Lagunas et al. 2019: which of two materials looks more like a third? They are asked about
`material100` in the folder that DOPEORNOPE_DATA names. The parent is a shipped encoder; its head learns, and
apart from that its masks alone, on what its trunk says of the pictures, by the production code. In each of
five folds over materials nothing is learned from a question that has one of the fold's in it, and those are
asked about whose reference is in it. Agreement is with what most people chose; ties are left out.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from evaluation.stats.simulated.study import Outcome, Study
from evaluation.stats.votes import Floats, Places
from search.catalogues.judgements import read_judgements
from search.engine.bootstrap import DRAWS
from search.engine.encoders.trained import find_folder, frame
from search.engine.encoders.trained_files import read_trained_card
from search.engine.images import normalise
from search.engine.trained_networks import Architecture
from search.engine.training.judgements import divide_things
from search.engine.training.retrained_vectors import retrain_features, see_pictures
from search.engine.training.retraining import Lessons, measure_distances
from search.engine.training.settings import HEAD, MASKS, RetrainSettings

CODE = (
    "search.catalogues.judgements",
    "search.engine.training.retrained_vectors",
    "search.engine.training.judgements",
    "search.engine.images",
)
PARENT, LIGHT, FOLDS = "thimble-csn", "havran1_ennis_298x298_LDR", 5
ALIKE = 0.01  # of the mean squared distance: two materials that look the same lie in one fold


@dataclass(frozen=True)
class Materials:
    """What the parent sees, and the questions with a majority: the chosen option stands first.

    ``features`` and ``vectors`` (m, ...) are its trunk's and its first layer's; ``units`` (m,) number
    materials so that those that look the same have one number; ``leads`` (q,): by how many people.
    """

    folder: Path
    features: NDArray[np.float32]
    vectors: NDArray[np.float32]
    units: Places
    triplets: Places
    leads: NDArray[np.float32]


def find_data() -> Path | None:
    """The folder of the published answers and pictures, None where it is not there."""
    folder = Path(os.environ.get("DOPEORNOPE_DATA", "")) / "material100"
    return folder if (folder / "triplets.csv").is_file() else None


def missing() -> str:
    """What has to be there for this study and is not; blank where it is."""
    return "" if find_data() else "set DOPEORNOPE_DATA to a folder that holds material100/"


@cache
def open_materials() -> Materials:
    data, folder = find_data(), find_folder(PARENT, None)
    if data is None:
        raise FileNotFoundError(missing())
    judgements = read_judgements(data / "triplets.csv")
    side = Architecture.from_json(read_trained_card(folder)["architecture"]).side
    stored = [normalise((data / LIGHT / f"{name}.jpg").read_bytes()) for name in judgements.names]
    pictures = [Image.open(BytesIO(picture.data)).convert("RGB") for picture in stored]
    features, vectors = see_pictures(folder, np.stack([frame(picture, side=side) for picture in pictures]))
    votes = judgements.votes
    decided = votes[:, 0] != votes[:, 1]
    turned = np.where(
        (votes[:, 0] > votes[:, 1])[:, None], judgements.triplets, judgements.triplets[:, [0, 2, 1]]
    )
    leads = np.abs(votes[:, 0] - votes[:, 1]).astype(np.float32)
    return Materials(folder, features, vectors, _number(features), turned[decided], leads[decided])


def repeat(rng: np.random.Generator) -> Outcome:
    """One division into folds: per material, how often its questions were answered as most people did."""
    materials, seed = open_materials(), int(rng.integers(2**31))
    things = np.arange(len(materials.vectors))
    before = agree(materials.vectors, materials.triplets)
    after = {learn: np.zeros(len(before)) for learn in (HEAD, MASKS)}
    for fold in divide_things(things, materials.units, FOLDS, seed=seed):
        kept_away = np.isin(materials.triplets, fold)
        taught, asked = ~kept_away.any(axis=1), kept_away[:, 0]
        lessons = Lessons(materials.triplets[taught], materials.leads[taught])
        for learn, right in after.items():
            settings = RetrainSettings.learning(learn, {"seed": str(seed)})
            vectors, _ = retrain_features(
                materials.folder, materials.features, lessons, settings, materials.units
            )
            right[asked] = agree(vectors, materials.triplets[asked])
    counted = {"asked": np.ones(len(before)), "before": before, **after}
    sums = {
        name: np.bincount(materials.triplets[:, 0], right, len(things)) for name, right in counted.items()
    }
    return {f"{thing} {name}": float(of[thing]) for name, of in sums.items() for thing in things}


def sum_up(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Shares, with the ends of the gain's 95 % interval: materials drawn again, as references (bootstrap)."""
    things = len(outcomes[0]) // 4
    of = {
        name: np.mean([[one[f"{thing} {name}"] for thing in range(things)] for one in outcomes], axis=0)
        for name in ("asked", "before", HEAD, MASKS)
    }
    asked = of["asked"].sum()
    figures = {"before": of["before"].sum() / asked, "after": of[HEAD].sum() / asked}
    figures |= _bounds(of[HEAD] - of["before"], of["asked"])
    of_masks = _bounds(of[MASKS] - of["before"], of["asked"])
    figures |= {f"masks_{name}": value for name, value in of_masks.items()}
    return {"material": {**figures, "masks_after": of[MASKS].sum() / asked}}


def agree(vectors: NDArray[np.floating], triplets: Places) -> Floats:
    """(q,): 1 where what most people chose lies nearer, a half where both are as near."""
    near, far = measure_distances(vectors, triplets)
    return np.where(near == far, 0.5, near < far)


def _bounds(gains: Floats, asked: Floats) -> dict[str, float]:
    """Of the gain per question, from sums over each reference (references,)."""
    drawn = np.random.default_rng(0).multinomial(len(asked), np.full(len(asked), 1 / len(asked)), size=DRAWS)
    low, high = np.quantile((drawn @ gains) / (drawn @ asked), [0.025, 0.975])
    return {"low": float(low), "high": float(high)}


def _number(features: NDArray[np.float32]) -> Places:
    """(m,): the same number for what looks the same to the trunk."""
    squared = np.square(features[:, None] - features[None]).mean(axis=2)
    return np.asarray((squared < ALIKE * squared.mean()).argmax(axis=1))


MATERIAL = Study("material", repeat, sum_up, effort=0.01, code=CODE, missing=missing)
