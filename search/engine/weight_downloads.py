"""Fetches published weights, only when an operator asks for them."""

from __future__ import annotations

import hashlib
import http.client
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from search.engine.encoders import vgg
from search.engine.encoders.base import EncoderError, WeightsDamaged
from search.engine.files import open_atomic

_BLOCK = 1 << 20
_TIMEOUT = 30.0  # seconds without a byte


class DownloadFailed(EncoderError):
    """The weights could not be fetched; the message says from where, and how to go round it."""


@dataclass(frozen=True)
class PublishedFile:
    """A weights file on the web."""

    name: str
    source: str
    sha256: str


PUBLISHED = {"vgg16": PublishedFile(vgg.FILE_NAME, vgg.SOURCE, vgg.SHA256)}


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
    if sha256 != file.sha256:
        raise WeightsDamaged(
            f"What {file.source} sent is not {file.name}: its sha256 is {sha256}, not {file.sha256}. "
            f"Nothing was kept at {target}; try again."
        )
