"""Encoders from other packages, installed for the test as a package on the path."""

import textwrap

import numpy as np
import pytest

from search.engine import encoders
from search.engine.encoders import plugins

PHOTOS = [np.full((20, 30, 3), value, np.uint8) for value in (0, 128, 255)]

MODULE = """
    import numpy, os, sys

    class Mean:
        title = "Mean colour"
        sign_structured = True
        def encode(self, images):
            print("plug-ins may print")
            return [image.mean(axis=(0, 1)) for image in images]

    class Wrong:
        def __init__(self, answer):
            self.encode = lambda images: answer(len(images))

    def fails(): raise RuntimeError("no licence file")
    def exits(): sys.exit("left early")
    def crashes(): os.abort()
    def nothing(): return object()
    def flat(): return Wrong(lambda n: numpy.ones(n))
    def fewer(): return Wrong(lambda n: numpy.ones((n + 1, 3)))
    def infinite(): return Wrong(lambda n: numpy.full((n, 3), numpy.nan))
    def moody(): return Wrong(lambda n: numpy.ones((n, 2 if n == 1 else 5)))
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install entry points, given as {name: attribute of the module}."""

    def install(points):
        (tmp_path / "their_models.py").write_text(textwrap.dedent(MODULE))
        info = tmp_path / "their_models-2.5.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: their-models\nVersion: 2.5\n")
        lines = [f"{name} = {value}" for name, value in points.items()]
        (info / "entry_points.txt").write_text("\n".join([f"[{plugins.GROUP}]", *lines]))
        monkeypatch.syspath_prepend(tmp_path)
        plugins._try_all.cache_clear()  # as a restart does

    yield install
    plugins._try_all.cache_clear()


def test_a_plugin_is_listed_and_encodes(install):
    install({"their-mean": "their_models:Mean"})
    info = encoders.find_encoder("their-mean")
    assert (info.family, info.title, info.dimensions, info.availability) == (
        "plugin",
        "Mean colour",
        3,
        "ready",
    )
    assert (info.version, info.sign_structured) == ("2.5", True)
    encoder = encoders.create_encoder("their-mean")
    vectors = encoder.encode(PHOTOS)
    np.testing.assert_array_equal(vectors, np.array([[0] * 3, [128] * 3, [255] * 3], np.float32))
    assert vectors.dtype == np.float32
    assert encoder.encode([]).shape == (0, 3)


def test_a_plugin_called_like_a_network_of_ours_stays_by_itself(install):
    install({"thimble": "their_models:Mean", "vgg16": "their_models:Mean"})
    groups = encoders.group_by_network(encoders.list_encoders())
    assert [[info.name for info in group] for group in groups if group[0].family == "plugin"] == [
        ["thimble"],
        ["vgg16"],
    ]
    assert encoders.create_encoder("thimble").encode(PHOTOS).shape == (3, 3)


BROKEN = {
    "fails": "no licence file",
    "exits": "left early",
    "crashes": "its process ended with -6",
    "nothing": r"made a object without encode\(images\)",
    "flat": r"an array of shape \(1,\) instead of \(1, dimensions\)",
    "fewer": r"an array of shape \(2, 3\)",
    "infinite": "not a finite number",
    "absent": "has no attribute 'absent'",
}


def test_broken_plugins_are_listed_with_the_reason_and_harm_no_other(install):
    install(
        {f"their-{name}": f"their_models:{name}" for name in BROKEN} | {"their-mean": "their_models:Mean"}
    )
    infos = {info.name: info for info in encoders.list_encoders()}
    assert infos["their-mean"].availability == "ready"
    assert infos["colour-histogram"].availability == "ready"
    for name, reason in BROKEN.items():
        info = infos[f"their-{name}"]
        assert info.availability == "broken"
        with pytest.raises(encoders.EncoderUnavailable, match=reason):
            encoders.create_encoder(info.name)
    assert "package their-models 2.5" in infos["their-fails"].remedy


def test_an_answer_of_another_length_than_in_the_trial_is_refused(install):
    install({"their-moody": "their_models:moody"})
    encoder = encoders.create_encoder("their-moody")
    with pytest.raises(encoders.BadEncoding, match=r"shape \(3, 5\) instead of \(3, 2\)"):
        encoder.encode(PHOTOS)


def test_a_plugin_cannot_take_the_name_of_another_encoder(install):
    install({"colour-histogram": "their_models:Mean"})
    infos = {info.name: info for info in encoders.list_encoders()}
    assert infos["colour-histogram"].family == "histograms"
    assert infos["colour-histogram (second)"].availability == "broken"
    assert "is taken" in infos["colour-histogram (second)"].remedy


def test_a_plugin_that_hangs_is_given_up(install, monkeypatch):
    install({"their-mean": "their_models:Mean"})
    monkeypatch.setattr(plugins, "TRIAL_SECONDS", 0.01)
    info = encoders.find_encoder("their-mean")
    assert info.availability == "broken"
    assert "did not answer within" in info.remedy
