"""Makes torchvision importable beside a torch that its wheel was not compiled for.

torchvision's wheel on the package index is compiled against the CUDA build of torch. Beside a CPU build its
operators do not load, and ``import torchvision`` stops with "operator torchvision::nms does not exist"
(pytorch/vision#9085), although models and transforms need none of them. Declaring the two operators that the
import looks for is enough. Where the compiled operators load, nothing is done.

``torchvision.ops.nms`` and ``torchvision.io`` stay unusable under the workaround; this project uses neither.
"""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path

import torch

_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


@functools.cache
def prepare() -> torch.library.Library | None:
    """Declare the missing operators; call before the first ``import torchvision``.

    Returns the library that holds them, kept alive by this function's cache, or None where the
    compiled operators loaded. Raises ImportError where torchvision is not installed.
    """
    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None:
        raise ImportError("torchvision is not installed; run 'make setup'.")
    for compiled in Path(spec.origin).parent.glob("_C*.so"):
        try:
            torch.ops.load_library(compiled)  # type: ignore[no-untyped-call]
        except OSError:
            break
        return None
    library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    for operator in ("nms", "qnms"):
        library.define(operator + _SCHEMA)  # type: ignore[no-untyped-call]
    return library
