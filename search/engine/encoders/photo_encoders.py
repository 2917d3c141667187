"""Encoders as a web process runs them, on one photo at a time: numpy, or a kept export; never torch.

A kept export is of the very version that a space was embedded with, also where the network was trained again
since. Where none is kept yet, a worker makes one (`search.engine.runtime`). Encoders of plug-ins run in
workers alone, and spaces of bare vectors have no encoder at all.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from search.engine.encoders import control, histograms, trained, vgg
from search.engine.encoders.base import EncoderError, Image, Picture, Vectors
from search.engine.runtime import KeptNetwork, open_kept

MOST_OPEN = 4  # networks that a process holds; VGG-16 takes half a gigabyte
# Vectors (d,) by encoder: all layers and masks of a network come from one pass.
Encode = Callable[[Picture], Mapping[str, Vectors]]

_FUNCTIONS: Mapping[str, tuple[str, Callable[[Picture], Vectors]]] = {
    **{info.name: (info.version, function) for info, function in histograms.FUNCTIONS},
    **{info.name: (info.version, function) for info, function in control.FUNCTIONS},
}


class NeedsWorker(EncoderError):
    """The encoder cannot run in this process, or not yet; a worker can run it."""


class RefusesPhotos(EncoderError):
    """No encoder here makes vectors of this space; the message says why, and the remedy."""


@dataclass(frozen=True)
class EncoderVersion:
    """What made the vectors of an embedding space."""

    encoder: str
    version: str
    family: str
    mask: str = ""

    @property
    def network(self) -> str:
        """The name that the whole encoder and its masks have in common."""
        return self.encoder.removesuffix(f".{self.mask}") if self.mask else self.encoder


def takes_photos(family: str) -> bool:
    """Whether any encoder of this family can look at a photo; spaces of bare vectors have none."""
    return family in (*LAYERS_OF, "histograms", "control", "plugin")


def may_run_here(family: str) -> bool:
    """Whether encoders of this family can run without torch, once their network is exported."""
    return takes_photos(family) and family != "plugin"


def open_here(made: EncoderVersion, *, cache_folder: Path, threads: int | None = None) -> Encode:
    """The encoder, to be run in this process. Opened once; any number of threads may call it.

    Raises RefusesPhotos, and NeedsWorker where a worker has to run it or to export its network.
    """
    if made.encoder in _FUNCTIONS:
        version, function = _FUNCTIONS[made.encoder]
        if version != made.version:
            raise RefusesPhotos(
                f"The vectors of “{made.encoder}” were made by an older version of it, which is not here any "
                "more. Build the catalogue's contenders again."
            )
        return lambda picture: {made.encoder: function(picture)}
    if not takes_photos(made.family):
        raise RefusesPhotos(
            f"“{made.encoder}” is known by its vectors alone: nothing here can make the same of a photo. "
            "Search from one of the catalogue's items, or choose another encoder."
        )
    if made.family not in LAYERS_OF:
        raise NeedsWorker(f"“{made.encoder}” comes from another package, whose code only workers run.")
    return LAYERS_OF[made.family](made, cache_folder, threads)


def _open_trained(made: EncoderVersion, cache_folder: Path, threads: int | None) -> Encode:
    if not trained.frames_alike(made.version):
        raise RefusesPhotos(
            f"The vectors of “{made.encoder}” were made of pictures framed in an older way. "
            "Build the catalogue's contenders again."
        )
    network = _networks.open(f"{made.network}-{made.version}", cache_folder, threads)
    names = {layer: trained.name_of_layer(made.network, layer) for layer in network.layers}
    return partial(_run, network, names, partial(trained.frame, side=network.side))


def _open_vgg(made: EncoderVersion, cache_folder: Path, threads: int | None) -> Encode:
    network = _networks.open(vgg.export_key(made.version), cache_folder, threads)
    names = {layer: name for name, layer in vgg.LAYER_OF.items()}
    return partial(_run, network, names, vgg.frame)


LAYERS_OF: Mapping[str, Callable[[EncoderVersion, Path, int | None], Encode]] = {
    "trained": _open_trained,
    "vgg": _open_vgg,
}


def _run(
    network: KeptNetwork, names: Mapping[str, str], frame: Callable[[Picture], Image], picture: Picture
) -> Mapping[str, Vectors]:
    found = network.run(frame(picture)[None])
    return {names[layer]: rows[0] for layer, rows in found.items()}


class _OpenNetworks:
    """The networks that were used last, by key: a key names its weights' version, so it never changes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: OrderedDict[Path, KeptNetwork] = OrderedDict()

    def open(self, key: str, cache_folder: Path, threads: int | None) -> KeptNetwork:
        place = cache_folder / key
        with self._lock:
            network = self._open.pop(place, None) or open_kept(
                key, cache_folder=cache_folder, threads=threads
            )
            if network is None:
                raise NeedsWorker(f"The network “{key}” is not exported yet; a worker does that.")
            self._open[place] = network
            if len(self._open) > MOST_OPEN:
                self._open.popitem(last=False)
            return network


_networks = _OpenNetworks()
