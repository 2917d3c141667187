"""Changed pictures: still pictures, each changed in its own way, and the same ones from the same seed."""

import pytest
import torch

from search.engine.training.augmentation import AUGMENTATIONS, augment
from search.engine.training.settings import STRENGTHS

CHANGING = [name for name in STRENGTHS if name != "none"]


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def draw_pictures(count=6, side=24):
    pictures = torch.randint(0, 256, (count, 8, 8, 3), dtype=torch.uint8, generator=seeded(0))
    return pictures.repeat_interleave(side // 8, dim=1).repeat_interleave(side // 8, dim=2)


def test_every_strength_that_can_be_told_is_there():
    assert set(AUGMENTATIONS) == set(STRENGTHS)


@pytest.mark.parametrize("strength", CHANGING)
@pytest.mark.parametrize("side", [16, 24])
def test_pictures_stay_pictures_and_depend_on_the_generator_alone(strength, side):
    pictures = draw_pictures(side=side)
    before = pictures.clone()
    first, again, other = (augment(pictures, strength, seeded(seed)) for seed in (3, 3, 4))
    assert first.shape == pictures.shape and first.dtype == torch.uint8
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(pictures, before)  # what is read from a file may be read again


@pytest.mark.parametrize("strength", CHANGING)
def test_each_picture_is_changed_in_its_own_way(strength):
    same = draw_pictures(1).expand(5, -1, -1, -1)
    changed = augment(same, strength, seeded(1))
    assert len({picture.numpy().tobytes() for picture in changed}) == 5


def test_none_changes_nothing():
    pictures = draw_pictures()
    assert torch.equal(augment(pictures, "none", seeded(0)), pictures)


def test_gentle_changes_keep_colours():
    """What colour and pattern are learned from must not change their colour."""
    flat = torch.tensor([[200, 30, 40], [10, 120, 90]], dtype=torch.uint8)[:, None, None].expand(2, 24, 24, 3)
    assert torch.equal(augment(flat, "gentle", seeded(5)), flat)
    assert not torch.equal(augment(flat, "photos", seeded(5)), flat)


def test_a_picture_lies_both_ways_round():
    """Flips are half and half."""
    halves = torch.zeros((400, 8, 8, 3), dtype=torch.uint8)
    halves[:, :, :4] = 255
    changed = augment(halves, "gentle", seeded(2)).float()
    flipped = changed[:, :, :4].mean(dim=(1, 2, 3)) < changed[:, :, 4:].mean(dim=(1, 2, 3))
    assert 0.4 < flipped.float().mean().item() < 0.6
