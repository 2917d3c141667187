"""Backbones: torchvision's below their classifiers, in blocks that can be frozen, with weights from files."""

import os
import pickle

import pytest
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st

from search.engine import torchvision_ops
from search.engine.backbone_names import BACKBONES, OWN, PUBLISHED
from search.engine.backbones import find_backbone, make_trunk, strongest
from search.engine.encoders.base import WeightsDamaged
from tests.memory import MiB, Peak

# Those that can be taught within a test.
QUICK = (*OWN, "resnet18", "mobilenet_v3_small", "regnet_y_400mf")
MEAN, STD = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])


def draw_pictures(side=64, count=2):
    return torch.randint(
        0, 256, (count, side, side, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )


def side_of(name):
    return 96 if name == "inception_v3" else 64


def make_published(name):
    """torchvision's network, as it is for its published weights, with statistics as after a training."""
    torchvision_ops.prepare()
    from torchvision import models

    torch.manual_seed(1)
    extra = {"transform_input": True, "init_weights": True} if name == "inception_v3" else {}
    network = models.get_model(name, weights=None, **extra)
    for key, tensor in network.state_dict().items():
        if key.endswith("running_mean"):
            tensor.normal_(0, 0.3)
        elif key.endswith("running_var"):
            tensor.uniform_(0.5, 2)
    return network.eval()


def write(path, tensors):
    path.write_bytes(safetensors.torch.save(dict(tensors)))
    return path


@torch.inference_mode()
def answer_below_classifier(network, pictures):
    """What the network's pooling hands to its classifier, for pictures prepared as torchvision says."""
    answers = []
    network.avgpool.register_forward_hook(lambda module, inputs, output: answers.append(output.flatten(1)))
    network(((pictures / 255.0 - MEAN) / STD).permute(0, 3, 1, 2))
    return answers[0]


@torch.inference_mode()
def look(trunk, pictures):
    return trunk(pictures)


@pytest.mark.parametrize("name", [name for name in PUBLISHED if name != "vgg16"])
def test_a_published_backbone_with_its_weights_says_what_torchvision_says(tmp_path, name):
    network, pictures = make_published(name), draw_pictures(side_of(name))
    trunk = make_trunk(name, write(tmp_path / "w.safetensors", network.state_dict())).eval()
    found = look(trunk, pictures)
    expected = answer_below_classifier(network, pictures)
    assert found.shape == (2, trunk.width) == (2, find_backbone(name).width)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4 * float(expected.abs().max()))


def test_vgg_is_torchvisions_convolutions_laid_out_flat_and_its_last_block_can_learn():
    torchvision_ops.prepare()
    from torchvision.models import vgg16

    torch.manual_seed(0)
    trunk = make_trunk("vgg16").eval()
    with torch.device("meta"):
        network = vgg16(weights=None, init_weights=False).eval()
    convolutions = [tensor for name, tensor in trunk.state_dict().items() if name.startswith("blocks.")]
    names = list(network.features.state_dict())
    network.features.load_state_dict(dict(zip(names, convolutions, strict=True)), assign=True)
    pictures = draw_pictures(64)
    with torch.inference_mode():
        values = network.features(((pictures / 255.0 - MEAN) / STD).permute(0, 3, 1, 2))
        expected = network.avgpool(values).flatten(1)
    torch.testing.assert_close(look(trunk, pictures), expected, rtol=1e-3, atol=1e-5)
    assert look(trunk, draw_pictures(96)).shape == (2, trunk.width)  # whatever the side
    trunk.freeze("1")
    learning = [name for name, tensor in trunk.named_parameters() if tensor.requires_grad]
    assert len(learning) == 6, "the weights and biases of the last of the five stages"


def test_vggs_dense_layers_are_never_made(tmp_path):
    """They have eight times as many weights as its convolutions."""
    before = Peak(os.getpid())
    torch.manual_seed(0)
    trunk = make_trunk("vgg16")
    kept = sum(tensor.nbytes for tensor in trunk.state_dict().values())
    assert 50 * MiB < kept < 60 * MiB
    assert before.growth() < 200 * MiB
    first, last = (next(block.parameters()) for block in (trunk.blocks[0], trunk.blocks[-1]))
    # He et al. 2015: variance 2 / (outputs x area of the kernel)
    for drawn in (first, last):
        assert float(drawn.detach().std()) == pytest.approx((2 / (drawn.shape[0] * 9)) ** 0.5, rel=0.1)
    named = {"features.0.weight": torch.zeros(64, 3, 3, 3), "features.0.bias": torch.zeros(64)}
    with pytest.raises(WeightsDamaged, match=r"features\.2\.weight is missing"):
        make_trunk("vgg16", write(tmp_path / "w.safetensors", named))


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("side", [32, 96])
def test_the_projects_own_maps_pictures_of_any_side(name, side):
    torch.manual_seed(0)
    trunk = make_trunk(name).eval()
    found = look(trunk, draw_pictures(side, 3))
    assert found.shape == (3, trunk.width) and found.dtype == torch.float32
    assert torch.isfinite(found).all() and found.std(dim=0).max() > 0


@given(high=st.integers(1, 13), wide=st.integers(1, 13), parts=st.integers(1, 4), seed=st.integers(0, 99))
def test_the_strongest_answers_of_each_part_are_those_of_adaptive_pooling(high, wide, parts, seed):
    values = torch.randn((2, 3, high, wide), generator=torch.Generator().manual_seed(seed))
    expected = torch.nn.functional.adaptive_max_pool2d(values, parts)  # (n, c, parts, parts)
    found = strongest(values, parts).view(2, parts, parts, 3).permute(0, 3, 1, 2)
    assert torch.equal(found, expected)


def test_every_name_is_a_backbone_and_no_other():
    assert [find_backbone(name).name for name in BACKBONES] == list(BACKBONES)
    with pytest.raises(KeyError):
        find_backbone("resnet19")


# Freezing --------------------------------------------------------------------------------------------------


def teach(trunk):
    """One step, as training takes it; returns the names of what changed."""
    before = {name: tensor.clone() for name, tensor in trunk.state_dict().items()}
    learning = [tensor for tensor in trunk.parameters() if tensor.requires_grad]
    if learning:
        optimiser = torch.optim.SGD(learning, lr=0.1)
        trunk(draw_pictures(64, 4)).square().mean().backward()
        optimiser.step()
    else:
        trunk(draw_pictures(64, 4))
    return {name for name, tensor in trunk.state_dict().items() if not torch.equal(tensor, before[name])}


def count_statistics(trunk):
    """As if it had been trained: under drawn weights signals would fade from block to block."""
    norms = [module for module in trunk.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    momenta = [module.momentum for module in norms]
    for module in norms:
        module.momentum = 1.0
    look(trunk.train(), draw_pictures(64, 4))
    for module, momentum in zip(norms, momenta, strict=True):
        module.momentum = momentum


@pytest.mark.parametrize("name", QUICK)
@pytest.mark.parametrize("trainable", ["all", "none", "1", "2"])
def test_frozen_blocks_keep_weights_and_statistics_and_the_others_learn(name, trainable):
    torch.manual_seed(0)
    trunk = make_trunk(name)
    count_statistics(trunk)
    trunk.freeze(trainable)
    trunk.eval()
    trunk.train()  # as after every judgement
    count = len(trunk.blocks)
    first = {"all": 0, "none": count}.get(trainable, count - int(trainable) if trainable.isdecimal() else 0)
    changed = teach(trunk)
    assert all(torch.isfinite(tensor).all() for tensor in trunk.state_dict().values())
    blocks = {int(entry.split(".")[1]) for entry in changed}
    assert blocks == set(range(first, count))
    learned = [entry for entry in changed if entry.endswith("weight")]
    assert bool(learned) == (trainable != "none")
    counted = any(entry.endswith("running_mean") for entry in changed)
    assert counted == (trainable != "none")
    assert trunk.is_frozen == (trainable == "none")


@pytest.mark.parametrize("name", [name for name in PUBLISHED if name != "vgg16"])
def test_the_last_block_of_every_backbone_can_learn(name):
    trunk = make_trunk(name)
    trunk.freeze("1")
    assert any(tensor.requires_grad for tensor in trunk.parameters())
    assert not trunk.is_frozen
    trunk.freeze("all")
    assert all(tensor.requires_grad for tensor in trunk.parameters())


def test_a_frozen_network_answers_the_same_while_what_is_above_it_learns():
    torch.manual_seed(0)
    trunk = make_trunk("convnext_tiny")  # which leaves out layers at random while it learns
    trunk.freeze("none")
    trunk.train()
    pictures = draw_pictures(32)
    assert torch.equal(look(trunk, pictures), look(trunk, pictures))


def test_more_blocks_than_there_are_cannot_learn():
    trunk = make_trunk("bobbin")
    trunk.freeze(str(len(trunk.blocks)))
    assert all(tensor.requires_grad for tensor in trunk.parameters())
    with pytest.raises(ValueError, match="There are 4 blocks, not 5"):
        trunk.freeze("5")


# Weights ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def resnet():
    return make_published("resnet18").state_dict()


def load(tmp_path, name, tensors):
    return make_trunk(name, write(tmp_path / "weights.safetensors", tensors))


def test_what_lies_above_the_convolutions_may_be_missing_or_another(tmp_path, resnet):
    below = {name: tensor for name, tensor in resnet.items() if not name.startswith("fc.")}
    for tensors in (below, {**below, "fc.weight": torch.zeros(7, 512), "fc.bias": torch.zeros(7)}):
        trunk = load(tmp_path, "resnet18", tensors)
        assert torch.equal(trunk.state_dict()["blocks.4.1.conv2.weight"], resnet["layer4.1.conv2.weight"])


def test_weights_published_before_batches_were_counted_are_taken(tmp_path, resnet):
    """torchvision's files of ResNet-18 and Inception v3 are that old: they hold no num_batches_tracked."""
    older = {name: tensor for name, tensor in resnet.items() if "num_batches_tracked" not in name}
    assert len(older) == 102
    trunk = load(tmp_path, "resnet18", older)
    assert torch.equal(trunk.state_dict()["blocks.0.1.running_var"], resnet["bn1.running_var"])


@pytest.mark.parametrize("name", ["thimble", "mobilenet_v3_small", "regnet_y_400mf"])
def test_weights_of_another_architecture_are_refused_by_name(tmp_path, resnet, name):
    with pytest.raises(
        WeightsDamaged,
        match=r"weights\.safetensors holds no weights of this backbone: .* is missing or of an",
    ):
        load(tmp_path, name, resnet)


@pytest.mark.parametrize("change", ["gone", "another shape"])
def test_one_missing_convolution_is_named(tmp_path, resnet, change):
    tensors = dict(resnet)
    shape = tensors.pop("layer3.0.conv1.weight").shape
    if change == "another shape":
        tensors["layer3.0.conv1.weight"] = torch.zeros(shape[:-1])
    with pytest.raises(WeightsDamaged, match=r"layer3\.0\.conv1\.weight is missing or of another shape"):
        load(tmp_path, "resnet18", tensors)


def test_the_own_network_goes_on_from_an_encoder_trained_here(tmp_path):
    torch.manual_seed(3)
    taught = make_trunk("thimble")
    for prefix in ("trunk.", ""):
        tensors = {prefix + name: tensor for name, tensor in taught.state_dict().items()}
        tensors = {name: tensor for name, tensor in tensors.items() if "normalise" not in name}
        if not prefix:
            tensors = {name.removeprefix("blocks."): tensor for name, tensor in tensors.items()}
        trunk = load(tmp_path, "thimble", {**tensors, "head.linear.weight": torch.zeros(4, 512)})
        assert all(
            torch.equal(tensor, taught.state_dict()[name]) for name, tensor in trunk.state_dict().items()
        )


class Trap:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was run",))


@pytest.mark.parametrize("name", ["thimble", "resnet18"])
def test_29_a_pickle_is_refused_and_nothing_in_it_runs(tmp_path, name):
    path = tmp_path / "weights.pth"
    for write_trap in (lambda: torch.save(Trap(), path), lambda: path.write_bytes(pickle.dumps(Trap()))):
        write_trap()
        with pytest.raises(
            WeightsDamaged, match=r"weights\.pth is no safetensors file.*convert it to safeten"
        ):
            make_trunk(name, path)


def test_a_file_that_is_not_there_or_cut_off_is_told(tmp_path, resnet):
    with pytest.raises(WeightsDamaged, match=r"gone was not found\. Check the path"):
        make_trunk("thimble", tmp_path / "gone")
    path = write(tmp_path / "weights.safetensors", resnet)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(WeightsDamaged, match="is no safetensors file"):
        make_trunk("resnet18", path)
