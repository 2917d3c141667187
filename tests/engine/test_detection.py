"""torchvision's detector: the same answers with and without its operators; words where it is missing."""

import numpy as np
import pytest
import safetensors.torch
import torch
from PIL import Image

from search.engine.detection import DetectedRegion, Detector, draw_network, load_detector
from search.engine.detectors import DETECTOR, DetectorMissing, detector_file
from search.engine.encoders.base import WeightsDamaged
from search.engine.regions import overlaps, suppress
from search.engine.weight_downloads import PUBLISHED

CPU = torch.device("cpu")
FILE = "ssdlite320_mobilenet_v3_large_coco-a79551df.safetensors"


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A folder with weights that were drawn, not learned: no published ones are to be had here."""
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(3)
    network, _ = draw_network()
    for part in network.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.momentum = None  # the average of what it saw, so that answers differ from place to place
    with torch.no_grad():
        network.head(list(network.backbone(torch.randn(4, 3, 320, 320)).values()))
    safetensors.torch.save_file(network.state_dict(), folder / FILE)
    return folder


@pytest.fixture(scope="module")
def detector(weights) -> Detector:
    return load_detector(weights, device=CPU)


def photo(size=(200, 140)) -> Image.Image:
    draws = np.random.default_rng(5)
    small = Image.fromarray(draws.integers(0, 256, (7, 9, 3), dtype=np.uint8))
    return small.resize(size, Image.Resampling.BICUBIC)


def edges(region: DetectedRegion):
    return np.array([region.left, region.top, region.left + region.width, region.top + region.height])


def test_it_answers_as_torchvision_does_with_its_own_operators(weights, detector, monkeypatch):
    from torchvision.models.detection import ssd

    def batched_nms(boxes, scores, labels, threshold):
        kept = []
        for label in labels.unique():
            rows = (labels == label).nonzero().flatten()
            found = suppress(boxes[rows].numpy(), scores[rows].numpy(), overlap=threshold, limit=len(rows))
            kept.append(rows[found])
        every = torch.cat(kept)
        return every[scores[every].argsort(descending=True, stable=True)]

    monkeypatch.setattr(ssd.box_ops, "batched_nms", batched_nms)
    network, words = draw_network()
    network.load_state_dict(safetensors.torch.load_file(weights / FILE))
    pixels = torch.from_numpy(np.array(photo())).permute(2, 0, 1).float() / 255
    with torch.inference_mode():
        [expected] = network.eval()([pixels])

    found = detector.detect(photo(), limit=300, least=0.001)[:40]
    assert [region.label for region in found] == [words[place] for place in expected["labels"][:40].tolist()]
    assert np.allclose([region.score for region in found], expected["scores"][:40], atol=1e-5)
    pixels_of = np.array([edges(region) * [200, 140, 200, 140] for region in found])
    assert np.allclose(pixels_of, expected["boxes"][:40], atol=0.05)


@pytest.mark.parametrize("size", [(1, 1), (40, 400), (640, 480)])
def test_regions_lie_in_the_photo_the_best_first_and_do_not_repeat_each_other(detector, size):
    found = detector.detect(photo(size), limit=5, least=0.0)
    assert len(found) <= 5
    assert [region.score for region in found] == sorted((one.score for one in found), reverse=True)
    for place, region in enumerate(found):
        left, top, right, end = edges(region)
        assert 0 <= left < right <= 1.0001 and 0 <= top < end <= 1.0001
        same = [edges(other) for other in found[:place] if other.label == region.label]
        assert (overlaps(np.array(same).reshape(-1, 4), edges(region)) <= 0.56).all()


def test_what_it_is_not_sure_of_is_left_out(detector):
    assert detector.detect(photo()) == []  # drawn weights are sure of nothing


def test_without_weights_it_says_so_and_what_to_do(tmp_path):
    for look in (detector_file, lambda folder: load_detector(folder, device=CPU)):
        with pytest.raises(DetectorMissing, match=f"download_weights {DETECTOR}.*proposed by contrast"):
            look(tmp_path)


def test_weights_of_another_network_are_refused(tmp_path):
    safetensors.torch.save_file({"layer.weight": torch.zeros(3)}, tmp_path / FILE)
    with pytest.raises(WeightsDamaged, match="holds no weights of ssdlite320"):
        load_detector(tmp_path, device=CPU)


def test_a_pickle_under_its_name_is_refused(tmp_path):
    torch.save({"layer.weight": torch.zeros(3)}, tmp_path / FILE)
    with pytest.raises(WeightsDamaged, match="pickle"):
        load_detector(tmp_path, device=CPU)


def test_it_can_be_downloaded_by_name():
    published = PUBLISHED[DETECTOR]
    assert published.sha256 == "a79551df"
    assert published.source.startswith("https://download.pytorch.org/models/ssdlite320_mobilenet_v3_large")
