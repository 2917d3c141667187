"""Encoders as trainings publish them, small and untrained."""

import json

import numpy as np
import torch

from search.engine import encoders
from search.engine.encoders.trained_files import write_trained
from search.engine.trained_networks import Architecture, make_network
from search.engine.weight_files import pack_weights
from tests.engine.training.squares import SIDE

CSN = Architecture("csn", "thimble", SIDE, 8, masks=("colour", "size"), masks_sum_to_one=True)


def make(architecture=CSN, seed=0):
    torch.manual_seed(seed)
    return make_network(architecture).eval()


def write(parent, name="pupil", *, architecture=CSN, seed=0, **card):
    """An encoder as a training publishes it; returns its folder."""
    described = {"name": name, "kind": architecture.kind, "architecture": architecture.as_json(), **card}
    write_trained(parent / name, pack_weights(make(architecture, seed)), described)
    return parent / name


def describe(parent):
    """What is listed of the operator's own encoders."""
    infos = encoders.list_encoders(trained_folder=parent, try_plugins=False)
    return {info.name: info for info in infos if info.family == "trained" and info.network != "shipped"}


def draw_photos(count=3):
    generator = np.random.default_rng(0)
    return [generator.integers(0, 256, (50 + at, 70 - at, 3)).astype(np.uint8) for at in range(count)]


def open_encoder(name, parent, exports=None):
    return encoders.create_encoder(name, "cpu", trained_folder=parent, cache_folder=exports, threads=1)


def change_card(folder, **changes):
    card = json.loads((folder / "card.json").read_bytes())
    card |= changes
    (folder / "card.json").write_text(json.dumps({k: v for k, v in card.items() if v is not ...}))
