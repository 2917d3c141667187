"""Fetches published weights, only when an operator asks for them."""

from __future__ import annotations

import hashlib
import http.client
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from search.engine.detectors import DETECTOR, PUBLISHED_NAME
from search.engine.encoders import vgg
from search.engine.encoders.base import EncoderError, WeightsDamaged
from search.engine.files import open_atomic

_BLOCK = 1 << 20
_TIMEOUT = 30.0  # seconds without a byte


class DownloadFailed(EncoderError):
    """The weights could not be fetched; the message says from where, and how to go round it."""


@dataclass(frozen=True)
class PublishedFile:
    """A weights file on the web; of its ``sha256`` at least the first eight digits are known.

    Tensors whose names start with one of ``keep`` are what is wanted of it.
    """

    name: str
    source: str
    sha256: str
    keep: tuple[str, ...] = ("",)


def _of_torchvision(name: str) -> PublishedFile:
    """A file whose name ends in the start of its sha256, as torchvision publishes them."""
    start = name.removesuffix(".pth").rpartition("-")[2]
    return PublishedFile(name, f"https://download.pytorch.org/models/{name}", start)


# By backbone or detector. Only VGG-16's whole checksum is known here; nothing in any of them is ever run.
PUBLISHED = {
    "vgg16": PublishedFile(vgg.FILE_NAME, vgg.SOURCE, vgg.SHA256, vgg.KEEP),
    "resnet18": _of_torchvision("resnet18-f37072fd.pth"),
    "mobilenet_v3_small": _of_torchvision("mobilenet_v3_small-047dcff4.pth"),
    "mobilenet_v3_large": _of_torchvision("mobilenet_v3_large-5c1a4163.pth"),
    "regnet_y_400mf": _of_torchvision("regnet_y_400mf-e6988f5f.pth"),
    "inception_v3": _of_torchvision("inception_v3_google-0cc3c7bd.pth"),
    "convnext_tiny": _of_torchvision("convnext_tiny-983f1562.pth"),
    DETECTOR: _of_torchvision(PUBLISHED_NAME),
}


def download(file: PublishedFile, folder: Path, *, report: Callable[[int, int | None], None]) -> Path:
    """Fetch a file into ``folder`` unless it is there; it appears only when it is whole and the right one.

    ``report`` is told bytes done and bytes in all (None where the server does not say). Raises
    DownloadFailed, WeightsDamaged for other bytes than the published ones, DiskFull.
    """
    target = folder / file.name
    if target.exists():
        return target
    digest = hashlib.sha256()
    try:
        with (
            urllib.request.urlopen(file.source, timeout=_TIMEOUT) as answer,
            open_atomic(target) as partial,
        ):
            length = answer.headers.get("Content-Length")
            done = 0
            while block := answer.read(_BLOCK):
                partial.write(block)
                digest.update(block)
                done += len(block)
                report(done, int(length) if length else None)
            _check(file, digest.hexdigest(), target)
    except (OSError, http.client.HTTPException) as error:
        raise DownloadFailed(
            f"{file.source} cannot be fetched ({error}). "
            f"Fetch it on another machine and put it into {folder} as {file.name}."
        ) from error
    return target


def _check(file: PublishedFile, sha256: str, target: Path) -> None:
    if not sha256.startswith(file.sha256):
        raise WeightsDamaged(
            f"What {file.source} sent is not {file.name}: its sha256 is {sha256}, not {file.sha256}. "
            f"Nothing was kept at {target}; try again."
        )
