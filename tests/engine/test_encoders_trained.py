"""Encoders that training made: listed with their masks, replaced whole, and nobody takes another's name."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from search.engine import encoders
from search.engine.encoders import trained, trained_files
from search.engine.files import write_file
from search.engine.trained_networks import Architecture
from search.engine.weight_files import pack_weights
from tests.engine.pupils import CSN, change_card, describe, draw_photos, make, open_encoder, write
from tests.engine.training.squares import SIDE


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    """A folder for exported networks that the module's tests share, so that each is exported once."""
    return tmp_path_factory.mktemp("exports")


def test_a_conditional_network_is_listed_with_its_masks_as_encoders_of_one_network(tmp_path):
    folder = write(tmp_path)
    infos = describe(tmp_path)
    pupil = [info for info in infos.values() if info.network == "pupil"]
    assert [(info.name, info.mask) for info in pupil] == [
        ("pupil", ""),
        ("pupil.colour", "colour"),
        ("pupil.size", "size"),
    ]
    assert {info.availability for info in pupil} == {"ready"}
    assert {info.dimensions for info in pupil} == {8}
    assert len({info.version for info in pupil}) == 1
    assert pupil[0].version == trained.version_of(json.loads((folder / "card.json").read_bytes()))
    assert "by colour" in pupil[1].title
    assert len(encoders.group_by_network(pupil)) == 1


@pytest.mark.parametrize(
    ("architecture", "is_sign_structured"),
    [
        (Architecture("transfer", "thimble", SIDE, 12, values=(5,)), True),
        (Architecture("aspects", "thimble", SIDE, 12, values=(5, 2)), True),
        (Architecture("siamese", "thimble", SIDE, 12), False),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_other_kinds_are_one_encoder_each(tmp_path, architecture, is_sign_structured):
    write(tmp_path, architecture=architecture)
    info = encoders.find_encoder("pupil", trained_folder=tmp_path)
    assert (info.dimensions, info.mask, info.sign_structured) == (12, "", is_sign_structured)
    assert not any(name.startswith("pupil.") for name in describe(tmp_path))


def test_masks_share_a_pass_and_say_what_the_network_says(tmp_path, exports):
    write(tmp_path)
    names = ["pupil", "pupil.size", "pupil.colour"]
    joint = encoders.create_joint_encoder(
        names, "cpu", trained_folder=tmp_path, cache_folder=exports, threads=1
    )
    photos = draw_photos()
    found = joint.encode(map(Image.fromarray, photos))
    framed = np.stack([trained.frame(Image.fromarray(photo), side=SIDE) for photo in photos])
    with torch.inference_mode():
        plain, colour, size = (layer.numpy() for layer in make()(torch.from_numpy(framed)))
    for name, expected in zip(names, (plain, size, colour), strict=True):
        assert found[name].shape == (3, 8) and found[name].dtype == np.float32
        np.testing.assert_allclose(found[name], expected, rtol=1e-3, atol=1e-5)
    alone = open_encoder("pupil.size", tmp_path, exports).encode(photos)
    np.testing.assert_allclose(alone, found["pupil.size"], rtol=1e-4, atol=1e-6)
    assert joint.encode([])["pupil"].shape == (0, 8)


def test_a_mask_of_taste_weighs_what_has_no_other_mask(tmp_path):
    architecture, taste = replace(CSN, taste=True), torch.linspace(-0.5, 3, 8)
    network = make(architecture)
    network.head.raw_taste.data.copy_(taste)
    card = {"name": "pupil", "kind": "csn", "architecture": architecture.as_json()}
    trained_files.write_trained(tmp_path / "pupil", pack_weights(network), card)
    write(tmp_path, "parent")
    photos = draw_photos()
    found = [
        encoders.create_joint_encoder(
            [f"{of}{mask}" for mask in ("", ".size")], "cpu", trained_folder=tmp_path
        )
        for of in ("pupil", "parent")
    ]
    pupil, parent = (list(one.encode(map(Image.fromarray, photos)).values()) for one in found)
    np.testing.assert_allclose(pupil[0], parent[0] * taste.relu().numpy(), rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(pupil[1], parent[1], rtol=1e-3, atol=1e-5)


def test_the_old_encoder_serves_until_the_card_is_replaced(tmp_path, exports, monkeypatch):
    folder = write(tmp_path)
    photos = draw_photos()
    open_before = open_encoder("pupil", tmp_path, exports)
    vectors, version = open_before.encode(photos), open_before.info.version

    def die_before_the_card(path, data):
        if path.name == "card.json":
            raise KeyboardInterrupt
        return write_file(path, data)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(trained_files, "write_file", die_before_the_card)
        write(tmp_path, seed=1)
    assert len(list(folder.glob("weights-*"))) == 2
    still = open_encoder("pupil", tmp_path, exports)
    assert still.info.version == version
    np.testing.assert_allclose(still.encode(photos), vectors, rtol=1e-4, atol=1e-6)

    write(tmp_path, seed=1)
    after = open_encoder("pupil", tmp_path, exports)
    assert after.info.version != version
    assert np.abs(after.encode(photos) - vectors).max() > 1e-3
    assert len(list(folder.glob("weights-*"))) == 1
    np.testing.assert_array_equal(open_before.encode(photos), vectors)  # whoever holds it, keeps it


def test_the_same_weights_again_stay_in_place(tmp_path):
    folder = write(tmp_path)
    before = encoders.find_encoder("pupil", trained_folder=tmp_path)
    write(tmp_path)
    assert encoders.find_encoder("pupil", trained_folder=tmp_path) == before
    assert len(list(folder.glob("weights-*"))) == 1


# Names -----------------------------------------------------------------------------------------------------


def test_a_folder_cannot_stand_for_a_shipped_encoder(tmp_path, exports, monkeypatch):
    shipped, own = tmp_path / "shipped", tmp_path / "own"
    monkeypatch.setattr(trained, "SHIPPED", shipped)
    write(shipped, "pupil")
    write(own, "pupil", seed=1)
    write(own, "guest", seed=1)
    before = encoders.find_encoder("pupil")
    assert encoders.find_encoder("pupil", trained_folder=own) == before
    assert encoders.find_encoder("guest", trained_folder=own).version != before.version
    photos = draw_photos(1)
    with torch.inference_mode():
        framed = np.stack([trained.frame(Image.fromarray(photo), side=SIDE) for photo in photos])
        expected = make()(torch.from_numpy(framed))[0].numpy()
    found = open_encoder("pupil", own, exports).encode(photos)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", ["vgg16-fc6", "colour-histogram", "random-control"])
def test_a_trained_encoder_cannot_take_the_name_of_a_built_in_one(tmp_path, name):
    before = encoders.find_encoder(name)
    write(tmp_path, name)
    assert encoders.find_encoder(name, trained_folder=tmp_path) == before
    refused = describe(tmp_path)[f"{name} (second)"]
    assert refused.availability == "broken"
    assert refused.remedy == f"The name '{name}' is taken; give the encoder another one."


@pytest.mark.parametrize("name", ["house", "vgg16-fc6", "colour-histogram"])
def test_a_card_cannot_take_the_name_of_another_encoder(tmp_path, monkeypatch, name):
    """Whatever a copied or edited card says: each encoder is the one it was."""
    shipped, own = tmp_path / "shipped", tmp_path / "own"
    monkeypatch.setattr(trained, "SHIPPED", shipped)
    write(shipped, "house")
    before = encoders.find_encoder(name)
    folder = write(own, "guest", seed=1)
    change_card(folder, name=name)
    assert encoders.find_encoder(name, trained_folder=own) == before
    assert not [
        info
        for info in encoders.list_encoders(trained_folder=own, try_plugins=False)
        if info.network == "guest" and info.availability == "ready"
    ]


def test_a_copied_folder_does_not_take_its_originals_place(tmp_path):
    folder = write(tmp_path, "pupil")
    shutil.copytree(folder, tmp_path / "aaa")
    infos = describe(tmp_path)
    assert infos["pupil"].network == "pupil"
    assert infos["aaa"].availability == "broken"
    assert "pupil" in infos["aaa"].remedy
