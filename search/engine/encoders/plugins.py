"""Encoders from other packages, through the entry point group ``dopeornope.encoders``.

The entry point's name is the encoder's; it points to a factory that takes no arguments and returns an
object with ``encode(images)``: a list of (h, w, 3) uint8 arrays in, one vector per image out. The object may
also have ``title``, ``version`` (default: the package's), ``sign_structured`` and ``batch_size``.

A plug-in is first tried in a process of its own, on one picture. Whatever it does there (raise, exit, crash,
hang, import torch), the listing survives and says what happened.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import numpy as np

from search.engine.encoders.base import (
    Availability,
    BadEncoding,
    EncoderInfo,
    EncoderUnavailable,
    Image,
    Picture,
    Surroundings,
    Vectors,
)

GROUP = "dopeornope.encoders"
FAMILY = "plugin"
TRIAL_MODULE = "search.engine.encoders.plugin_trial"
TRIAL_SECONDS = 120
BATCH_SIZE = 32
MARK = "dopeornope-encoder:"  # stands before the answer, since a plug-in may print too


def describe(surroundings: Surroundings) -> list[EncoderInfo]:
    """List the installed plug-ins; "broken", with the reason, where the trial failed."""
    if not surroundings.try_plugins:
        remedy = "Build a catalogue's contenders: that tries it first."
        points = entry_points(group=GROUP)
        return [_unable(point.name, _package_of(point)[1], "untried", remedy) for point in points]
    return list(_try_all())


def create(infos: Sequence[EncoderInfo], surroundings: Surroundings) -> PluginEncoder:
    """Load a plug-in into this process. Raises EncoderUnavailable where its factory fails."""
    (info,) = infos
    point = next(iter(entry_points(group=GROUP, name=info.name)))
    return PluginEncoder(info, load_model(point))


@functools.cache
def _try_all() -> tuple[EncoderInfo, ...]:
    """Try every plug-in once per process: a package that comes later is seen after a restart."""
    return tuple(_try(point.name, point.value, _package_of(point)) for point in entry_points(group=GROUP))


@dataclass(frozen=True)
class PluginEncoder:
    """A user's model, whose answers are checked."""

    info: EncoderInfo
    model: Any
    at_once = 1  # nobody promised more, and what a factory sets up may hold for its thread alone

    @property
    def infos(self) -> tuple[EncoderInfo, ...]:
        return (self.info,)

    @property
    def batch_size(self) -> int:
        return max(1, int(getattr(self.model, "batch_size", BATCH_SIZE)))

    def encode(self, pictures: Iterable[Picture]) -> Mapping[str, Vectors]:
        """See `JointEncoder.encode`. Raises BadEncoding where the model answers with anything else."""
        images = [np.array(picture) for picture in pictures]  # copies: a model may write into them
        if not images:
            return {self.info.name: np.empty((0, self.info.dimensions), dtype=np.float32)}
        return {self.info.name: ask_model(self.info.name, self.model, images, self.info.dimensions)}


def ask_model(name: str, model: Any, images: Sequence[Image], dimensions: int | None) -> Vectors:
    """Ask a model for vectors and check them; ``dimensions`` None takes any length."""
    try:
        vectors = np.asarray(model.encode(list(images)), dtype=np.float32)
    except Exception as error:
        raise BadEncoding(f"Plug-in encoder '{name}' failed: {type(error).__name__}: {error}.") from error
    fits = vectors.ndim == 2 and len(vectors) == len(images) and vectors.shape[1] > 0
    if not fits or (dimensions is not None and vectors.shape[1] != dimensions):
        raise BadEncoding(
            f"Plug-in encoder '{name}' answered with an array of shape {vectors.shape} "
            f"instead of ({len(images)}, {dimensions or 'dimensions'})."
        )
    if not np.isfinite(vectors).all():
        raise BadEncoding(f"Plug-in encoder '{name}' answered with a value that is not a finite number.")
    return vectors


def load_model(point: EntryPoint) -> Any:
    """Call a plug-in's factory. Raises EncoderUnavailable where that fails or makes no encoder."""
    plugin = f"Plug-in encoder '{point.name}' ({point.value})"
    try:
        model = point.load()()
    except Exception as error:
        raise EncoderUnavailable(f"{plugin} cannot be loaded: {type(error).__name__}: {error}.") from error
    if not callable(getattr(model, "encode", None)):
        raise EncoderUnavailable(f"{plugin} made a {type(model).__name__} without encode(images).")
    return model


def network_of(name: str) -> str:
    """A plug-in shares its network with nobody, whatever it is called."""
    return f"{FAMILY}:{name}"


def _package_of(point: EntryPoint) -> tuple[str, str]:
    return (point.dist.name, point.dist.version) if point.dist else ("", "")


def _try(name: str, value: str, package: tuple[str, str]) -> EncoderInfo:
    """Try a plug-in in a process of its own."""
    command = [sys.executable, "-m", TRIAL_MODULE, name, value, package[1] or "1"]
    surroundings = {**os.environ, "PYTHONPATH": os.pathsep.join(path or "." for path in sys.path)}
    try:
        trial = subprocess.run(
            command, capture_output=True, text=True, timeout=TRIAL_SECONDS, env=surroundings, check=False
        )
    except subprocess.TimeoutExpired:
        return _broken(name, package, f"it did not answer within {TRIAL_SECONDS} seconds")
    answers = [line for line in trial.stdout.splitlines() if line.startswith(MARK)]
    if not answers:
        lines = trial.stderr.strip().splitlines()
        return _broken(name, package, lines[-1] if lines else f"its process ended with {trial.returncode}")
    answer = json.loads(answers[-1].removeprefix(MARK))
    if "reason" in answer:
        return _broken(name, package, answer["reason"])
    return EncoderInfo(**answer)


def _broken(name: str, package: tuple[str, str], reason: str) -> EncoderInfo:
    where = f"package {package[0]} {package[1]}" if package[0] else "its package"
    return _unable(name, package[1], "broken", f"Repair or uninstall {where}: {reason.rstrip('.')}.")


def _unable(name: str, version: str, availability: Availability, remedy: str) -> EncoderInfo:
    return EncoderInfo(
        name=name,
        family=FAMILY,
        title=name,
        dimensions=0,
        version=version,
        sign_structured=False,
        network=network_of(name),
        availability=availability,
        remedy=remedy,
    )
