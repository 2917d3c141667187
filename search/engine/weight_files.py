"""Weights on disk: safetensors beside a card that names their checksum, and nothing that can run code."""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor, nn

from search.engine.encoders.base import WeightsDamaged
from search.engine.files import sha256_of, write_file
from search.engine.weight_cards import card_of, read_card


def write_weights(path: Path, tensors: dict[str, Tensor], card: dict[str, Any]) -> str:
    """Store tensors as safetensors, then their card with the sha256 added; return the sha256.

    The card comes last, so that a reader who finds both finds a pair that belongs together, or is
    told by the checksum that it does not. Raises DiskFull.
    """
    sha256 = write_file(path, _pack(tensors))
    text = json.dumps({**card, "file": path.name, "sha256": sha256}, indent=2, ensure_ascii=False)
    write_file(card_of(path), (text + "\n").encode())
    return sha256


def pack_weights(network: nn.Module) -> bytes:
    """A network's weights as the bytes of a safetensors file."""
    return _pack(network.state_dict())


def _pack(tensors: Mapping[str, Tensor]) -> bytes:
    return safetensors.torch.save({name: part.detach().cpu().contiguous() for name, part in tensors.items()})


def read_checked(path: Path, *, sha256: str) -> dict[str, Tensor]:
    """Read safetensors whose bytes have this checksum. Raises WeightsDamaged for any others."""
    try:
        found = sha256_of(path)
    except OSError as error:
        raise WeightsDamaged(f"{path} cannot be read: {error}. Restore it, or make it anew.") from error
    if found != sha256:
        raise WeightsDamaged(
            f"{path} is damaged: its sha256 is {found}, its card says {sha256}. "
            "Restore both, or make them anew."
        )
    try:
        return safetensors.torch.load_file(path)
    except safetensors.SafetensorError as error:
        raise WeightsDamaged(
            f"{path} holds no safetensors ({error}). Restore it, or make it anew."
        ) from error


def read_plain_weights(path: Path) -> dict[str, Tensor]:
    """Read any safetensors file that an operator names, with or without a card.

    Raises WeightsDamaged for a file that is none, a pickle above all: nothing in a file is ever run.
    """
    try:
        return safetensors.torch.load_file(path)
    except FileNotFoundError as error:
        raise WeightsDamaged(f"{path} was not found. Check the path.") from error
    except (safetensors.SafetensorError, OSError) as error:
        raise WeightsDamaged(
            f"{path} is no safetensors file ({error}). A .pth file holds a pickle, which could run code: "
            "convert it to safetensors first, or name a backbone and use 'manage.py download_weights'."
        ) from error


def load_weights(network: nn.Module, path: Path) -> None:
    """Give a network the weights of a file. Raises WeightsDamaged, also where they are another network's."""
    load_checked(network, path, sha256=read_card(path)["sha256"])


def load_checked(network: nn.Module, path: Path, *, sha256: str) -> None:
    """Give a network the weights of a file with this checksum; raises as `load_weights` does."""
    try:
        network.load_state_dict(read_checked(path, sha256=sha256), assign=True)
    except RuntimeError as error:
        raise WeightsDamaged(
            f"{path} holds weights of other names or other shapes than this network has. Make them anew."
        ) from error


def convert_pickle(source: Path, target: Path, *, sha256: str, keep: tuple[str, ...]) -> None:
    """Convert a published .pth file of plain tensors to safetensors, once.

    Only names that start with one of ``keep`` are kept. The file's checksum must begin with ``sha256``, and
    it is read with ``weights_only=True``, so that nothing in it can run. Raises WeightsDamaged for any
    other file and for one that holds other things than plain tensors, DiskFull.
    """
    found = sha256_of(source)
    if not found.startswith(sha256):
        raise WeightsDamaged(
            f"{source} is not the published file: its sha256 is {found}, not {sha256}. "
            "Delete it and download it again."
        )
    try:
        tensors = torch.load(source, map_location="cpu", weights_only=True, mmap=True)
    except (pickle.UnpicklingError, RuntimeError) as error:
        raise WeightsDamaged(f"{source} holds other things than tensors and was not read: {error}") from error
    kept = {name: tensor for name, tensor in tensors.items() if name.startswith(keep)}
    if not all(isinstance(value, Tensor) and value.layout == torch.strided for value in kept.values()):
        raise WeightsDamaged(f"{source} holds other things than plain tensors and was not read.")
    write_weights(target, kept, {"source": source.name, "source_sha256": found})
