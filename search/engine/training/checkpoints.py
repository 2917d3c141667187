"""Checkpoints: a run in a file that can run nothing, whole or refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from search.engine.arrays import Facts, read_arrays, write_arrays
from search.engine.errors import ArtifactDamaged
from search.engine.training.failures import TrainingFailed
from search.engine.training.loop import Point, Progress, Run

# How arrays are named: a weight's name, a parameter's number and what is kept of it, a name of the learner's.
_WEIGHTS, _AVERAGED, _BEST, _MOMENTS, _STATE = "weights.", "averaged.", "best.", "moments.", "state."


class CheckpointFile:
    """A checkpoint at ``path`` of training on what ``facts`` name; None: nothing is kept."""

    def __init__(self, path: Path | None, facts: Mapping[str, str]) -> None:
        self._path, self._facts = path, dict(facts)

    def keep(self, run: Run) -> None:
        """Write it. Raises DiskFull."""
        if self._path is None:
            return
        tensors: dict[str, Tensor] = {}
        for prefix, state in (
            (_WEIGHTS, run.learner.module.state_dict()),
            (_AVERAGED, run.averaged.state_dict()),
            (_BEST, run.best),
        ):
            tensors |= {prefix + name: tensor for name, tensor in state.items()}
        optimiser = run.optimiser.state_dict()
        for number, moments in optimiser["state"].items():
            tensors |= {f"{_MOMENTS}{number}.{name}": tensor for name, tensor in moments.items()}
        arrays = {name: tensor.detach().cpu().numpy() for name, tensor in tensors.items()}
        arrays |= {_STATE + name: array for name, array in run.learner.state().items()}
        facts: Facts = {
            "run": self._describe(run),
            "progress": json.dumps(asdict(run.progress)),
            "groups": json.dumps(optimiser["param_groups"]),
            "schedule": json.dumps(run.schedule.state_dict()),
        }
        write_arrays(self._path, arrays, facts)

    def resume(self, run: Run) -> None:
        """Go on from the checkpoint, where there is one.

        Raises TrainingFailed for one that is damaged, or of a run with other settings or other data.
        """
        if self._path is None or not self._path.exists():
            return
        try:
            arrays, facts = read_arrays(self._path)
        except ArtifactDamaged as error:
            raise TrainingFailed(f"{self._path} is no whole checkpoint. Delete it to start anew.") from error
        if facts.get("run") != self._describe(run):
            raise TrainingFailed(
                f"{self._path} was written with other settings or for another catalogue. "
                "Delete it to start anew."
            )
        tensors = {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}
        try:
            run.learner.module.load_state_dict(_part(tensors, _WEIGHTS))
            run.averaged.load_state_dict(_part(tensors, _AVERAGED))
            run.best = _part(tensors, _BEST)
            groups = json.loads(facts["groups"])
            run.optimiser.load_state_dict({"state": _moments(tensors), "param_groups": groups})
        except (RuntimeError, ValueError) as error:
            raise TrainingFailed(f"{self._path} is of another network. Delete it to start anew.") from error
        run.schedule.load_state_dict(json.loads(facts["schedule"]))
        run.learner.restore({name: tensor.numpy() for name, tensor in _part(tensors, _STATE).items()})
        progress = json.loads(facts["progress"])
        progress["curve"] = [Point(**point) for point in progress["curve"]]
        run.progress = Progress(**progress)

    def _describe(self, run: Run) -> str:
        return json.dumps([run.settings.as_json(), self._facts], sort_keys=True)


def _part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _moments(tensors: Mapping[str, Tensor]) -> dict[int, dict[str, Any]]:
    moments: dict[int, dict[str, Any]] = {}
    for key, tensor in _part(tensors, _MOMENTS).items():
        number, name = key.split(".", 1)
        moments.setdefault(int(number), {})[name] = tensor
    return moments
