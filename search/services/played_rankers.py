"""Rankers that people play with: which there are for their games, each kept as it was when it could be drawn.

A training of the same name takes the place of a ranker's files. A game goes on with the networks that it was
begun with, so these are kept under their own checksum before it is.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings

from search.engine.encoders.base import WeightsDamaged
from search.engine.encoders.trained import version_of
from search.engine.encoders.trained_files import weights_path, write_trained
from search.engine.errors import DiskFull
from search.engine.navigation.policies.dqn import Ranker, read_ranker
from search.models import EmbeddingSpace, Training
from search.selectors.trainings import published_folder
from search.services.navigation_terrain import say_versions
from search.services.rankers import BELIEVES, NoRanker

log = logging.getLogger(__name__)


def list_playable(*, spaces: Sequence[EmbeddingSpace], slate: int) -> dict[str, str]:
    """By the policy's name, the sha256 of the newest ranker of games on these very spaces with such slates.

    ``spaces``: the whole one, then its masks. What is damaged, gone or cannot be kept is left out, and the
    log says so; so is what another training took the place of, and what learned in another build.
    """
    found: dict[str, str] = {}
    for training in _list_trained(spaces[0], slate):
        policy = next(name for name, believes in BELIEVES.items() if believes == training.settings["belief"])
        if policy in found:
            continue
        sha256 = _keep(training, say_versions(spaces))
        if sha256 is not None:
            found[policy] = sha256
    return found


def open_played(sha256: str) -> Ranker:
    """The ranker that was kept under this checksum. Raises ``NoRanker``."""
    folder = _folder_of(sha256)
    try:
        ranker, card = read_ranker(folder)
    except WeightsDamaged as error:
        raise NoRanker(str(error)) from error
    if card["sha256"] != sha256:
        raise NoRanker(f"{folder} holds another ranker than its name says.")
    return ranker


def _list_trained(whole: EmbeddingSpace, slate: int) -> list[Training]:
    """The finished trainings for such games, the newest first."""
    ready = Training.objects.filter(
        kind="dqn", catalogue=whole.catalogue_id, space=whole.encoder, ready_at__isnull=False
    )
    newest = ready.defer("curve").order_by("-ready_at", "-pk")
    return [training for training in newest if training.settings["slate"] == slate]


def _keep(training: Training, versions: dict[str, str]) -> str | None:
    """The sha256 of what this training made, once it is kept; None where that cannot be played with."""
    published = published_folder(training)
    try:
        _, card = read_ranker(published)
        is_its_own = version_of(card) == training.encoder_version
        if not is_its_own or card["architecture"].get("versions") != versions:
            return None
        sha256 = str(card["sha256"])
        if not _is_kept(sha256):
            write_trained(_folder_of(sha256), weights_path(published, card).read_bytes(), card)
    except (WeightsDamaged, DiskFull, OSError) as error:
        log.warning("No game draws the ranker “%s” (%s): train it again.", training.name, error)
        return None
    return sha256


def _is_kept(sha256: str) -> bool:
    try:
        open_played(sha256)
    except NoRanker:
        return False
    return True


def _folder_of(sha256: str) -> Path:
    folder: Path = settings.PLAYED_RANKERS_FOLDER
    return folder / sha256
