"""Whether a detector's weights are at hand, asked without torch. What it does is in `detection`."""

from __future__ import annotations

from pathlib import Path

from search.engine.errors import EngineError

DETECTOR = "ssdlite320_mobilenet_v3_large"
PUBLISHED_NAME = "ssdlite320_mobilenet_v3_large_coco-a79551df.pth"


class DetectorMissing(EngineError):
    """No weights of a detector are at hand; the message says how to get them and what does without."""


def detector_file(folder: Path) -> Path:
    """The detector's weights in the folder of weights. Raises DetectorMissing."""
    file = folder / Path(PUBLISHED_NAME).with_suffix(".safetensors")
    if not file.is_file():
        raise DetectorMissing(
            f"There is no detector: {file} is missing. Run 'manage.py download_weights {DETECTOR}'; "
            "regions are proposed by contrast without it."
        )
    return file
