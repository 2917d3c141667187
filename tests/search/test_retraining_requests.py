"""Retraining, end to end: a parent and triplets of items in, an encoder with its lineage out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from search.models import Catalogue, Item, Job, JobState, Training
from search.services.jobs import run_in_foreground
from search.services.retraining import RetrainingWish, request_retraining
from search.services.training_wishes import TrainingRefused
from tests.factories import NOW
from tests.lessons import make_school, train, wish
from tests.training_runs import at_step, cancel, card_of, encoders

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("every_word")]

QUICK = {"steps": "8", "validate_every": "4", "checkpoint_every": "2", "triplets": "8", "items": "12"}


def trainable(school: Catalogue) -> list[int]:
    return list(school.items.filter(split="trainable").order_by("position").values_list("pk", flat=True))


def by_pattern(school: Catalogue, count: int = 60) -> list[tuple[int, int, int]]:
    """Items of one pattern are alike, whatever their colour."""
    patterns: dict[str, list[int]] = {"plain": [], "striped": []}
    rows = Item.objects.filter(pk__in=trainable(school), labels__attribute__value__in=patterns)
    for pk, pattern in rows.order_by("position").values_list("pk", "labels__attribute__value"):
        patterns[pattern].append(pk)
    draws = np.random.default_rng(0)
    triplets = []
    for number in range(count):
        same, other = list(patterns.values())[:: 1 - 2 * (number % 2)]
        anchor, positive = draws.choice(same, 2, replace=False).tolist()
        triplets.append((anchor, positive, int(draws.choice(other))))
    return triplets


def ask(school: Catalogue, *, learn: str = "head", name: str = "challenger", **how: Any) -> RetrainingWish:
    told = {"triplets": by_pattern(school)} if "triplets" not in how else {}
    changed = QUICK | how.pop("settings", {})
    return RetrainingWish(
        name=name, catalogue=school, parent=how.pop("parent", "pupil"), learn=learn, device="cpu",
        settings=changed, **told, **how,
    )  # fmt: skip


def retrain(asked: RetrainingWish, **how: Any) -> tuple[Training, Job]:
    training = request_retraining(asked, now=NOW)
    assert training.job is not None
    job = run_in_foreground(job=training.job, **({"report": lambda job: None} | how))
    training.refresh_from_db()
    return training, job


@pytest.mark.parametrize(
    ("kind", "learn"), [("csn", "masks"), ("csn", "all"), ("siamese", "head"), ("transfer", "head")]
)
def test_the_result_is_an_encoder_of_the_same_kind_that_names_its_parent(
    kind: str, learn: str, operator: Client
) -> None:
    school = make_school(lifestyle=kind == "siamese")
    parent, _ = train(wish(school, kind))
    training, job = retrain(ask(school, learn=learn, parent=sorted(encoders())[-1]))
    assert job.state == JobState.DONE, job.reason
    card = card_of("challenger")
    assert card["lineage"]["parent"] == {"name": "pupil", "version": parent.encoder_version}
    assert (
        card["kind"] == kind
        and card["measures"]["triplet_accuracy"] >= (card["parent_measures"]["triplet_accuracy"])
    )
    names = {name.removeprefix("challenger") for name in encoders("challenger")}
    assert names == {name.removeprefix("pupil") for name in encoders()}
    assert all(info.availability == "ready" for info in encoders("challenger").values())
    page = operator.get(reverse("training", args=[training.pk]))
    assert f"pupil, version <code>{parent.encoder_version}" in page.content.decode()


def test_cancelled_it_goes_on_and_ends_with_the_same_bytes() -> None:
    school = make_school()
    train(wish(school))
    retrain(ask(school, name="undisturbed"))
    asked = ask(school, name="disturbed")
    training, job = retrain(asked, report=at_step(5, cancel))
    assert job.state == JobState.CANCELLED
    again, job = retrain(asked)
    assert again == training and job.state == JobState.DONE and job.resumed_from
    assert card_of("disturbed")["sha256"] == card_of("undisturbed")["sha256"]
    assert card_of("disturbed")["curve"] == card_of("undisturbed")["curve"]


def test_asked_for_twice_it_is_one_training_and_other_triplets_make_another() -> None:
    school = make_school()
    train(wish(school))
    first, _ = retrain(ask(school))
    assert request_retraining(ask(school), now=NOW) == first
    assert request_retraining(ask(school, triplets=by_pattern(school)[1:]), now=NOW) != first


def _refusals(school: Catalogue) -> Sequence[tuple[dict[str, Any], str]]:
    one, two, three, four = trainable(school)[:4]
    kept_away = school.items.filter(split="evaluation").order_by("position").first()
    return [
        ({"triplets": []}, "no triplet to learn from"),
        ({"triplets": [(one, one, two), (two, one, three)]}, "1 of 2 triplets name one item twice"),
        ({"triplets": [(one, two, three), (one, two, four)]}, "one anchor"),
        ({"triplets": [(one, two, three), (two, three, 10**9)]}, "1 of 4 items .* not in “School”"),
        ({"triplets": [(one, two, three), (two, one, kept_away.pk)]}, f"evaluation-only.*“{kept_away.key}”"),
        ({"weights": [1.0]}, "one weight, a number above zero"),
        ({"parent": "nobody"}, "no trained encoder “nobody” to retrain. There are: .*thimble-csn"),
        ({"name": "pupil"}, "give it a name of its own"),
        ({"learn": "masks"}, "“pupil” has no masks"),
        ({"learn": "everything"}, "learn is one of masks, head, all"),
        ({"settings": {"stepz": "3"}}, "Did you mean 'steps'"),
    ]  # fmt: skip


def test_what_cannot_be_learned_is_refused_with_the_remedy() -> None:
    school = make_school()
    train(wish(school))
    for change, says in _refusals(school):
        with pytest.raises(TrainingRefused, match=says):
            request_retraining(ask(school, **change), now=NOW)
    assert not Training.objects.filter(kind="retrain").exists()


def test_a_parent_or_triplets_that_are_others_by_then_fail_the_job() -> None:
    school = make_school()
    train(wish(school))
    training = request_retraining(ask(school), now=NOW)
    triplets = Path(training.triplets).read_bytes()
    Path(training.triplets).write_bytes(triplets[:-1] + b"?")
    _, job = retrain(ask(school, name="other"))
    assert job.state == JobState.DONE, "what is damaged is written anew where it is asked for again"
    Path(training.triplets).unlink()
    assert training.job is not None
    job = run_in_foreground(job=training.job, report=lambda job: None)
    assert job.state == JobState.FAILED and "Ask for it again" in job.reason
    train(wish(school, settings={"seed": 1}))
    training, job = retrain(ask(school, name="third"))
    assert job.state == JobState.DONE
    for weights in (settings.TRAINED_FOLDER / "pupil").glob("*.safetensors"):
        weights.unlink()
    with pytest.raises(TrainingRefused, match=r"“pupil” cannot be retrained\. The weights in .* are gone"):
        request_retraining(ask(school, name="fourth"), now=NOW)
