"""Encoders that are layers of one network: shared by the families that bring such networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from search.engine.encoders.base import EncoderInfo, Image, Surroundings, Vectors, check_images
from search.engine.runtime import Network, NetworkSpec, open_network


@dataclass(frozen=True)
class LayerEncoder:
    """A joint encoder whose spaces are layers of a network.

    ``frame`` brings an image to the network's square; ``layers`` names the layer behind each of ``infos``.
    """

    infos: tuple[EncoderInfo, ...]
    layers: tuple[str, ...]
    network: Network
    frame: Callable[[Image], Image]
    batch_size: int

    def encode(self, images: Sequence[Image]) -> Mapping[str, Vectors]:
        """See `JointEncoder.encode`. Runs the network on at most ``batch_size`` images at a time."""
        check_images(images)
        vectors = {
            info.name: np.empty((len(images), info.dimensions), dtype=np.float32) for info in self.infos
        }
        for start in range(0, len(images), self.batch_size):
            pictures = np.stack([self.frame(image) for image in images[start : start + self.batch_size]])
            outputs = self.network.run(pictures)
            for info, layer in zip(self.infos, self.layers, strict=True):
                vectors[info.name][start : start + len(pictures)] = outputs[layer]
        return vectors


def open_layers(
    infos: Sequence[EncoderInfo],
    layer_of: Mapping[str, str],
    spec: NetworkSpec,
    frame: Callable[[Image], Image],
    surroundings: Surroundings,
    *,
    batch_size: int,
) -> LayerEncoder:
    """Open a network and answer with those of its layers that are asked for, by encoder name."""
    network = open_network(
        spec,
        device=surroundings.device,
        cache_folder=surroundings.cache_folder,
        threads=surroundings.threads,
    )
    layers = tuple(layer_of[info.name] for info in infos)
    return LayerEncoder(tuple(infos), layers, network, frame, batch_size)
