"""Framed pictures of a catalogue in a file: resumed after a kill, checked when opened."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.engine.errors import ArtifactDamaged
from search.engine.training.pictures import PictureFile, count_written, write_pictures
from tests.engine.training.squares import Killed

SIDE = 4
FACTS = {"images": "abc"}


def draw(count=10, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, SIDE, SIDE, 3)).astype(np.uint8)


def write(path, pictures, facts=FACTS):
    """As a caller does: what is there already is not framed again. Returns how many were framed."""
    done = count_written(path, side=SIDE, facts=facts)
    write_pictures(path, iter(pictures[done:]), side=SIDE, facts=facts, after=done)
    return len(pictures) - done


def write_and_die(path, pictures, at, facts=FACTS):
    def some():
        yield from pictures[done:at]
        raise Killed

    done = count_written(path, side=SIDE, facts=facts)
    with pytest.raises(Killed):
        write_pictures(path, some(), side=SIDE, facts=facts, after=done)


@given(data=st.data())
@settings(deadline=None, max_examples=40)
def test_rows_are_read_in_any_order_and_repeatedly(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("pictures") / "view.u8"
    pictures = draw(data.draw(st.integers(1, 12)))
    write(path, pictures)
    file = PictureFile(path)
    rows = np.array(data.draw(st.lists(st.integers(0, len(pictures) - 1), max_size=20)), np.int64)
    try:
        assert np.array_equal(file.read(rows), pictures[rows])
        assert (len(file), file.side, file.facts) == (len(pictures), SIDE, FACTS)
    finally:
        file.close()


def test_a_row_that_is_not_there_is_an_error_and_no_black_picture(tmp_path):
    write(tmp_path / "view.u8", draw(3))
    with pytest.raises(ArtifactDamaged, match="Row 3"):
        PictureFile(tmp_path / "view.u8").read(np.array([0, 3]))


@pytest.mark.parametrize("extra", [0, 5])
def test_a_killed_write_goes_on_where_it_stopped(tmp_path, extra):
    path, pictures = tmp_path / "view.u8", draw(10)
    write_and_die(path, pictures, 6)
    assert not path.exists()
    with path.with_name("view.u8.partial").open("ab") as file:
        file.write(b"x" * extra)  # half a picture: the kill came in the middle of a write
    with pytest.raises(FileNotFoundError):
        PictureFile(path)
    write_and_die(path, pictures, 8)
    assert write(path, pictures) == 2
    assert np.array_equal(PictureFile(path).read(np.arange(10)), pictures)
    assert sorted(entry.name for entry in tmp_path.glob("view*")) == ["view.u8", "view.u8.json"]


def test_pictures_of_other_images_or_another_side_are_begun_anew(tmp_path):
    path, pictures = tmp_path / "view.u8", draw(10)
    write_and_die(path, draw(10, seed=1), 6)
    assert count_written(path, side=SIDE, facts={"images": "others"}) == 0
    write_and_die(path, pictures, 6, facts={"images": "others"})
    assert count_written(path, side=SIDE + 1, facts={"images": "others"}) == 0
    assert write(path, pictures) == 10
    assert np.array_equal(PictureFile(path).read(np.arange(10)), pictures)


def test_a_changed_byte_or_a_broken_card_is_found(tmp_path):
    path = tmp_path / "view.u8"
    write(path, draw())
    card = path.with_name("view.u8.json")
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(ArtifactDamaged, match=r"view\.u8 is damaged\. Delete it"):
        PictureFile(path)
    path.write_bytes(whole)
    assert json.loads(card.read_bytes())["count"] == 10
    card.write_bytes(card.read_bytes()[:-3])
    with pytest.raises(ArtifactDamaged, match=r"view\.u8\.json cannot be read"):
        PictureFile(path)


def test_a_kill_before_the_card_leaves_nothing_that_is_used(tmp_path):
    """The old card does not describe the new bytes."""
    path = tmp_path / "view.u8"
    write(path, draw())
    old_card = path.with_name("view.u8.json").read_bytes()
    write(path, draw(seed=1), facts={"images": "others"})
    path.with_name("view.u8.json").write_bytes(old_card)
    with pytest.raises(ArtifactDamaged):
        PictureFile(path)
    assert write(path, draw(seed=1), facts={"images": "others"}) == 10
    assert np.array_equal(PictureFile(path).read(np.arange(10)), draw(seed=1))
