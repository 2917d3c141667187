"""torchvision's SSDlite as a detector of the regions of a photo, where its weights are at hand.

Its network, anchors and coding of boxes are torchvision's (Liu et al., "SSD", ECCV 2016; Sandler et al.,
"MobileNetV2", CVPR 2018, section 6.2); what follows them is done here, because torchvision's operator for
overlapping boxes does not load beside every torch, and answers should not depend on whether it does.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from search.engine import torchvision_ops
from search.engine.detectors import DETECTOR, detector_file
from search.engine.encoders.base import WeightsDamaged
from search.engine.regions import Region, suppress
from search.engine.weight_files import read_plain_weights

LEAST_SCORE = 0.3
OVERLAP = 0.55  # intersection over union, within a class, as the published network has it
MOST_CANDIDATES = 300  # of a class, likewise


@dataclass(frozen=True)
class DetectedRegion(Region):
    """A region with the detector's word for what is in it; ``score`` is how sure it is of that."""

    label: str


class Detector:
    """Finds and names things in photos. Its words are those of COCO, which knows hardly any garment."""

    def __init__(self, network: Any, labels: tuple[str, ...], device: torch.device) -> None:
        """``network`` as torchvision makes it; ``labels`` of its classes, the first is the background."""
        self._network, self._labels, self._device = network.eval().to(device), labels, device

    @torch.inference_mode()
    def detect(
        self, picture: Image.Image, *, limit: int = 6, least: float = LEAST_SCORE
    ) -> list[DetectedRegion]:
        """At most ``limit`` regions of at least this score, 0 to 1, the best first."""
        pixels = np.array(picture.convert("RGB"))
        photo = torch.from_numpy(pixels).to(self._device).permute(2, 0, 1).float() / 255
        boxes, scores = self._answer(photo)
        return self._choose(boxes, scores, limit=limit, least=least)

    def _answer(self, photo: Tensor) -> tuple[Tensor, Tensor]:
        """(3, h, w) in 0..1 -> (n, 4) boxes in fractions of the photo, (n, classes) shares of the classes."""
        network = self._network
        shown, _ = network.transform([photo], None)
        maps = network.backbone(shown.tensors)
        maps = OrderedDict([("0", maps)]) if isinstance(maps, Tensor) else maps
        answers = network.head(list(maps.values()))
        [anchors] = network.anchor_generator(shown, list(maps.values()))
        boxes = network.box_coder.decode_single(answers["bbox_regression"][0], anchors)
        [(height, width)] = shown.image_sizes
        boxes = (boxes / boxes.new_tensor([width, height, width, height])).clamp(0, 1)
        return boxes, answers["cls_logits"][0].softmax(dim=-1)

    def _choose(self, boxes: Tensor, scores: Tensor, *, limit: int, least: float) -> list[DetectedRegion]:
        edges, shares = boxes.float().cpu().numpy(), scores.float().cpu().numpy()
        there = (edges[:, 2:] > edges[:, :2]).all(axis=1)
        found = []
        for number, label in enumerate(self._labels[1:], start=1):
            rows = np.flatnonzero(there & (shares[:, number] >= least))
            rows = rows[np.argsort(-shares[rows, number], kind="stable")[:MOST_CANDIDATES]]
            kept = rows[suppress(edges[rows], shares[rows, number], overlap=OVERLAP, limit=limit)]
            for (left, top, right, end), score in zip(
                edges[kept].tolist(), shares[kept, number].tolist(), strict=True
            ):
                found.append(DetectedRegion(left, top, right - left, end - top, score, label))
        return sorted(found, key=lambda region: -region.score)[:limit]


def load_detector(folder: Path, *, device: torch.device) -> Detector:
    """The detector with the weights in a folder.

    Raises DetectorMissing where there are none, WeightsDamaged where they are another network's.
    """
    file = detector_file(folder)
    network, labels = draw_network()
    tensors = read_plain_weights(file)
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise WeightsDamaged(
            f"{file} holds no weights of {DETECTOR}: names or shapes differ. Delete it and run "
            f"'manage.py download_weights {DETECTOR}'."
        ) from error
    return Detector(network, labels, device)


def draw_network() -> tuple[Any, tuple[str, ...]]:
    """The network with drawn weights, and the words for its classes."""
    torchvision_ops.prepare()
    from torchvision.models import detection  # only importable once the operators are declared

    network = detection.ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None)
    words = detection.SSDLite320_MobileNet_V3_Large_Weights.DEFAULT.meta["categories"]
    return network, tuple(words)
