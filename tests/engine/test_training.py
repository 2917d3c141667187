"""Training of the small network: it learns, it can be interrupted, and it says why it cannot go on."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from search.engine.arrays import read_arrays
from search.engine.augmentation import augment
from search.engine.training import (
    MISSING,
    TrainingConfig,
    TrainingFailed,
    TrainingSet,
    initialise,
    measure_accuracy,
    train,
)

SIDE = 16


class Tiny(nn.Module):
    """A network small enough for a test: two layers, the last of 12."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, stride=2)
        self.last = nn.Linear(8, 12)

    def forward(self, pictures):
        pool = torch.relu(self.first(pictures.permute(0, 3, 1, 2) / 255.0)).mean(dim=(2, 3))
        return pool, torch.relu(self.last(pool))


def draw_samples(count=48, seed=0):
    """Flat pictures: the category is the colour; half of the items have a second aspect, light or dark."""
    generator = np.random.default_rng(seed)
    category = generator.integers(0, 3, count)
    dark = generator.integers(0, 2, count)
    colours = np.eye(3)[category] * np.where(dark, 90, 200)[:, None] + 40
    catalogue = np.broadcast_to(colours[:, None, None], (count, SIDE, SIDE, 3)).astype(np.uint8)
    labels = np.stack([category, np.where(np.arange(count) % 2, dark, MISSING)], axis=1)
    aspects = (("kind", ("red", "green", "blue")), ("light", ("light", "dark")))
    return TrainingSet(catalogue, 255 - (255 - catalogue) // 2, labels, aspects)


CONFIG = TrainingConfig(steps=60, items=16, peak_rate=0.02, checkpoint_every=20)


def run(config=CONFIG, samples=None, checkpoint=None, report=lambda _: None):
    network = initialise(Tiny, config.seed)
    heads = train(network, samples or draw_samples(), config, checkpoint=checkpoint, report=report)
    return network, heads


def test_a_network_learns_what_the_labels_say():
    losses = []
    network, heads = run(report=lambda progress: losses.append(progress.loss))
    accuracy = measure_accuracy(network, heads, draw_samples(seed=1))
    assert losses[-1] < losses[0]
    assert accuracy["catalogue"]["kind"] > 0.9
    assert set(accuracy["lifestyle"]) == {"kind", "light"}


def test_the_same_seed_gives_the_same_weights_and_another_seed_others():
    first, again = run()[0].state_dict(), run()[0].state_dict()
    other = run(dataclasses.replace(CONFIG, seed=1))[0].state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["last.weight"], other["last.weight"])


class Killed(BaseException):
    """Stands for kill -9: nothing in the loop catches it."""


@pytest.mark.parametrize("step", [1, 20, 47])
def test_a_killed_run_ends_with_the_same_weights(tmp_path, step):
    def kill(progress):
        if progress.step == step:
            raise Killed

    checkpoint = tmp_path / "checkpoint.safetensors"
    with pytest.raises(Killed):
        run(checkpoint=checkpoint, report=kill)
    steps = []
    network, heads = run(checkpoint=checkpoint, report=lambda progress: steps.append(progress.step))
    whole, whole_heads = run()
    assert steps[0] == step // CONFIG.checkpoint_every * CONFIG.checkpoint_every + 1
    for resumed, uninterrupted in ((network, whole), (heads, whole_heads)):
        for name, value in uninterrupted.state_dict().items():
            assert torch.equal(value, resumed.state_dict()[name])


def test_29_a_checkpoint_that_is_a_pickle_is_refused_and_nothing_in_it_runs(tmp_path):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("a pickle was run",))

    checkpoint = tmp_path / "checkpoint.safetensors"
    torch.save({"step": 20, "config": dataclasses.asdict(CONFIG), "modules": Trap()}, checkpoint)
    with pytest.raises(TrainingFailed, match="no whole checkpoint"):
        run(checkpoint=checkpoint)


@pytest.mark.parametrize("place", [3, 200, 5000, -1])
def test_29_a_checkpoint_with_one_wrong_byte_is_refused(tmp_path, place):
    checkpoint = tmp_path / "checkpoint.safetensors"
    run(dataclasses.replace(CONFIG, steps=2), checkpoint=checkpoint)
    data = bytearray(checkpoint.read_bytes())
    data[place] ^= 1
    checkpoint.write_bytes(data)
    with pytest.raises(TrainingFailed, match="no whole checkpoint"):
        run(dataclasses.replace(CONFIG, steps=2), checkpoint=checkpoint)


def test_29_a_checkpoint_of_another_shape_is_refused(tmp_path):
    checkpoint = tmp_path / "checkpoint.safetensors"
    run(checkpoint=checkpoint)
    samples = draw_samples()
    more = (("kind", ("red", "green", "blue", "none")), samples.aspects[1])
    with pytest.raises(TrainingFailed, match="of another network"):
        run(samples=dataclasses.replace(samples, aspects=more), checkpoint=checkpoint)


def test_a_checkpoint_of_other_settings_is_refused(tmp_path):
    checkpoint = tmp_path / "checkpoint.safetensors"
    run(checkpoint=checkpoint)
    with pytest.raises(TrainingFailed, match=r"checkpoint.safetensors was written with other settings"):
        run(dataclasses.replace(CONFIG, peak_rate=0.01), checkpoint=checkpoint)


def test_a_loss_that_is_not_a_number_ends_the_run_and_keeps_the_last_good_checkpoint(tmp_path):
    checkpoint = tmp_path / "checkpoint.safetensors"

    class Poisoned(Tiny):
        steps = 0

        def forward(self, pictures):
            self.steps += self.training
            pool, last = super().forward(pictures)
            return pool, last * (float("nan") if self.steps > 30 else 1.0)

    with pytest.raises(TrainingFailed, match="not a number at step 31"):
        train(initialise(Poisoned, 0), draw_samples(), CONFIG, checkpoint=checkpoint, report=lambda _: None)
    arrays, facts = read_arrays(checkpoint)
    assert facts["step"] == 20
    assert all(np.isfinite(array).all() for array in arrays.values())


def test_augmented_pictures_differ_and_depend_on_the_generator_alone():
    pictures = torch.from_numpy(np.array(draw_samples().catalogue[:6]))
    pictures[:, 4:12, 4:12] = torch.randint(0, 256, (6, 8, 8, 3), dtype=torch.uint8)
    first, again, other = (augment(pictures, torch.Generator().manual_seed(seed)) for seed in (3, 3, 4))
    assert first.shape == pictures.shape
    assert first.dtype == torch.uint8
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert not torch.equal(first, pictures)
