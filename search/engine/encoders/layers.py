"""Encoders that are layers of one network: shared by the families that bring such networks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from search.engine.encoders.base import EncoderInfo, Image, Picture, Surroundings, Vectors
from search.engine.runtime import Network, NetworkSpec, open_network


@dataclass(frozen=True)
class LayerEncoder:
    """A joint encoder whose spaces are layers of a network.

    ``frame`` brings a picture to the network's square; ``layers`` names the layer behind each of ``infos``.
    """

    infos: tuple[EncoderInfo, ...]
    layers: tuple[str, ...]
    network: Network
    frame: Callable[[Picture], Image]
    batch_size: int
    at_once: int

    def encode(self, pictures: Iterable[Picture]) -> Mapping[str, Vectors]:
        """See `JointEncoder.encode`. Runs the network on at most ``batch_size`` pictures at a time."""
        framed = map(self.frame, pictures)
        vectors: dict[str, list[Vectors]] = {info.name: [] for info in self.infos}
        while batch := list(islice(framed, self.batch_size)):
            outputs = self.network.run(np.stack(batch))
            for info, layer in zip(self.infos, self.layers, strict=True):
                vectors[info.name].append(outputs[layer])
        return {
            info.name: np.concatenate([np.empty((0, info.dimensions), dtype=np.float32), *vectors[info.name]])
            for info in self.infos
        }


def open_layers(
    infos: Sequence[EncoderInfo],
    layer_of: Mapping[str, str],
    spec: NetworkSpec,
    frame: Callable[[Picture], Image],
    surroundings: Surroundings,
    *,
    batch_size: int,
    at_once: int,
) -> LayerEncoder:
    """Open a network and answer with those of its layers that are asked for, by encoder name.

    On a CPU the calls ``at_once`` share its cores.
    """
    network = open_network(
        spec,
        device=surroundings.device,
        cache_folder=surroundings.cache_folder,
        threads=max(1, surroundings.cores // at_once),
    )
    layers = tuple(layer_of[info.name] for info in infos)
    return LayerEncoder(tuple(infos), layers, network, frame, batch_size, at_once)
