"""The networks that training makes: described by JSON, exported, and what their heads promise."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from search.engine.backbone_names import BACKBONES
from search.engine.backbones import find_backbone
from search.engine.runtime import ExportedNetwork, NetworkSpec, TorchNetwork, check_parity, export
from search.engine.trained_networks import (
    HEADS,
    LEARNED_WIDTH,
    Architecture,
    CsnHead,
    DenseHead,
    SiameseHead,
    TrainedNetwork,
    make_network,
    side_of,
)
from tests.engine.training.squares import SIDE, assert_equal_weights

NAMES = st.text(min_size=1, max_size=8)
ARCHITECTURES = {
    "transfer": Architecture("transfer", "bobbin", SIDE, 12, values=(5,)),
    "aspects": Architecture("aspects", "bobbin", SIDE, 12, values=(5, 3)),
    "siamese": Architecture("siamese", "bobbin", SIDE, 10, shallow=True),
    "csn": Architecture("csn", "bobbin", SIDE, 10, masks=("colour", "size"), masks_sum_to_one=True),
}


def make(kind, seed=0):
    torch.manual_seed(seed)
    return make_network(ARCHITECTURES[kind]).eval()


def draw_pictures(count=3, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, SIDE, SIDE, 3)).astype(np.uint8)


@given(
    st.builds(
        Architecture,
        kind=st.sampled_from(sorted(HEADS)),
        backbone=st.sampled_from(BACKBONES),
        side=st.integers(1, 1024),
        width=st.integers(1, 9999),
        values=st.lists(st.integers(1, 99), max_size=4).map(tuple),
        masks=st.lists(NAMES, max_size=4).map(tuple),
        masks_sum_to_one=st.booleans(),
        shallow=st.booleans(),
    )
)
def test_an_architecture_comes_back_from_json(architecture):
    assert Architecture.from_json(json.loads(json.dumps(architecture.as_json()))) == architecture


@pytest.mark.parametrize("change", [{"depth": 3}, {"width": None, "kind": ...}])
def test_an_architecture_of_another_version_is_refused(change):
    known = ARCHITECTURES["csn"].as_json()
    if change.get("kind") is ...:
        del known["kind"]
    else:
        known |= change
    with pytest.raises(TypeError):
        Architecture.from_json(known)


@pytest.mark.parametrize("kind", sorted(ARCHITECTURES))
def test_a_network_is_built_again_from_its_description_and_takes_its_weights(kind):
    taught, again = make(kind), make(kind, seed=1)
    again.load_state_dict(taught.state_dict())
    assert_equal_weights(taught, again)
    pictures = torch.from_numpy(draw_pictures())
    with torch.inference_mode():
        for one, other in zip(taught(pictures), again(pictures), strict=True):
            assert torch.equal(one, other)


class Speck(nn.Module):
    """A trunk of one convolution: exporting the project's own takes seconds."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 6, 3, stride=4)

    def forward(self, pictures):
        values = self.first(pictures.permute(0, 3, 1, 2).float() / 255 - 0.5)
        return values.relu().mean(dim=(2, 3))


@pytest.mark.parametrize("kind", sorted(ARCHITECTURES))
def test_every_kind_is_exported_and_says_the_same(kind):
    network = make(kind)
    if kind != "siamese":  # which takes its whole way, with both branches
        network = TrainedNetwork(Speck(), HEADS[kind](6, ARCHITECTURES[kind])).eval()
    layers = tuple(network.head.layers)
    spec = NetworkSpec(key=kind, side=SIDE, layers=layers, build=lambda: network)
    exported = ExportedNetwork(export(network, spec), layers, threads=1)
    torch_network = TorchNetwork(network, layers, "cpu")
    check_parity(torch_network, exported, spec)
    pictures = draw_pictures(5, seed=1)
    expected, found = torch_network.run(pictures), exported.run(pictures)
    assert list(found) == list(layers)
    for layer in layers:
        assert found[layer].shape == (5, ARCHITECTURES[kind].width) and found[layer].dtype == np.float32
        np.testing.assert_allclose(
            found[layer], expected[layer], atol=1e-4 * max(1, float(np.abs(expected[layer]).max()))
        )
    assert float(np.abs(expected[layers[0]][0] - expected[layers[0]][1]).max()) > 0


# Heads -----------------------------------------------------------------------------------------------------


def test_a_dense_layer_ends_in_a_threshold_so_that_signs_say_something():
    hidden = make("transfer").train()(torch.from_numpy(draw_pictures(16)))[0].detach()
    assert hidden.min() == 0 and 0.3 < (hidden > 0).float().mean() < 0.7


def test_a_dense_head_tells_values_of_every_aspect_apart():
    network = make("aspects")
    logits = network.head.classify(network.trunk(torch.from_numpy(draw_pictures(4))))
    assert [part.shape for part in logits] == [(4, 5), (4, 3)]


def test_a_hidden_layer_twice_as_wide_that_holds_everything_twice_says_the_same():
    """Else a wide layer would be taught in larger steps than a narrow one."""
    narrow, wide = (
        DenseHead(6, Architecture("transfer", "bobbin", SIDE, width, values=(5,))).eval()
        for width in (LEARNED_WIDTH, 2 * LEARNED_WIDTH)
    )
    with torch.no_grad():
        wide.hidden[0].weight.copy_(narrow.hidden[0].weight.repeat(2, 1))
        wide.softmax.weight.copy_(narrow.softmax.weight.repeat(1, 2))
        wide.softmax.bias.copy_(narrow.softmax.bias)
    features = torch.randn(4, 6)
    torch.testing.assert_close(wide.classify(features), narrow.classify(features))


def test_a_siamese_vector_has_length_one():
    head = SiameseHead(6, Architecture("siamese", "bobbin", SIDE, 10))
    lengths = head(torch.randn(50, 6) * torch.logspace(-3, 3, 50)[:, None])[0].norm(dim=1)
    torch.testing.assert_close(lengths, torch.ones(50))


def test_the_shallow_branch_stands_beside_the_deep_one_and_is_heard():
    torch.manual_seed(0)
    deep, both = (
        make_network(Architecture("siamese", "bobbin", SIDE, 8, shallow=shallow)).eval()
        for shallow in (False, True)
    )
    assert both.trunk.width > deep.trunk.width == find_backbone("bobbin").width
    both.trunk.deep.load_state_dict(deep.trunk.state_dict())
    pictures = torch.from_numpy(draw_pictures())
    features = both.trunk(pictures)
    torch.testing.assert_close(features[:, : deep.trunk.width], deep.trunk(pictures))
    features.sum().backward()
    assert all(float(tensor.grad.abs().sum()) > 0 for tensor in both.trunk.shallow.parameters())


@given(
    sum_to_one=st.booleans(),
    seed=st.integers(0, 20),
    size=st.floats(0.01, 30),
)
def test_masks_are_not_negative_and_sum_to_one_where_told(sum_to_one, seed, size):
    torch.manual_seed(seed)
    head = CsnHead(6, Architecture("csn", "bobbin", SIDE, 16, (), ("a", "b", "c"), sum_to_one))
    with torch.no_grad():
        head.raw_masks.mul_(size)
    masks = head.masks().detach()
    assert masks.shape == (3, 16) and (masks >= 0).all()
    if sum_to_one:
        torch.testing.assert_close(masks.sum(dim=1), torch.ones(3))


def test_masks_that_do_not_sum_to_one_begin_as_published():
    """N(.9, .7), as in the published code of conditional similarity networks."""
    torch.manual_seed(0)
    raw = CsnHead(4, Architecture("csn", "bobbin", SIDE, 4096, (), ("a", "b"), False)).raw_masks.detach()
    assert float(raw.mean()) == pytest.approx(0.9, abs=0.03)
    assert float(raw.std()) == pytest.approx(0.7, abs=0.03)


def test_a_conditional_network_answers_with_its_embedding_under_every_mask():
    network = make("csn")
    with torch.inference_mode():
        plain, *masked = network(torch.from_numpy(draw_pictures()))
        for under, mask in zip(masked, network.head.masks(), strict=True):
            torch.testing.assert_close(under, plain * mask)
    assert network.head.layers == ("embedding", "mask-colour", "mask-size")


def test_a_network_without_masks_has_one_space():
    network = make_network(Architecture("csn", "bobbin", SIDE, 8)).eval()
    assert network.head.layers == ("embedding",)
    assert len(network(torch.from_numpy(draw_pictures()))) == 1


def test_features_may_come_in_where_the_trunk_is_nothing():
    network = make("siamese")
    features = torch.randn(3, network.trunk.width)
    taken = type(network)(nn.Identity(), network.head)
    assert torch.equal(taken(features)[0], network.head(features)[0])


@pytest.mark.parametrize(("told", "side"), [(0, 96), (64, 64)])
def test_the_side_is_the_backbones_own_unless_told(told, side):
    assert side_of("bobbin", told) == side
    assert side_of("inception_v3", told) == (told or 299)
