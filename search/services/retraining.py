"""Retraining asked for: a trained encoder taught once more by triplets of a catalogue's items.

Who wants it, and what the triplets come from, is the caller's business. What the job does is in
`retraining_run`; what is learned, and how, in `search.engine.training.retraining`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from django.conf import settings as site
from django.db import transaction
from numpy.typing import NDArray

from search.engine.encoders import EncoderInfo
from search.engine.encoders.base import WeightsDamaged
from search.engine.encoders.trained import find_folder, version_of
from search.engine.encoders.trained_files import read_trained_card
from search.engine.training.settings import MASKS, RETRAIN, RetrainSettings
from search.engine.training.typed_settings import BadSetting
from search.models import Catalogue, CatalogueState, Item, Split, Training
from search.selectors.catalogues import hash_units
from search.selectors.encoders import list_known_encoders
from search.services.lesson_files import name_some, write_lessons
from search.services.training import ensure_job
from search.services.training_wishes import LONGEST_ENCODER, TrainingRefused, check_name

PARENTS = ("transfer", "siamese", "csn")  # kinds of networks that can be taught once more
AT_ONCE = 5000  # items asked for in one query


@dataclass(frozen=True)
class RetrainingWish:
    """What is to be taught: ``parent``, an encoder or its network, by ``triplets`` of items' primary keys.

    ``learn`` is one of `search.engine.training.settings.LEARN`; ``weights`` say how much each triplet counts,
    all the same where there are none; ``settings`` as text by name, see `RetrainSettings`.
    """

    name: str
    catalogue: Catalogue
    parent: str
    learn: str
    triplets: Sequence[tuple[int, int, int]]
    weights: Sequence[float] | None = None
    settings: Mapping[str, str] | None = None
    device: str = "auto"


@dataclass(frozen=True)
class Parent:
    """The network that is taught, with its card."""

    network: str
    card: dict[str, Any]

    @property
    def version(self) -> str:
        return version_of(self.card)

    @property
    def masks(self) -> list[str]:
        return list(self.card["architecture"].get("masks", ()))


def request_retraining(wish: RetrainingWish, *, now: datetime) -> Training:
    """The training that was asked for, with its job: made, or found where everything is the same.

    One that failed or was cancelled goes on, as in `request_training`. Where nothing was gained the encoder
    is its parent's equal: its card has ``best_step`` 0. Raises ``TrainingRefused``, DiskFull.
    """
    check_name(wish.name)
    settings = _read_settings(wish)
    parent = find_parent(wish.parent)
    _check_parent(wish, parent)
    positions, weights = _read_triplets(wish)
    path, sha256 = write_lessons(positions, weights, content_hash=wish.catalogue.content_hash)
    with transaction.atomic():
        training, made = Training.objects.get_or_create(
            fingerprint=_fingerprint(wish, settings, parent, triplets=sha256),
            defaults={
                "name": wish.name,
                "kind": RETRAIN,
                "catalogue": wish.catalogue,
                "catalogue_hash": wish.catalogue.content_hash,
                "aspects": parent.masks,
                "settings": settings.as_json(),
                "device": wish.device,
                "triplets": str(path),
                "triplets_sha256": sha256,
                "parent": parent.network,
                "parent_version": parent.version,
                "created_at": now,
            },
        )
        title = f"Retrain {parent.network} as {wish.name} ({wish.learn})"
        ensure_job(training, made=made, title=title, now=now)
    return training


def find_parent(name: str) -> Parent:
    """The network of this name, or with an encoder of this name. Raises ``TrainingRefused``."""
    infos = [info for info in list_known_encoders() if info.family == "trained"]
    found = next((info for info in infos if name in (info.name, info.network)), None)
    if found is None:
        there_are = ", ".join(dict.fromkeys(info.network for info in infos)) or "none"
        raise TrainingRefused(
            f"There is no trained encoder “{name}” to retrain. There are: {there_are}.", about="parent"
        )
    return Parent(found.network, _read_parent(found))


def _read_parent(found: EncoderInfo) -> dict[str, Any]:
    if found.availability != "ready":
        raise TrainingRefused(f"“{found.network}” cannot be retrained. {found.remedy}", about="parent")
    try:
        return read_trained_card(find_folder(found.network, site.TRAINED_FOLDER))
    except WeightsDamaged as error:
        raise TrainingRefused(str(error), about="parent") from error


def _read_settings(wish: RetrainingWish) -> RetrainSettings:
    try:
        return RetrainSettings.learning(wish.learn, wish.settings or {})
    except BadSetting as error:
        raise TrainingRefused(str(error), about="settings") from error


def _check_parent(wish: RetrainingWish, parent: Parent) -> None:
    kind = parent.card["kind"]
    if kind not in PARENTS:
        raise TrainingRefused(
            f"“{parent.network}” is of the kind {kind}; retrained are {', '.join(PARENTS)}. Choose another.",
            about="parent",
        )
    if wish.name == parent.network:
        raise TrainingRefused(
            f"A retrained encoder stands beside its parent “{wish.name}”: give it a name of its own.",
            about="name",
        )
    if wish.learn == MASKS and not parent.masks:
        raise TrainingRefused(
            f"“{parent.network}” has no masks to learn: let its head learn, or choose a csn encoder.",
            about="learn",
        )
    if any(len(f"{wish.name}.{mask}") > LONGEST_ENCODER for mask in parent.masks):
        raise TrainingRefused(
            f"“{wish.name}” with the name of a mask is longer than {LONGEST_ENCODER} characters: choose a "
            "shorter one.",
            about="name",
        )


def _read_triplets(wish: RetrainingWish) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The triplets as positions (k, 3), and their weights (k,). Raises ``TrainingRefused``."""
    if wish.catalogue.state != CatalogueState.READY:
        raise TrainingRefused(
            f"“{wish.catalogue.title}” is not ready but {wish.catalogue.state}: finish its import first.",
            about="catalogue",
        )
    if not len(wish.triplets):
        raise TrainingRefused("There is no triplet to learn from: wait for more votes.", about="triplets")
    triplets = np.array(wish.triplets, np.int64).reshape(-1, 3)
    same = (triplets == np.roll(triplets, 1, axis=1)).any(axis=1)
    if same.any():
        raise TrainingRefused(
            f"{same.sum():,} of {len(triplets):,} triplets name one item twice, which teaches nothing: give "
            "three different items in each.",
            about="triplets",
        )
    if len(np.unique(triplets[:, 0])) < 2:
        raise TrainingRefused(
            "All triplets have one anchor, so nothing is left to judge by: wait for votes on more questions.",
            about="triplets",
        )
    weights = np.ones(len(triplets)) if wish.weights is None else np.array(wish.weights, float)
    if len(weights) != len(triplets) or not (np.isfinite(weights) & (weights > 0)).all():
        raise TrainingRefused("Each triplet has one weight, a number above zero.", about="weights")
    named, places = np.unique(triplets, return_inverse=True)
    return _find_positions(wish.catalogue, named)[places.reshape(-1, 3)], weights.astype(np.float32)


def _find_positions(catalogue: Catalogue, items: NDArray[np.int64]) -> NDArray[np.int64]:
    """Positions of trainable items. Raises ``TrainingRefused``: no encoder is judged on what taught it."""
    rows: dict[int, list[Any]] = {}
    for start in range(0, len(items), AT_ONCE):
        asked = Item.objects.filter(catalogue=catalogue, pk__in=items[start : start + AT_ONCE].tolist())
        rows |= {pk: rest for pk, *rest in asked.values_list("pk", "position", "key", "split")}
    missing = len(items) - len(rows)
    if missing:
        raise TrainingRefused(
            f"{missing:,} of {len(items):,} items that triplets name are not in “{catalogue.title}”: give "
            "triplets of its items.",
            about="triplets",
        )
    kept_away = [key for _, key, split in rows.values() if split != Split.TRAINABLE]
    if kept_away:
        raise TrainingRefused(
            f"Triplets name evaluation-only items ({len(kept_away):,}: {name_some(sorted(kept_away))}), on "
            "which encoders are judged: none may learn from them. Give triplets of trainable items.",
            about="triplets",
        )
    return np.array([rows[pk][0] for pk in items.tolist()], np.int64)


def _fingerprint(wish: RetrainingWish, settings: RetrainSettings, parent: Parent, *, triplets: str) -> str:
    facts = {
        "name": wish.name,
        "kind": RETRAIN,
        "catalogue": wish.catalogue.pk,
        "content": wish.catalogue.content_hash,
        "units": hash_units(wish.catalogue),
        "parent": [parent.network, parent.version],
        "settings": settings.as_json(),
        "triplets": triplets,
        "device": wish.device,
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
