"""Rankers as a training publishes them, with drawn networks: they play, though they learned nothing."""

from datetime import datetime
from pathlib import Path

import numpy as np
from django.conf import settings

from evaluation.services.game_grounds import freeze, open_ground
from search.engine.encoders.trained import version_of
from search.engine.encoders.trained_files import write_trained
from search.engine.navigation.history import History
from search.engine.navigation.policies.dqn import Ranker, make_observer, pack_ranker
from search.models import Catalogue, Training
from search.selectors.trainings import published_folder
from search.services.navigation_terrain import choose_spaces, say_versions
from tests.factories import NOW

HIDDEN = 6


def make_ranker(
    catalogue: Catalogue,
    *,
    name: str = "ranker",
    believes: bool = False,
    slate: int = 4,
    seed: int = 0,
    at: datetime = NOW,
) -> Training:
    """A finished training in the space that people play on; ``seed`` draws its networks."""
    spaces = choose_spaces(catalogue)
    terrain = open_ground(freeze(spaces)).terrain
    observer = make_observer(terrain, believes=believes, seed=0)
    told = observer.look(History(start=0), slate).describe([]).shape[1]
    rng = np.random.default_rng(seed)

    def draw(width: int, *, of: int) -> tuple[np.ndarray, np.ndarray]:
        return rng.normal(size=(width, of)).astype(np.float32), rng.normal(size=width).astype(np.float32)

    networks = tuple(
        (draw(HIDDEN, of=told), draw(HIDDEN, of=HIDDEN), draw(1, of=HIDDEN)) for _ in terrain.samplers
    )
    training = Training.objects.create(
        name=name,
        kind="dqn",
        catalogue=catalogue,
        catalogue_hash=catalogue.content_hash,
        space=spaces[0].encoder,
        settings={"belief": believes, "slate": slate},
        fingerprint=f"{name} {Training.objects.count()}",
        created_at=at,
        ready_at=at,
    )
    architecture = {
        "samplers": [space.name for space in terrain.samplers],
        "believes": believes,
        "versions": say_versions(spaces),
    }
    card = {"name": name, "kind": "dqn", "architecture": architecture}
    written = write_trained(published_folder(training), pack_ranker(Ranker(networks, believes)), card)
    training.encoder_version = version_of(written)
    training.save()
    return training


def find_weights(name: str = "ranker") -> Path:
    """The file of a ranker as it was published."""
    [path] = (Path(settings.RANKERS_FOLDER) / name).glob("*.safetensors")
    return path


def find_played() -> list[Path]:
    """The files of those that were kept for games."""
    return sorted(Path(settings.PLAYED_RANKERS_FOLDER).glob("*/*.safetensors"))
