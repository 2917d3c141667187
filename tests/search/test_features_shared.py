"""What a frozen backbone says of a catalogue is asked for once, whoever trains on it next."""

from pathlib import Path

import pytest
import safetensors.torch
import torch
from django.conf import settings

from search.engine.backbones import make_trunk
from search.models import Catalogue, JobState
from search.services import training_session
from search.services.measuring_training import measure_training
from tests.lessons import make_school, train, wish
from tests.training_runs import card_of, files_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("every_word")]

FROZEN = {"backbone": "thimble", "trainable": "none", "steps": 2, "checkpoint_every": 1}


@pytest.fixture
def school(db) -> Catalogue:
    return make_school()


def draw_weights(path: Path, *, seed: int = 0) -> Path:
    torch.manual_seed(seed)
    tensors = make_trunk("thimble").blocks.state_dict()
    safetensors.torch.save_file(tensors, path)
    return path


def ask(school: Catalogue, weights: Path, *, kind: str = "transfer", **changed: object) -> list[str]:
    """Trains on it; what was said of looking through its backbone."""
    said: list[str] = []
    asked = wish(school, kind, weights=weights, settings=FROZEN | changed)
    _, job = train(asked, report=lambda job: said.append(job.message))
    assert job.state == JobState.DONE, job.reason
    return [words for words in said if "the backbone looks" in words]


def kept() -> list[Path]:
    return sorted((settings.TRAINING_FOLDER / "features").iterdir())


def test_seeds_models_and_trainings_with_one_frozen_backbone_ask_it_once(school, tmp_path):
    weights, said = draw_weights(tmp_path / "first.safetensors"), []
    measure_training(
        wish(school, name="", weights=weights, settings=FROZEN),
        seeds=2,
        say=lambda *words: said.append(words),
    )
    assert {title.partition(":")[0] for title, *_ in said if "backbone" in title} == {"transfer seed 0"}
    assert ask(school, weights, kind="aspects") == []
    assert len(kept()) == 1, "and nothing unfinished beside it"


def test_other_weights_another_side_and_other_code_ask_anew(school, tmp_path, monkeypatch):
    first = draw_weights(tmp_path / "first.safetensors")
    other = draw_weights(tmp_path / "other.safetensors", seed=1)
    assert ask(school, first)
    assert ask(school, other)
    assert ask(school, first, side=40)
    monkeypatch.setattr(training_session, "_FEATURE_CODE", ("search.engine.backbones",))  # as if edited
    assert ask(school, first, seed=1)
    assert len(kept()) == 4


def test_29_damaged_features_are_asked_for_anew_and_what_is_learned_is_the_same(school, tmp_path):
    weights = draw_weights(tmp_path / "first.safetensors")
    ask(school, weights)
    before, sha256 = files_of(), card_of()["sha256"]
    [file] = kept()
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    (settings.TRAINED_FOLDER / "pupil" / "card.json").unlink()
    assert ask(school, weights)
    assert card_of()["sha256"] == sha256 and files_of().keys() == before.keys()


def test_those_used_longest_ago_go_where_all_take_too_much(school, tmp_path, monkeypatch):
    first = draw_weights(tmp_path / "first.safetensors")
    ask(school, first)
    monkeypatch.setattr(training_session, "MOST_FEATURE_BYTES", kept()[0].stat().st_size)
    ask(school, draw_weights(tmp_path / "other.safetensors", seed=1))
    [left] = kept()
    assert ask(school, first, seed=1), "which were deleted"
    assert kept() != [left] and len(kept()) == 1
