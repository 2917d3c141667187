"""The one command that regenerates the shipped weights, on a handful of items."""

import json

import pytest
import torch
from django.core.management import CommandError, call_command

from search.catalogues import wardrobe
from search.engine.encoders import thimble
from search.engine.weight_files import read_weights
from search.services import shipped_weights

DEMO_SEED = 0


def train(target, *, steps=2, **options):
    call_command(
        "train_shipped_weights",
        items=8,
        held_out=4,
        steps=steps,
        output=target,
        cache=target.parent / "cache",
        **options,
    )


def test_the_command_writes_weights_that_load_and_a_card_that_says_where_they_come_from(tmp_path, capsys):
    target = tmp_path / "weights" / "thimble.safetensors"
    train(target)
    card = json.loads(target.with_suffix(".json").read_text())
    assert card["catalogue_version"] == wardrobe.VERSION
    assert (card["training_items"], card["held_out_items"], card["steps"]) == (8, 4, 2)
    assert "--items 8 --held-out 4 --steps 2 --seed 0" in card["command"]
    assert 0 <= card["accuracy"]["catalogue"]["kind"] <= 1
    picture = torch.zeros((1, thimble.SIDE, thimble.SIDE, 3), dtype=torch.uint8)
    assert thimble.build_network(target)(picture)[1].shape == (1, 256)
    said = capsys.readouterr().out
    assert "drawn 8 of 8 items" in said
    assert "step 2 of 2" in said

    train(target)  # a second run goes on from the drawings and the checkpoint, and ends the same
    assert "drawn" not in capsys.readouterr().out
    assert json.loads(target.with_suffix(".json").read_text()) == card
    with pytest.raises(CommandError, match="written with other settings"):
        train(target, steps=3)


def test_no_seed_of_the_training_is_the_demos_or_the_reports():
    learned, unseen = set(shipped_weights.TRAINING_SEEDS), set(shipped_weights.HELD_OUT_SEEDS)
    assert DEMO_SEED not in learned | unseen
    assert not learned & unseen


def test_the_shipped_card_describes_the_shipped_weights():
    card = json.loads(thimble.WEIGHTS.with_suffix(".json").read_text())
    assert card["training_seeds"] == list(shipped_weights.TRAINING_SEEDS)
    assert card["held_out_seeds"] == list(shipped_weights.HELD_OUT_SEEDS)
    assert card["catalogue_version"] == wardrobe.VERSION
    assert sum(value.numel() for value in read_weights(thimble.WEIGHTS).values()) < 3e6
