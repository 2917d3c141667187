"""What a frozen backbone says of every picture is asked for once."""

import copy
import os

import numpy as np
import pytest
import torch

from search.engine.backbones import make_trunk
from search.engine.training import features
from search.engine.training.features import keep_newest, look_through, name_weights
from search.engine.vectors import VectorStore
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


def test_what_another_process_computes_is_waited_for(tmp_path, trunk):
    whole, _ = look(trunk, tmp_path / "whole")
    path, told = tmp_path / "features", []
    store = VectorStore(path, count=COUNT, dimensions=trunk.width, facts={"of": "a"})
    store.write(np.arange(COUNT), whole)

    def finish(done):
        told.append(done)
        with store:
            store.finish()

    found, asked = look(trunk, path, report=finish)
    assert np.array_equal(found, whole) and asked == [] and told == [0]


def test_who_dies_over_it_is_followed_by_who_waited(tmp_path, trunk):
    path = tmp_path / "features"
    store = VectorStore(path, count=COUNT, dimensions=trunk.width, facts={"of": "a"})
    whole, _ = look(trunk, tmp_path / "whole")
    store.write(np.arange(8), whole[:8])
    _, asked = look(trunk, path, report=lambda done: store.__exit__(None, None, None) if not done else None)
    assert asked == [8, 9]


@pytest.mark.parametrize(("most", "left"), [(30, "abc"), (29, "bc"), (20, "bc"), (10, "c"), (1, "c")])
def test_the_features_used_last_are_kept(tmp_path, most, left):
    folder = tmp_path / "features"
    folder.mkdir()
    for at, name in enumerate("abc"):
        file = folder / f"{name}.safetensors"
        file.write_bytes(b"0123456789")
        os.utime(file, (at, at))
    (folder / "d.safetensors.partial").write_bytes(b"on its way")
    keep_newest(folder, most_bytes=most)
    assert {path.name[0] for path in folder.iterdir()} == {*left, "d"}


def test_weights_are_named_by_their_bytes_alone(trunk):
    other = copy.deepcopy(trunk)
    assert name_weights(other) == name_weights(trunk)
    next(other.parameters()).data.flatten()[0] += 1
    assert name_weights(other) != name_weights(trunk)
