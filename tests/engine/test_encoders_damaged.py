"""Trained encoders whose folder is damaged, cut short or of another version: they never run, and say why."""

import dataclasses

import pytest
import torch

from search.engine import encoders
from search.engine.encoders.trained_files import weights_path
from search.engine.files import sha256_of
from tests.engine.pupils import CSN, change_card, describe, open_encoder, write


def test_29_damaged_weights_never_serve(tmp_path):
    folder = write(tmp_path)
    [weights] = folder.glob("weights-*")
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    with pytest.raises(
        encoders.WeightsDamaged, match=r"weights-.* is damaged: its sha256 is .* make them ane"
    ):
        open_encoder("pupil", tmp_path)


def test_29_weights_that_are_a_pickle_never_run(tmp_path):
    """Even under a card that vouches for them."""
    folder = write(tmp_path)
    pickle = folder / "pickle"
    torch.save({"trunk": Trap()}, pickle)
    change_card(folder, sha256=(sha256 := sha256_of(pickle)))
    pickle.rename(weights_path(folder, {"sha256": sha256}))
    with pytest.raises(encoders.WeightsDamaged, match="holds no safetensors"):
        open_encoder("pupil", tmp_path)


class Trap:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was run",))


def test_weights_that_are_gone_are_told_with_the_remedy(tmp_path):
    folder = write(tmp_path)
    next(folder.glob("weights-*")).unlink()
    info = encoders.find_encoder("pupil.size", trained_folder=tmp_path)
    assert info.availability == "weights-missing"
    with pytest.raises(
        encoders.EncoderUnavailable, match="are gone: restore them, or train the encoder again"
    ):
        open_encoder("pupil.size", tmp_path)


BROKEN = {
    "not JSON": lambda folder: (folder / "card.json").write_text("{"),
    "not UTF-8": lambda folder: (folder / "card.json").write_bytes(b"\xff\xfe\xfd"),
    "a list": lambda folder: (folder / "card.json").write_text("[]"),
    "empty": lambda folder: (folder / "card.json").write_text(""),
    "no sha256": lambda folder: change_card(folder, sha256=...),
    "no architecture": lambda folder: change_card(folder, architecture=None),
    "architecture of text": lambda folder: change_card(folder, architecture="deep"),
    "no width": lambda folder: change_card(folder, architecture={"masks": []}),
    "a kind that there is not": lambda folder: change_card(folder, kind="magic"),
    "a kind of another type": lambda folder: change_card(folder, kind=["csn"]),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_folder_is_listed_as_broken_and_hides_no_other(tmp_path, how):
    write(tmp_path, "able")
    write(tmp_path, "zealous")
    write(tmp_path, "broken")
    BROKEN[how](tmp_path / "broken")
    infos = describe(tmp_path)
    assert {infos[name].availability for name in ("able", "able.size", "zealous")} == {"ready"}
    assert infos["broken"].availability == "broken"
    assert "card.json" in infos["broken"].remedy
    assert "Train" in infos["broken"].remedy
    with pytest.raises(encoders.EncoderUnavailable, match="'broken' cannot run: broken"):
        open_encoder("broken", tmp_path)


@pytest.mark.parametrize(
    "changes",
    [{"depth": 3}, {"kind": "magic"}, {"backbone": "resnet19"}],
    ids=lambda changes: next(iter(changes)),
)
def test_a_network_that_this_version_cannot_build_is_told(tmp_path, changes):
    folder = write(tmp_path)
    change_card(folder, architecture={**CSN.as_json(), **changes})
    with pytest.raises(encoders.WeightsDamaged, match=r"cannot build .*\. Train it again"):
        open_encoder("pupil", tmp_path)


def test_29_weights_of_another_shape_never_serve(tmp_path):
    folder = write(tmp_path)
    change_card(folder, architecture=dataclasses.replace(CSN, width=9).as_json())
    with pytest.raises(encoders.WeightsDamaged, match="other names or other shapes"):
        open_encoder("pupil", tmp_path)


def test_other_files_in_the_folder_are_left_alone(tmp_path):
    write(tmp_path)
    (tmp_path / "notes").mkdir()
    (tmp_path / "readme.txt").write_text("hello")
    (tmp_path / "odd" / "card.json").mkdir(parents=True)
    infos = describe(tmp_path)
    assert "notes" not in infos and infos["odd"].availability == "broken"
    assert infos["pupil"].availability == "ready"


def test_without_a_folder_nothing_is_missing(tmp_path):
    assert "pupil" not in describe(None)
    assert describe(tmp_path / "gone") == describe(None)
