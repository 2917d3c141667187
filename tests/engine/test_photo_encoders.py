"""Encoders as a web process runs them: the vectors of the catalogue, from a kept export, without torch."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from search.engine.encoders import create_joint_encoder, find_encoder
from search.engine.encoders.photo_encoders import (
    EncoderVersion,
    NeedsWorker,
    RefusesPhotos,
    open_here,
)

ROOT = Path(__file__).resolve().parents[2]
WITHOUT_TORCH = """
import sys
from pathlib import Path
import numpy as np
from PIL import Image
from search.engine.encoders.photo_encoders import EncoderVersion, open_here
folder, *made = sys.argv[1:]
encode = open_here(EncoderVersion(*made), cache_folder=Path(folder), threads=1)
vectors = encode(Image.open(Path(folder) / "photo.png"))
np.savez(Path(folder) / "vectors.npz", **vectors)
heavy = [name for name in ("torch", "torchvision", "onnx", "onnxscript") if name in sys.modules]
print(",".join(heavy))
"""


def made_by(name: str) -> EncoderVersion:
    info = find_encoder(name)
    return EncoderVersion(info.name, info.version, info.family, info.mask)


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    pixels = np.random.default_rng(3).integers(0, 256, (12, 9, 3)).astype(np.uint8)
    return Image.fromarray(pixels).resize((180, 240))


@pytest.mark.parametrize(
    "name",
    ["thimble-siamese", "thimble-csn.colour", "colour-histogram"],
)
def test_a_process_without_torch_makes_the_vectors_that_the_catalogue_has(tmp_path, photo, name):
    made = made_by(name)
    names = [name] if not made.mask else [made.network, name]
    joint = create_joint_encoder(names, "cpu", cache_folder=tmp_path, threads=1)  # exports, as a worker does
    expected = joint.encode([photo])
    photo.save(tmp_path / "photo.png")
    asked = [sys.executable, "-c", WITHOUT_TORCH, str(tmp_path)]
    asked += [made.encoder, made.version, made.family, made.mask]
    told = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == ""
    found = np.load(tmp_path / "vectors.npz")
    for one in names:
        np.testing.assert_allclose(found[one], expected[one][0], rtol=1e-5, atol=1e-6)


def test_a_network_that_nobody_exported_needs_a_worker_and_so_does_a_damaged_export(tmp_path):
    made = made_by("thimble-siamese")
    with pytest.raises(NeedsWorker, match="not exported"):
        open_here(made, cache_folder=tmp_path)
    (tmp_path / f"{made.network}-{made.version}-export1.onnx").write_bytes(b"damaged")
    (tmp_path / f"{made.network}-{made.version}-export1.json").write_text('{"sha256": "0"}')
    with pytest.raises(NeedsWorker, match="not exported"):
        open_here(made, cache_folder=tmp_path)


def test_what_cannot_look_at_photos_says_why_and_what_to_do(tmp_path):
    with pytest.raises(RefusesPhotos, match=r"vectors alone.*Search from one of the catalogue's items"):
        open_here(EncoderVersion("brought", "abc", "vectors"), cache_folder=tmp_path)
    with pytest.raises(NeedsWorker, match="another package"):
        open_here(EncoderVersion("theirs", "1", "plugin"), cache_folder=tmp_path)
    with pytest.raises(RefusesPhotos, match="Build the catalogue's contenders again"):
        open_here(EncoderVersion("colour-histogram", "0", "histograms"), cache_folder=tmp_path)
    with pytest.raises(RefusesPhotos, match="framed in an older way"):
        open_here(EncoderVersion("thimble-siamese", "f8d4f2f055e2-1", "trained"), cache_folder=tmp_path)
