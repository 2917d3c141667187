"""Where trainings keep what they go on from, and what they share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

_KEY_LENGTH = 16  # hexadecimal digits of a fingerprint


def key_of(fingerprint: str) -> str:
    """The name of a training's own folder."""
    return fingerprint[:_KEY_LENGTH]


def folder_of(fingerprint: str) -> Path:
    """Where a training keeps what it goes on from, until it is forgotten."""
    root: Path = settings.TRAINING_FOLDER
    return root / key_of(fingerprint)


def list_folders() -> Iterator[Path]:
    """Every training's own folder that there is."""
    root: Path = settings.TRAINING_FOLDER
    for folder in root.glob("?" * _KEY_LENGTH):
        if folder.is_dir() and set(folder.name) <= set("0123456789abcdef"):
            yield folder


def features_folder() -> Path:
    """Of what frozen backbones answered, for whoever asks them the same again."""
    root: Path = settings.TRAINING_FOLDER
    return root / "features"
