"""Runs a network: through ONNX Runtime on a CPU, through torch on a GPU, with the same answers.

On a CPU the torch module is exported once to ONNX, which runs the shipped network 1.6 to 2.6 times as fast as
torch's eager mode. The export is compared with the module before it is first used, and kept with its checksum
in a cache folder; a kept export needs no torch at all, so that a web process can run it.
"""

from __future__ import annotations

import io
import json
import logging
import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from search.engine.encoders.base import Device, EncoderError, EncoderUnavailable
from search.engine.files import sha256_of, write_file

if TYPE_CHECKING:
    from torch import nn

logger = logging.getLogger(__name__)

Pictures = NDArray[np.uint8]  # (n, side, side, 3)
Layers = Mapping[str, NDArray[np.float32]]  # (n, d) per layer

EXPORT_VERSION = 1  # goes up when the way of exporting changes, so that older exports are made anew
PARITY_TOLERANCE = 1e-3  # greatest difference, relative to the layer's greatest value
_INPUT = "pictures"


class ParityFailure(EncoderError):
    """The exported network answers otherwise than the module it was exported from."""


@dataclass(frozen=True)
class NetworkSpec:
    """What must be known to open a network without building it.

    ``key`` names it including its weights' version; ``layers`` are its outputs in order; ``build`` makes
    the torch module with its weights, in evaluation mode, and is called only where it is needed.
    """

    key: str
    side: int
    layers: tuple[str, ...]
    build: Callable[[], nn.Module]


class Network(Protocol):
    """An opened network."""

    def run(self, pictures: Pictures) -> Layers:
        """Run (n, side, side, 3) uint8 pictures, n >= 1."""
        ...


def open_network(
    spec: NetworkSpec, *, device: Device, cache_folder: Path | None, threads: int | None
) -> Network:
    """Open a network on a device: "cpu", "cuda", or "auto" for a GPU where there is one.

    Raises EncoderUnavailable where "cuda" is asked for and absent.
    """
    if device == "cpu" or not _find_gpu(required=device == "cuda"):
        return _open_exported(spec, cache_folder, threads or len(os.sched_getaffinity(0)))
    return TorchNetwork(spec.build(), spec.layers, "cuda")


def _find_gpu(*, required: bool) -> bool:
    """Tell whether torch can use a CUDA device."""
    import torch  # heavy, and a process that runs an export on a named CPU does without

    if torch.cuda.is_available():
        return True
    if required:
        raise EncoderUnavailable("Device 'cuda' was asked for, but torch finds none. Use 'auto' or 'cpu'.")
    return False


class TorchNetwork:
    """A network run by torch, eagerly."""

    def __init__(self, module: nn.Module, layers: tuple[str, ...], device: str) -> None:
        self._module = module.eval().to(device)
        self._layers = layers
        self._device = device

    def run(self, pictures: Pictures) -> Layers:
        """See `Network.run`."""
        import torch

        with torch.inference_mode():
            outputs = self._module(torch.from_numpy(pictures).to(self._device))
        return {name: output.cpu().numpy() for name, output in zip(self._layers, outputs, strict=True)}


class ExportedNetwork:
    """An exported network run by ONNX Runtime on the CPU."""

    def __init__(self, model: bytes | Path, layers: tuple[str, ...], threads: int) -> None:
        """Open a model given as bytes or as a file's path; without ``layers`` it answers with all it has."""
        import onnxruntime  # heavy; not needed to list encoders

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Idle threads must not burn the cores that the web process answers with.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        source = model if isinstance(model, bytes) else str(model)
        self._session = onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
        self._layers = layers or tuple(output.name for output in self._session.get_outputs())

    def describe(self) -> tuple[int, tuple[str, ...]]:
        """The side of the pictures that it takes, and its layers."""
        return int(self._session.get_inputs()[0].shape[1]), self._layers

    def run(self, pictures: Pictures) -> Layers:
        """See `Network.run`."""
        outputs = self._session.run(list(self._layers), {_INPUT: pictures})
        return dict(zip(self._layers, outputs, strict=True))


@dataclass(frozen=True)
class KeptNetwork:
    """A kept export; what is to be known of it comes from itself, for nobody here has its module."""

    network: ExportedNetwork
    side: int
    layers: tuple[str, ...]

    def run(self, pictures: Pictures) -> Layers:
        """See `Network.run`."""
        return self.network.run(pictures)


def open_kept(key: str, *, cache_folder: Path, threads: int | None) -> KeptNetwork | None:
    """The export kept under this key, every byte checked; None where there is none, or it is damaged."""
    kept = _kept_path(key, cache_folder)
    if not _is_whole(kept):
        return None
    network = ExportedNetwork(kept, (), threads or len(os.sched_getaffinity(0)))
    return KeptNetwork(network, *network.describe())


def _kept_path(key: str, cache_folder: Path) -> Path:
    return cache_folder / f"{key}-export{EXPORT_VERSION}.onnx"


def _open_exported(spec: NetworkSpec, cache_folder: Path | None, threads: int) -> Network:
    """Open the kept export, or make, compare and keep one."""
    kept = None if cache_folder is None else _kept_path(spec.key, cache_folder)
    if kept is not None and _is_whole(kept):
        return ExportedNetwork(kept, spec.layers, threads)
    module = spec.build().eval()
    model = export(module, spec)
    network = ExportedNetwork(model, spec.layers, threads)
    check_parity(TorchNetwork(module, spec.layers, "cpu"), network, spec)
    if kept is not None:
        sha256 = write_file(kept, model)
        write_file(kept.with_suffix(".json"), json.dumps({"sha256": sha256}).encode())
    return network


def _is_whole(kept: Path) -> bool:
    """Tell whether a kept export is there and its bytes are the ones that were compared."""
    try:
        card = json.loads(kept.with_suffix(".json").read_bytes())
        whole = bool(sha256_of(kept) == card["sha256"])
    except FileNotFoundError:
        return False
    except (OSError, ValueError, KeyError, TypeError) as error:
        logger.warning("The export %s cannot be read (%s); it is made anew.", kept, error)
        return False
    if not whole:
        logger.warning("The export %s is damaged; it is made anew.", kept)
    return whole


def export(module: nn.Module, spec: NetworkSpec) -> bytes:
    """Export a module to one self-contained ONNX model that takes any number of pictures."""
    import torch

    example = torch.zeros((2, spec.side, spec.side, 3), dtype=torch.uint8)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the exporter warns about its own internals
        program: Any = torch.onnx.export(
            module,
            (example,),
            dynamo=True,
            input_names=[_INPUT],
            output_names=list(spec.layers),
            dynamic_shapes=({0: torch.export.Dim("n")},),
            verbose=False,
        )
    stream = io.BytesIO()
    program.save(stream)
    return stream.getvalue()


def check_parity(reference: Network, other: Network, spec: NetworkSpec) -> None:
    """Compare two networks on noise and on flat pictures; raise ParityFailure where a layer differs."""
    generator = np.random.default_rng(0)
    pictures = generator.integers(0, 256, (3, spec.side, spec.side, 3)).astype(np.uint8)
    pictures[1] = 255
    pictures[2, : spec.side // 2] = 30
    expected, found = reference.run(pictures), other.run(pictures)
    for layer in spec.layers:
        scale = max(float(np.abs(expected[layer]).max()), 1e-6)
        difference = float(np.abs(expected[layer] - found[layer]).max()) / scale
        if not difference <= PARITY_TOLERANCE:
            raise ParityFailure(
                f"The export of '{spec.key}' differs from the network by {difference:.1e} in layer '{layer}' "
                f"({PARITY_TOLERANCE:.0e} is allowed). Use another version of torch or onnxruntime."
            )
