"""What a frozen backbone says of every picture is asked for once."""

import numpy as np
import pytest
import torch

from search.engine.backbones import make_trunk
from search.engine.training import features
from search.engine.training.features import look_through
from tests.engine.training.squares import CPU, Killed, draw_labels, paint, views

COUNT = 10


@pytest.fixture(scope="module")
def trunk():
    torch.manual_seed(0)
    trunk = make_trunk("thimble")
    trunk.freeze("none")
    return trunk


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch):
    monkeypatch.setattr(features, "AT_ONCE", 4)


def look(trunk, path, *, facts=None, report=lambda _: None):
    asked = []
    view = views(paint(draw_labels(COUNT)))
    plain = view.plain
    view.plain = lambda rows: asked.extend(rows.tolist()) or plain(rows)
    found = look_through(
        trunk, view, count=COUNT, path=path, facts=facts or {"of": "a"}, device=CPU, report=report
    )
    return found.plain(np.arange(COUNT)).numpy(), asked


def test_features_are_the_trunks_answers_and_asked_for_once(tmp_path, trunk):
    told = []
    found, asked = look(trunk, tmp_path / "features", report=told.append)
    with torch.inference_mode():
        expected = trunk.eval()(views(paint(draw_labels(COUNT))).plain(np.arange(COUNT))).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert asked == list(range(COUNT)) and told == [4, 8, 10]
    again, asked = look(trunk, tmp_path / "features", report=told.append)
    assert np.array_equal(again, found) and asked == [] and told == [4, 8, 10]


def test_a_stop_keeps_what_was_computed(tmp_path, trunk):
    def stop(done):
        if done == 8:
            raise Killed

    with pytest.raises(Killed):
        look(trunk, tmp_path / "features", report=stop)
    told = []
    found, asked = look(trunk, tmp_path / "features", report=told.append)
    assert asked == [8, 9] and told == [10]
    whole, _ = look(trunk, tmp_path / "others")
    np.testing.assert_allclose(found, whole, rtol=1e-4, atol=1e-5)


def test_features_of_something_else_are_computed_anew(tmp_path, trunk):
    look(trunk, tmp_path / "features", facts={"of": "another"})
    assert look(trunk, tmp_path / "features")[1] == list(range(COUNT))


def test_29_damaged_features_are_computed_anew(tmp_path, trunk):
    path = tmp_path / "features"
    whole, _ = look(trunk, path)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    found, asked = look(trunk, path)
    assert asked == list(range(COUNT))
    np.testing.assert_allclose(found, whole, rtol=1e-4, atol=1e-5)
