"""`manage.py simulate_votes`: figures that do not depend on how they were come by, and what may be asked."""

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from evaluation.services.simulating_votes import simulate_votes
from evaluation.stats.simulated.coverage import COVERAGE


@pytest.fixture(autouse=True)
def home(settings, tmp_path: Path) -> Path:
    settings.HOME = tmp_path
    return tmp_path


def run(**options: object) -> dict[str, object]:
    """The figures of a run, and how many repetitions it had to do."""
    told: list[int] = []
    found = simulate_votes(
        [COVERAGE],
        seed=0,
        repetitions=4,
        processes=int(str(options.get("processes", 1))),
        say=lambda name, done, total: told.append(done),
    )
    return {"figures": found.figures, "done": told[0]}


def test_a_run_that_was_stopped_goes_on_and_comes_to_the_same(home: Path) -> None:
    whole = run()
    [kept] = home.glob("simulations/*/coverage.jsonl")
    lines = kept.read_text().lstrip().splitlines(keepends=True)
    kept.write_text("".join(lines[:25]) + lines[25][:9])  # killed while it wrote
    again = run(processes=2)
    assert run()["done"] == 40, "what was done anew is kept"
    assert whole["done"] == 0
    assert again == {"figures": whole["figures"], "done": 25}


def test_the_figures_are_written_under_their_keys(home: Path) -> None:
    call_command("simulate_votes", studies="coverage", repetitions=2, processes=1, json=home / "votes.json")
    written = json.loads((home / "votes.json").read_text())
    assert {"naive", "design", "naive_se", "design_se"} <= set(written["coverage"])
    assert {"width_ratio", "seed", "repetitions", "versions"} <= set(written)


def test_a_study_whose_data_are_not_there_is_left_out(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DOPEORNOPE_DATA", raising=False)
    call_command("simulate_votes", studies="material", repetitions=2, processes=1, json=home / "votes.json")
    assert "Left out: material: set DOPEORNOPE_DATA" in capsys.readouterr().err
    assert "material" not in json.loads((home / "votes.json").read_text())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"studies": "coverage,lottery"}, "no study 'lottery'. There are: coverage"),
        ({"studies": ""}, "There are: coverage"),
        ({"repetitions": 1}, "two repetitions"),
        ({"seed": -1}, "seed"),
    ],
)
def test_what_cannot_be_asked_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        call_command("simulate_votes", **options)
