"""The registry, the framing and the encoders that need no weights."""

import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image as PillowImage

from search.engine import encoders
from search.engine.encoders import framing, histograms, registry
from search.engine.encoders.base import Surroundings
from search.engine.metrics import nearest

WITHOUT_WEIGHTS = ("colour-histogram", "gradient-histogram", "random-control")

any_image = arrays.arrays(
    np.uint8, st.tuples(st.integers(1, 60), st.integers(1, 60), st.just(3)), elements=st.integers(0, 255)
)


def draw_photos(count, seed=0):
    """Photos of different sizes: a coloured ellipse on a ground."""
    generator = np.random.default_rng(seed)
    photos = []
    for _ in range(count):
        height, width = generator.integers(60, 200, 2)
        rows, columns = np.mgrid[0:height, 0:width]
        inside = ((rows / height - 0.5) ** 2 + (columns / width - 0.5) ** 2) < generator.uniform(0.03, 0.2)
        photo = np.empty((height, width, 3), np.uint8)
        photo[:] = generator.integers(200, 256, 3)
        photo[inside] = generator.integers(0, 256, 3)
        photos.append(photo)
    return photos


def paint(colour, *, ground=(255, 255, 255), shape=(120, 90)):
    """A plain rectangle of one colour in the middle of a ground."""
    photo = np.empty((*shape, 3), np.uint8)
    photo[:] = ground
    photo[20:-20, 20:-20] = colour
    return photo


# What the web process does: list encoders, those trained here among them; read settings; check weights.
LIGHT = {
    "encoders": "from search.engine.encoders import list_encoders; list_encoders()",
    "trained encoders": """
from search.engine.encoders import list_encoders
infos = list_encoders(trained_folder=pathlib.Path(folder), try_plugins=False)
assert "pupil.colour" in {info.name for info in infos if info.availability == "ready"}
""",
    "settings of trainings": """
from search.engine.training.settings import SETTINGS_OF
from search.engine.training.typed_settings import list_settings
for kind in SETTINGS_OF.values():
    kind.read({setting.name: str(setting.default) for setting in list_settings(kind)})
""",
    "headers of weights": """
from search.engine.weight_headers import check_safetensors
check_safetensors(pathlib.Path(folder) / "pupil" / "weights-0123456789abcdef.safetensors")
""",
    "publishing": "import search.engine.encoders.trained_files, search.engine.backbone_names",
}


@pytest.mark.parametrize("what", LIGHT)
def test_what_a_web_process_does_imports_neither_torch_nor_onnxruntime(tmp_path, what):
    folder = tmp_path / "pupil"
    folder.mkdir()
    architecture = {"masks": ["colour"], "width": 8}
    card = {"name": "pupil", "kind": "csn", "sha256": "0123456789abcdef", "architecture": architecture}
    (folder / "card.json").write_text(json.dumps(card))
    (folder / "weights-0123456789abcdef.safetensors").write_bytes(b"\2" + bytes(7) + b"{}")
    code = (
        f"import pathlib, sys; folder = {str(tmp_path)!r}\n{LIGHT[what]}\n"
        "sys.exit(bool({'torch', 'torchvision', 'onnxruntime', 'django'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_names_are_unique_and_one_control_is_marked():
    infos = encoders.list_encoders()
    assert len({info.name for info in infos}) == len(infos)
    assert [info.name for info in infos if info.is_control] == ["random-control"]


def test_an_unknown_name_gets_the_closest_ones():
    with pytest.raises(encoders.UnknownEncoder, match=r"'color-histogram'.*Did you mean colour-histogram"):
        encoders.create_encoder("color-histogram")


def test_a_name_like_no_other_gets_the_whole_list():
    with pytest.raises(encoders.UnknownEncoder, match=r"There are: colour-histogram, gradient-histogram"):
        encoders.create_encoder("qqqq")


def test_encoders_of_two_networks_cannot_share_a_pass():
    with pytest.raises(ValueError, match="colour-histogram, random-control"):
        encoders.create_joint_encoder(["colour-histogram", "random-control"])


@pytest.mark.parametrize("name", WITHOUT_WEIGHTS)
def test_vectors_are_what_the_listing_promises(name):
    encoder = encoders.create_encoder(name)
    vectors = encoder.encode(draw_photos(5))
    assert vectors.shape == (5, encoder.info.dimensions)
    assert vectors.dtype == np.float32
    assert np.isfinite(vectors).all()
    assert encoder.encode([]).shape == (0, encoder.info.dimensions)


@pytest.mark.parametrize("name", WITHOUT_WEIGHTS)
def test_the_same_picture_gets_the_same_vector_in_any_batch(name):
    encoder = encoders.create_encoder(name)
    photos = draw_photos(8)
    together = encoder.encode(photos)
    alone = np.concatenate([encoder.encode([photo]) for photo in photos])
    np.testing.assert_array_equal(together, alone)


@pytest.mark.parametrize("name", WITHOUT_WEIGHTS)
@pytest.mark.parametrize(
    "wrong", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)]
)
def test_what_is_no_image_is_refused_by_its_place(name, wrong):
    with pytest.raises(ValueError, match="Image 1 is"):
        encoders.create_encoder(name).encode([np.zeros((4, 4, 3), np.uint8), wrong])


@settings(max_examples=30, deadline=None)
@given(image=any_image)
def test_histograms_of_any_image_are_finite_and_not_negative(image):
    for count in (histograms.count_colours, histograms.count_gradients):
        vector = count(PillowImage.fromarray(image))
        assert np.isfinite(vector).all()
        assert (vector >= 0).all()


@settings(max_examples=30, deadline=None)
@given(image=any_image)
def test_a_colour_histogram_holds_two_distributions(image):
    vector = histograms.count_colours(PillowImage.fromarray(image)).astype(np.float64)
    fine = int(np.prod(histograms.FINE_BINS))
    assert (vector[:fine] ** 2).sum() == pytest.approx(1, abs=1e-4)
    assert (vector[fine:] ** 2).sum() == pytest.approx(1, abs=1e-4)


def test_colours_matter_to_one_histogram_and_shapes_to_the_other():
    colours = ((200, 30, 40), (190, 35, 45), (30, 40, 200))
    red, dark_red, blue = (PillowImage.fromarray(paint(colour)) for colour in colours)
    colour = histograms.count_colours
    assert np.linalg.norm(colour(red) - colour(dark_red)) < np.linalg.norm(colour(red) - colour(blue)) / 2
    wide = PillowImage.fromarray(paint((200, 30, 40), shape=(90, 160)))
    gradient = histograms.count_gradients
    assert np.linalg.norm(gradient(red) - gradient(blue)) < np.linalg.norm(gradient(red) - gradient(wide)) / 2


def test_the_ground_hardly_counts_in_the_colour_histogram():
    photos = paint((30, 90, 60)), paint((30, 90, 60), ground=(150, 150, 150)), paint((220, 120, 40))
    on_white, on_grey, other = map(PillowImage.fromarray, photos)
    count = histograms.count_colours
    assert np.linalg.norm(count(on_white) - count(on_grey)) < np.linalg.norm(count(on_white) - count(other))


def test_lab_values_are_the_published_ones():
    # sRGB red, green, blue, white under D65, as listed by Bruce Lindbloom's calculator.
    pixels = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], np.uint8)
    expected = [[53.24, 80.09, 67.20], [87.73, -86.18, 83.18], [32.30, 79.19, -107.86], [100, 0, 0]]
    np.testing.assert_allclose(histograms._to_lab(pixels)[0], expected, atol=0.03)


def test_a_vertical_edge_is_counted_as_a_horizontal_gradient():
    image = np.zeros((64, 64, 3), np.uint8)
    image[:, 32:] = 255
    vector = histograms.count_gradients(PillowImage.fromarray(image))
    vector = vector.reshape(-1, histograms.ORIENTATIONS, histograms.BLOCK**2)
    # Angle 0 lies on the border of the first and the last bin; the bins between stay empty.
    assert vector[:, [0, -1]].sum() == pytest.approx(vector.sum(), rel=1e-5)


def test_the_control_knows_nothing_of_the_picture():
    encoder = encoders.create_encoder("random-control")
    photo = paint((10, 20, 30))
    changed = photo.copy()
    changed[0, 0, 0] ^= 1
    first, again, second = encoder.encode([photo, photo.copy(), changed])
    np.testing.assert_array_equal(first, again)
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.5


def test_the_control_is_the_same_on_every_machine():
    vector = encoders.create_encoder("random-control").encode([np.zeros((2, 2, 3), np.uint8)])[0]
    np.testing.assert_allclose(vector[:3], [0.118786, -0.095406, -0.162181], atol=1e-6)


def test_no_picture_is_the_controls_answer_to_more_questions_than_a_lot_would_make_it():
    pictures = [np.full((1, 1, 3), (number >> 8, number & 255, 7), np.uint8) for number in range(1000)]
    vectors = encoders.create_encoder("random-control").encode(pictures)
    found = nearest("l2", vectors, vectors, 1, exclude=[[row] for row in range(1000)]).positions[:, 0]
    times = np.bincount(found, minlength=1000)
    assert times.max() < 10
    assert (times == 0).mean() == pytest.approx(np.exp(-1), abs=0.06)  # a Poisson law, as of a lot


@settings(max_examples=50, deadline=None)
@given(image=any_image, size=st.integers(8, 64))
def test_a_fitted_square_shows_the_whole_picture_in_its_proportions(image, size):
    square = framing.fit_square(PillowImage.fromarray(image), size)
    assert square.shape == (size, size, 3)
    assert square.min() >= image.min()
    assert square.max() <= image.max()


def test_padding_continues_the_ground():
    tall = np.full((100, 40, 3), 255, np.uint8)
    tall[20:80, 10:30] = 0
    square = framing.fit_square(PillowImage.fromarray(tall), 50)
    assert (square[:, :10] == 255).all()
    assert (square[:, -10:] == 255).all()
    assert square.min() == 0


@pytest.mark.parametrize("shape", [(400, 533), (533, 400), (256, 256), (224, 640), (37, 29)])
def test_the_centre_crop_is_torchvisions(shape):
    from search.engine import torchvision_ops

    torchvision_ops.prepare()
    from torchvision.transforms import functional

    image = np.random.default_rng(0).integers(0, 256, (*shape, 3)).astype(np.uint8)
    picture = PillowImage.fromarray(image)
    published = functional.center_crop(
        functional.resize(picture, 256, functional.InterpolationMode.BILINEAR), [224, 224]
    )
    cropped = framing.crop_centre(picture, short_side=256, size=224)
    np.testing.assert_array_equal(cropped, np.asarray(published))


def test_layers_of_one_network_are_grouped():
    infos = encoders.list_encoders()
    groups = encoders.group_by_network(infos)
    assert [info for group in groups for info in group] == sorted(
        infos, key=lambda info: [i.network for i in infos].index(info.network)
    )
    assert all(len({info.network for info in group}) == 1 for group in groups)


def test_every_family_lists_its_own_name():
    for name, family in registry.FAMILIES.items():
        assert {info.family for info in family.describe(Surroundings())} <= {name}
