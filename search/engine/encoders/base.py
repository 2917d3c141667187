"""What every encoder is: the words, shapes and errors that all families share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from search.engine.errors import ArtifactDamaged, EngineError

Image = NDArray[np.uint8]  # (h, w, 3), sRGB
Picture: TypeAlias = PillowImage.Image  # decoded, mode RGB
Vectors = NDArray[np.float32]  # (n, d)
Availability = Literal["ready", "weights-missing", "broken", "untried"]
Device = Literal["auto", "cpu", "cuda"]


class EncoderError(EngineError):
    """An encoder cannot be had or cannot do its work; the message names it and the remedy."""


class UnknownEncoder(EncoderError):
    """No encoder of that name is registered; the message offers the closest names."""


class EncoderUnavailable(EncoderError):
    """The encoder is listed but cannot run here: weights are missing, or a plug-in is broken."""


class WeightsDamaged(EncoderError, ArtifactDamaged):
    """A weights file is not the one that was published or shipped: its checksum differs."""


class BadEncoding(EncoderError):
    """An encoder answered with something other than one finite vector of its length per image."""


@dataclass(frozen=True, slots=True)
class EncoderInfo:
    """What is known about an encoder without loading it.

    ``version`` changes whenever the same image may get another vector, so (name, version) identifies
    an embedding space's encoder. ``sign_structured`` says that a component's sign already carries
    meaning (bit = value > 0), as after a ReLU; other spaces are centred before signs are taken.
    Encoders with the same ``network`` are layers of one network and can share a forward pass. ``mask`` is the
    aspect by which a conditional network's answer is weighted.
    ``dimensions`` is 0 where it cannot be known: a plug-in that is broken or was not tried.
    """

    name: str
    family: str
    title: str
    dimensions: int
    version: str
    sign_structured: bool
    network: str
    availability: Availability = "ready"
    remedy: str = ""
    is_control: bool = False
    mask: str = ""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where encoders find and keep their files, and what they may compute with.

    ``weights_folder`` holds weights that the operator brought, ``trained_folder`` encoders that were trained
    here; ``cache_folder`` may be filled with exported networks and deleted at any time (None: export into
    memory). ``threads`` None means every core this
    process may use; an encoder that takes several calls at once shares them out among those calls. Without
    ``try_plugins`` those of other packages are listed as "untried".
    """

    device: Device = "auto"
    weights_folder: Path | None = None
    trained_folder: Path | None = None
    cache_folder: Path | None = None
    threads: int | None = None
    try_plugins: bool = True

    @property
    def cores(self) -> int:
        return self.threads or len(os.sched_getaffinity(0))


@runtime_checkable
class Encoder(Protocol):
    """Turns images into vectors. Results do not depend on how images are grouped into batches."""

    @property
    def info(self) -> EncoderInfo: ...

    @property
    def batch_size(self) -> int:
        """How many images one call to `encode` is best given."""
        ...

    def encode(self, images: Sequence[Image]) -> Vectors:
        """Encode n images, each (h, w, 3) uint8 sRGB of any size, to (n, d) float32.

        Raises ValueError for an array that is no such image.
        """
        ...


class JointEncoder(Protocol):
    """Several layers of one network behind one forward pass."""

    @property
    def infos(self) -> tuple[EncoderInfo, ...]: ...

    @property
    def batch_size(self) -> int: ...

    @property
    def at_once(self) -> int:
        """How many threads may call `encode` at the same time, and best do; 1: the one that loaded it."""
        ...

    def encode(self, pictures: Iterable[Picture]) -> Mapping[str, Vectors]:
        """Encode n RGB pictures of any size to (n, d) float32 by encoder name; takes each as it needs it."""
        ...


class Family(Protocol):
    """One file of this package: the encoders that share code."""

    def describe(self, surroundings: Surroundings) -> list[EncoderInfo]:
        """List the family's encoders. Cheap: reads no weights and imports no torch."""
        ...

    def create(self, infos: Sequence[EncoderInfo], surroundings: Surroundings) -> JointEncoder:
        """Load encoders that share a network. Raises EncoderError."""
        ...


@dataclass(frozen=True)
class FunctionEncoder:
    """A joint encoder of one space whose vectors come from a function of one image."""

    info: EncoderInfo
    vector_of: Callable[[Picture], Vectors]  # -> (d,)
    at_once: int
    batch_size: int = 64

    @property
    def infos(self) -> tuple[EncoderInfo, ...]:
        return (self.info,)

    def encode(self, pictures: Iterable[Picture]) -> Mapping[str, Vectors]:
        """See `JointEncoder.encode`."""
        vectors = [self.vector_of(picture) for picture in pictures]
        return {self.info.name: np.array(vectors, dtype=np.float32).reshape(-1, self.info.dimensions)}


def check_images(images: Sequence[Image]) -> None:
    """Raise ValueError, naming the position, for anything that is not a (h, w, 3) uint8 image."""
    for position, image in enumerate(images):
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
            raise ValueError(
                f"Image {position} is {image.dtype} of shape {image.shape}; encoders take uint8 arrays "
                "of shape (height, width, 3). Read it with search.engine.images.load_rgb."
            )
