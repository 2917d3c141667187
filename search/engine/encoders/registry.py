"""Encoders by name: which there are, which can run here, and how to get one."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image as PillowImage

from search.engine.encoders import control, histograms, plugins, trained, vgg
from search.engine.encoders.base import (
    Device,
    Encoder,
    EncoderInfo,
    EncoderUnavailable,
    Family,
    Image,
    JointEncoder,
    Surroundings,
    UnknownEncoder,
    Vectors,
    check_images,
)

# Names are given out in this order: what people bring comes last and takes none from the others.
FAMILIES: dict[str, Family] = {
    "vgg": vgg,
    "histograms": histograms,
    "control": control,
    "trained": trained,
    "plugin": plugins,
}


def list_encoders(
    *, weights_folder: Path | None = None, trained_folder: Path | None = None, try_plugins: bool = True
) -> list[EncoderInfo]:
    """List every encoder, also those that cannot run here, with the remedy. Imports no torch.

    The first call that tries plug-ins may take minutes; without ``try_plugins`` no foreign code is run.
    """
    surroundings = Surroundings(
        weights_folder=weights_folder, trained_folder=trained_folder, try_plugins=try_plugins
    )
    infos: dict[str, EncoderInfo] = {}
    for family in FAMILIES.values():
        for info in family.describe(surroundings):
            if info.name in infos:  # only trained encoders and plug-ins, which come last, can take one twice
                info = _refuse_name(info)
            infos[info.name] = info
    return list(infos.values())


def _refuse_name(info: EncoderInfo) -> EncoderInfo:
    """What has a name that is taken: listed apart, and never run instead of the other."""
    what = "entry point" if info.family == "plugin" else "encoder"
    remedy = f"The name '{info.name}' is taken; give the {what} another one."
    name = f"{info.name} (second)"
    return replace(info, name=name, network=name, availability="broken", remedy=remedy)


def find_encoder(
    name: str, *, weights_folder: Path | None = None, trained_folder: Path | None = None
) -> EncoderInfo:
    """Look an encoder up by name.

    Raises UnknownEncoder, with the closest names, where there is none.
    """
    infos = {
        info.name: info
        for info in list_encoders(weights_folder=weights_folder, trained_folder=trained_folder)
    }
    if name in infos:
        return infos[name]
    close = difflib.get_close_matches(name, infos, n=3, cutoff=0.5)
    hint = f"Did you mean {' or '.join(close)}?" if close else f"There are: {', '.join(sorted(infos))}."
    raise UnknownEncoder(f"There is no encoder named '{name}'. {hint}")


def create_encoder(
    name: str,
    device: Device = "auto",
    *,
    weights_folder: Path | None = None,
    trained_folder: Path | None = None,
    cache_folder: Path | None = None,
    threads: int | None = None,
) -> Encoder:
    """Load one encoder.

    ``weights_folder`` is where the operator's weights lie, ``trained_folder`` what was trained here,
    ``cache_folder`` where exported networks are kept between runs. Raises UnknownEncoder, EncoderUnavailable
    (with the remedy) and WeightsDamaged.
    """
    joint = create_joint_encoder(
        [name],
        device,
        weights_folder=weights_folder,
        trained_folder=trained_folder,
        cache_folder=cache_folder,
        threads=threads,
    )
    return _OneLayer(joint, joint.infos[0])


def create_joint_encoder(
    names: Sequence[str],
    device: Device = "auto",
    *,
    weights_folder: Path | None = None,
    trained_folder: Path | None = None,
    cache_folder: Path | None = None,
    threads: int | None = None,
) -> JointEncoder:
    """Load encoders that are layers of one network, to be run with one forward pass per image.

    Raises ValueError for names of different networks (`group_by_network` sorts them), and what
    `create_encoder` raises.
    """
    surroundings = Surroundings(device, weights_folder, trained_folder, cache_folder, threads)
    infos = [
        find_encoder(name, weights_folder=weights_folder, trained_folder=trained_folder) for name in names
    ]
    if len({info.network for info in infos}) != 1:
        raise ValueError(f"Encoders of different networks cannot share a pass: {', '.join(names)}.")
    for info in infos:
        if info.availability != "ready":
            raise EncoderUnavailable(f"Encoder '{info.name}' cannot run: {info.availability}. {info.remedy}")
    return FAMILIES[infos[0].family].create(infos, surroundings)


def group_by_network(infos: Sequence[EncoderInfo]) -> list[list[EncoderInfo]]:
    """Group encoders that can share a forward pass, in order of first appearance."""
    groups: dict[str, list[EncoderInfo]] = {}
    for info in infos:
        groups.setdefault(info.network, []).append(info)
    return list(groups.values())


@dataclass(frozen=True)
class _OneLayer:
    """One space of a joint encoder, as an encoder."""

    joint: JointEncoder
    info: EncoderInfo

    @property
    def batch_size(self) -> int:
        return self.joint.batch_size

    def encode(self, images: Sequence[Image]) -> Vectors:
        check_images(images)
        return self.joint.encode(map(PillowImage.fromarray, images))[self.info.name]
