"""The tables by which trained networks are judged: whose they are, what they say, and that they resume."""

import json
import shutil
from itertools import pairwise
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from search.models import Split
from search.services import measuring_training, training_tables
from search.services.measuring_training import TrainingTable, measure_training
from search.services.training_wishes import TrainingRefused
from tests.lessons import make_school, quick, wish

pytestmark = pytest.mark.django_db

STEPS = {"steps": 2, "checkpoint_every": 1}
MODELS = {
    "csn": [
        *("csn", "csn-plain", "csn-masks-sum-to-one", "csn-magnitude-penalty", "csn-global-consistency"),
        *("triplet", "specialists"),
    ],
    "transfer": ["transfer", "transfer-top", "colour-histogram", "gradient-histogram", "random"],
    "siamese": [
        *("siamese", "siamese-512", "siamese-1536", "siamese-2048", "siamese-shallow", "untrained"),
        *("perceptual-hash", "chance"),
    ],
    "aspects": ["aspects"],
}
MEASURES = {
    "csn": {"triplet_accuracy"},
    "transfer": {"match_rate"},
    "siamese": {"distance_accuracy", "distance_accuracy_top_3", "absolute_accuracy"},
    "aspects": {"accuracy", "calibration_error"},
}
ASKED = {"csn": ("colour", "pattern"), "transfer": (), "siamese": (), "aspects": ("colour", "pattern")}
PER_CATEGORY = 4
# What is expected exactly, of 48 items in three colours.
EXPECTED = {
    "transfer": {("random", "match_rate"): 15 / 47},
    "siamese": {
        ("chance", "distance_accuracy"): 1 / PER_CATEGORY,
        ("chance", "distance_accuracy_top_3"): 3 / PER_CATEGORY,
        ("chance", "absolute_accuracy"): 0.5,
    },
}


@pytest.fixture(autouse=True)
def few_items(monkeypatch):
    """Published are 100 items per category, among which one is looked for."""
    monkeypatch.setattr(training_tables, "ITEMS_PER_CATEGORY", PER_CATEGORY)


class Listener:
    """What was said of trainings' steps: (title, step), in order."""

    def __init__(self, *, stop_at: tuple[str, int] | None = None) -> None:
        self.steps: list[tuple[str, int]] = []
        self._stop_at = stop_at

    def __call__(self, title: str, done: int, total: int) -> None:
        if done:
            self.steps.append((title, done))
        if (title, done) == self._stop_at:
            raise KeyboardInterrupt


def measure(school, kind, *, seeds=1, say=None, **changed) -> TrainingTable:
    asked = wish(school, kind, name="", aspects=ASKED[kind], settings=STEPS | changed)
    return measure_training(asked, seeds=seeds, say=say or Listener())


def assert_in_order(*values: float) -> None:
    """But for what rounding does."""
    assert all(one <= other + 1e-9 for one, other in pairwise(values)), values


def figures(table: TrainingTable) -> dict[tuple[str, str, str], float]:
    return {(row.model, row.measure, row.aspect): row.mean for row in table.rows}


@pytest.mark.parametrize("kind", MODELS)
def test_each_kinds_table_has_its_models_and_measures_under_the_keys_that_stay(kind, tmp_path, capsys):
    make_school(items=48, lifestyle=True)
    file = tmp_path / "out" / "table.json"
    pairs = [word for name, value in quick(kind, **STEPS).items() for word in ("--set", f"{name}={value}")]
    call_command(
        *("measure_training", kind, "--catalogue=school", "--seeds=1", "--device=cpu", *pairs),
        *("--aspects", ",".join(ASKED[kind]), "--json", str(file)),
    )
    told = json.loads(file.read_text())

    assert {"kind", "catalogue", "seeds", "rows"} <= set(told)
    assert (told["kind"], told["catalogue"], told["seeds"]) == (kind, "school", 1)
    assert list(dict.fromkeys(row["model"] for row in told["rows"])) == MODELS[kind]
    for row in told["rows"]:
        assert set(row) == {"model", "measure", "aspect", "mean", "low", "high"}
        assert_in_order(0, row["low"], row["mean"], row["high"], 1)
    assert {row["measure"] for row in told["rows"]} == MEASURES[kind]
    found = {(row["model"], row["measure"], row["aspect"]): row["mean"] for row in told["rows"]}
    aspects = {"colour", "pattern", "mean"} if ASKED[kind] else {"colour"}
    for model, measure in {key[:2] for key in found}:
        by_aspect = {aspect: mean for (*key, aspect), mean in found.items() if key == [model, measure]}
        assert set(by_aspect) == aspects, "specialists as well, one aspect each"
        mean = (by_aspect["colour"] + by_aspect.get("pattern", by_aspect["colour"])) / 2
        assert by_aspect.get("mean", mean) == pytest.approx(mean, abs=1e-6)
    for (model, measure), expected in EXPECTED.get(kind, {}).items():
        assert found[model, measure, "colour"] == pytest.approx(expected)
    assert {(row["model"], row["against"]) for row in told["differences"]} == {
        (MODELS[kind][0], other) for other in MODELS[kind][1:]
    }
    assert told["settings"]["steps"] == 2
    assert {"dopeornope", "torch", "numpy", "catalogue"} == set(told["versions"])
    left = {path.name for path in settings.TRAINING_FOLDER.iterdir()}
    assert left == {"answers", "pictures"}, "and no checkpoints"
    assert not settings.TRAINED_FOLDER.exists(), "what is measured is no encoder"

    shown = capsys.readouterr().out
    assert [model for model in MODELS[kind] if model not in shown] == []
    assert f"{kind} on school" in shown and "What the first model has more than another" in shown


def test_random_is_what_is_expected_of_drawing_items_that_are_no_copies():
    """36 items of three colours; one green one has a near duplicate, which is red."""
    school = make_school()
    plain = measure(school, "transfer")
    # Of the 35 others, 11 have the colour of the one that is asked.
    assert figures(plain)["random", "match_rate", "colour"] == pytest.approx(11 / 35)

    asked = school.items.get(position=4)
    assert asked.split == Split.EVALUATION and asked.category.value == "green"
    asked.near_duplicate_of = school.items.get(position=3)
    asked.save()
    school.content_hash = "e" * 64
    school.save()
    # One of 9 questions has but 34 items to draw from, 11 of them green.
    assert figures(measure(school, "transfer"))["random", "match_rate", "colour"] == pytest.approx(
        (8 * 11 / 35 + 11 / 34) / 9
    )


def test_differences_are_the_first_models_figures_less_the_others_on_the_same_questions():
    table = measure(make_school(), "transfer", seeds=2)
    means = figures(table)
    assert {row.against for row in table.differences} == set(MODELS["transfer"][1:])
    for row in table.differences:
        expected = means["transfer", row.measure, row.aspect] - means[row.against, row.measure, row.aspect]
        assert row.model == "transfer" and row.mean == pytest.approx(expected, abs=1e-6)
        assert_in_order(row.low, row.mean, row.high)


def test_stopped_in_the_middle_it_goes_on_trains_nothing_twice_and_ends_with_the_same_figures():
    school = make_school()
    undisturbed = measure(school, "transfer", seeds=2, steps=3)
    shutil.rmtree(settings.TRAINING_FOLDER)

    first = Listener(stop_at=("transfer seed 1", 2))
    with pytest.raises(KeyboardInterrupt):
        measure(school, "transfer", seeds=2, steps=3, say=first)
    assert first.steps == [*((f"transfer seed {seed}", step) for seed in (0, 1) for step in (1, 2, 3))][:5]

    second = Listener()
    again = measure(school, "transfer", seeds=2, steps=3, say=second)
    assert second.steps == [
        ("transfer seed 1", 3),
        *((f"transfer-top seed {seed}", step) for seed in (0, 1) for step in (1, 2, 3)),
    ]
    assert again == undisturbed

    third = Listener()
    assert measure(school, "transfer", seeds=2, steps=3, say=third) == undisturbed
    assert third.steps == []


def test_more_seeds_later_train_only_those_that_are_new():
    school = make_school()
    measure(school, "aspects")
    heard = Listener()
    table = measure(school, "aspects", seeds=3, say=heard)
    assert {title for title, _ in heard.steps} == {"aspects seed 1", "aspects seed 2"}
    assert table.seeds == 3


def test_what_the_figures_depend_on_has_them_measured_anew():
    school = make_school()
    measure(school, "aspects")
    for change in ("setting", "catalogue"):
        if change == "catalogue":
            school.content_hash = "e" * 64
            school.save()
        heard = Listener()
        measure(school, "aspects", say=heard, **({"hidden": 8} if change == "setting" else {}))
        assert {title for title, _ in heard.steps} == {"aspects seed 0"}


def test_answers_of_other_code_are_not_taken_for_those_of_this_one(monkeypatch):
    school, first, second, third = make_school(), Listener(), Listener(), Listener()
    measure(school, "aspects", say=first)
    with monkeypatch.context() as patch:
        patch.setattr(measuring_training, "CODE", ("search.services.training_samples",))  # as if edited
        measure(school, "aspects", say=second)
    assert second.steps == first.steps
    measure(school, "aspects", say=third)
    assert third.steps == []


def test_damaged_answers_are_not_believed():
    school = make_school()
    before = measure(school, "aspects")
    [kept] = (settings.TRAINING_FOLDER / "answers").iterdir()
    data = bytearray(kept.read_bytes())
    data[-3] ^= 1
    kept.write_bytes(data)
    heard = Listener()
    assert measure(school, "aspects", say=heard) == before
    assert heard.steps


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["magic"], "invalid choice: 'magic'"),
        (["transfer", "--seeds", "0"], "At least one seed is needed."),
        (["transfer", "--set", "steps"], "--set takes KEY=VALUE, not “steps”."),
        (["transfer", "--set", "stepz=2"], "Did you mean 'steps'?"),
        (["transfer", "--catalogue", "elsewhere"], "There is no such catalogue; there are: school."),
        (["transfer", "--aspects", "sleeve"], "There is no aspect “sleeve” to learn."),
        (["aspects", "--aspects", "colour,colour"], "“colour” is named twice"),
        (["siamese"], "has no lifestyle photos"),
        (["transfer", "--weights", "/nowhere/w.safetensors"], "/nowhere/w.safetensors cannot be read"),
    ],
)
def test_what_cannot_be_measured_is_refused_before_any_work(words, said):
    make_school()
    first, *others = words
    with pytest.raises(CommandError) as refused:
        call_command("measure_training", first, "--catalogue=school", *others)
    assert said in str(refused.value)
    assert not settings.TRAINING_FOLDER.exists()


def test_a_pickle_is_refused_before_any_work(tmp_path):
    make_school()
    file: Path = tmp_path / "weights.pth"
    file.write_bytes(b"PK\x03\x04" + bytes(60))
    with pytest.raises(CommandError, match="holds a pickle"):
        call_command("measure_training", "transfer", "--catalogue=school", f"--weights={file}")
    assert not settings.TRAINING_FOLDER.exists()


@pytest.mark.parametrize(
    ("kind", "change", "words"),
    [
        ("siamese", {}, "No category of “School” has 4 held-out items with a lifestyle photo"),
        ("transfer", {"split": Split.TRAINABLE}, "Nothing can be measured of “colour”: held-out items of"),
        ("aspects", {"split": Split.TRAINABLE}, "Nothing can be measured of “colour”: held-out items of"),
        ("csn", {"split": Split.TRAINABLE}, "Nothing can be measured of “colour”: held-out items of"),
    ],
)
def test_a_catalogue_that_leaves_nothing_to_ask_is_refused_before_any_work(kind, change, words):
    school = make_school(lifestyle=True)
    school.items.update(**change) if change else None
    with pytest.raises(TrainingRefused, match=words):
        measure(school, kind)
    assert not settings.TRAINING_FOLDER.exists()


def test_who_stops_the_command_is_told_how_to_go_on(monkeypatch):
    make_school()

    def stop(*words):
        raise KeyboardInterrupt

    monkeypatch.setattr("search.management.progress.StepProgress.__call__", stop)
    with pytest.raises(CommandError, match="The same command goes on from here") as stopped:
        call_command("measure_training", "transfer", "--catalogue=school", "--set=side=32")
    assert stopped.value.returncode == 130
