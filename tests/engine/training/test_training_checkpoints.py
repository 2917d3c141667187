"""Checkpoints that cannot be gone on from are refused by name, and nothing in them runs."""

import pytest
import torch

from search.engine.training.checkpoints import CheckpointFile
from search.engine.training.failures import TrainingFailed
from search.engine.training.loop import fit
from tests.engine.training.lines import Lines, run, settings_of
from tests.engine.training.squares import CPU


class Trap:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was run",))


def test_29_a_checkpoint_that_is_a_pickle_is_refused_and_nothing_in_it_runs(tmp_path):
    path = tmp_path / "checkpoint"
    torch.save({"step": 20, "modules": Trap()}, path)
    with pytest.raises(TrainingFailed, match=r"checkpoint is no whole checkpoint\. Delete it to start anew"):
        run(settings_of(), path=path)


@pytest.mark.parametrize("place", [3, 200, 5000, -1])
def test_29_a_checkpoint_with_one_wrong_byte_is_refused(tmp_path, place):
    path = tmp_path / "checkpoint"
    run(settings_of(), path=path)
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    with pytest.raises(TrainingFailed, match="no whole checkpoint"):
        run(settings_of(), path=path)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.999])
def test_29_a_checkpoint_that_is_cut_off_is_refused(tmp_path, share):
    path = tmp_path / "checkpoint"
    run(settings_of(), path=path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(TrainingFailed, match="no whole checkpoint"):
        run(settings_of(), path=path)


def test_29_a_checkpoint_of_another_network_is_refused(tmp_path):
    path = tmp_path / "checkpoint"
    run(settings_of(), path=path)
    with pytest.raises(TrainingFailed, match=r"checkpoint is of another network\. Delete it"):
        run(settings_of(), path=path, learner=Lines(width=4))


def test_a_checkpoint_of_other_settings_or_other_data_is_refused(tmp_path):
    path = tmp_path / "checkpoint"
    run(settings_of(), path=path)
    with pytest.raises(TrainingFailed, match="checkpoint was written with other settings or for another cat"):
        run(settings_of(rate=0.01), path=path)
    with pytest.raises(TrainingFailed, match="with other settings or for another catalogue"):
        fit(
            Lines(),
            settings_of(),
            checkpoint=CheckpointFile(path, {"of": "circles"}),
            report=lambda _: None,
            device=CPU,
        )


def test_without_a_place_nothing_is_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    run(settings_of())
    assert sorted(tmp_path.rglob("*")) == before
