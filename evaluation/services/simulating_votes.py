"""Runs studies of the leaderboard's statistics, several repetitions at once, keeping what each came to.

Outcomes depend on the seed, the study and the statistics' own code, and are kept under these:
a run that was stopped goes on, and one with more repetitions begins with those that are there.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from django.conf import settings

from evaluation import stats
from evaluation.stats.simulated.study import Outcome, Study, generator_of
from search.engine.sources import hash_own_sources

VERSIONS = ("dopeornope", "numpy", "scipy")
BETWEEN_TOLD = 20  # repetitions that a process does before it tells what they came to
Say = Callable[[str, int, int], None]  # what is done, repetitions done, repetitions in all


@dataclass(frozen=True)
class SimulatedVotes:
    """The figures of all studies, by key, and what they were made with."""

    seed: int
    repetitions: int
    figures: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        """The figures under the keys that do not change."""
        versions = {name: version(name) for name in VERSIONS}
        return {"seed": self.seed, "repetitions": self.repetitions, **self.figures, "versions": versions}


def simulate_votes(
    studies: Sequence[Study], *, seed: int, repetitions: int, processes: int, say: Say
) -> SimulatedVotes:
    """Every study, one after the other; the figures do not depend on ``processes``.

    What cannot be done here is left out: ``missing`` of each says why.
    """
    figures: dict[str, Any] = {}
    # Begun anew, not forked: the parent may hold threads and locks of libraries.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        for study in studies:
            if study.missing():
                continue
            _merge(figures, study.sum_up(_repeat(study, seed, study.count(repetitions), pool, say)))
    return SimulatedVotes(seed, repetitions, figures)


def _merge(figures: dict[str, Any], found: dict[str, Any]) -> None:
    """Add what a study found; two may have figures under one key."""
    for key, value in found.items():
        figures[key] = figures.get(key, {}) | value if isinstance(value, dict) else value


def _repeat(study: Study, seed: int, count: int, pool: Executor, say: Say) -> list[Outcome]:
    kept = settings.HOME / "simulations" / _fingerprint(study, seed) / f"{study.name}.jsonl"
    outcomes = dict(_read(kept))
    missing = [number for number in range(count) if number not in outcomes]
    parts = [missing[first : first + BETWEEN_TOLD] for first in range(0, len(missing), BETWEEN_TOLD)]
    say(study.name, count - len(missing), count)
    kept.parent.mkdir(parents=True, exist_ok=True)
    with kept.open("a", encoding="utf-8") as file:
        file.write("\n")  # ends a line that was cut off
        for part, found in zip(
            parts, pool.map(_repeat_part, [study] * len(parts), [seed] * len(parts), parts), strict=True
        ):
            for number, outcome in zip(part, found, strict=True):
                outcomes[number] = outcome
                file.write(json.dumps([number, outcome]) + "\n")
            file.flush()
            say(study.name, len(outcomes), count)
    return [outcomes[number] for number in range(count)]


def _repeat_part(study: Study, seed: int, numbers: Sequence[int]) -> list[Outcome]:
    """What these repetitions came to, as plain numbers."""
    found = (study.repeat(generator_of(study, seed, number)) for number in numbers)
    return [{key: float(value) for key, value in outcome.items()} for outcome in found]


def _read(kept: Path) -> Iterator[tuple[int, Outcome]]:
    """What is kept; a last line that was cut off is done anew."""
    if not kept.exists():
        return
    for line in kept.read_text(encoding="utf-8").splitlines():
        try:
            number, outcome = json.loads(line)
        except ValueError:
            continue
        yield number, outcome


def _fingerprint(study: Study, seed: int) -> str:
    """Of all that outcomes depend on."""
    folder = Path(next(iter(stats.__path__)))
    sources = [(str(path.relative_to(folder)), path.read_bytes()) for path in sorted(folder.rglob("*.py"))]
    told = hashlib.sha256(json.dumps([seed, *(version(name) for name in VERSIONS)]).encode())
    if study.code:
        told.update(f"{hash_own_sources(*study.code)} {version('torch')}".encode())
    for name, text in sources:
        told.update(name.encode() + b"\0" + hashlib.sha256(text).digest())
    return told.hexdigest()[:16]
