"""Tries one plug-in encoder on one picture, in a process of its own: see plugins.py.

Run as ``python -m search.engine.encoders.plugin_trial NAME VALUE VERSION``; VALUE is the entry point's.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from importlib.metadata import EntryPoint
from typing import Any

import numpy as np

from search.engine.encoders.base import BadEncoding, EncoderInfo, EncoderUnavailable
from search.engine.encoders.plugins import FAMILY, GROUP, MARK, ask_model, load_model, network_of


def try_plugin(name: str, value: str, version: str) -> dict[str, Any]:
    """Load a plug-in and let it encode one picture; return its description, or the reason why not."""
    picture = np.random.default_rng(0).integers(0, 256, (64, 48, 3)).astype(np.uint8)
    try:
        model = load_model(EntryPoint(name, value, GROUP))
        vectors = ask_model(name, model, [picture], None)
    except (BadEncoding, EncoderUnavailable) as error:
        return {"reason": str(error)}
    info = EncoderInfo(
        name=name,
        family=FAMILY,
        title=str(getattr(model, "title", name)),
        dimensions=vectors.shape[1],
        version=str(getattr(model, "version", version)),
        sign_structured=bool(getattr(model, "sign_structured", False)),
        network=network_of(name),
    )
    return asdict(info)


if __name__ == "__main__":
    sys.stdout.write(f"\n{MARK}{json.dumps(try_plugin(*sys.argv[1:4]))}\n")
