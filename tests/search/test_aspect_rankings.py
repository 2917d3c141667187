"""Rankings by aspects: trained as a job, used by searches, and overruled by the person who searches."""

import io
import json

import numpy as np
import pytest
from django.conf import settings
from django.core.management import call_command

from search import artifacts
from search.engine.aspect_ranking import LearnedWeights, UntrainedWeights
from search.engine.errors import ArtifactDamaged
from search.engine.training.settings import ASPECT_RANKING
from search.models import JobState, Training
from search.selectors.encoders import list_all_encoders
from search.selectors.searches import SearchRefused
from search.selectors.searches import Wish as SearchWish
from search.services.aspect_grounds import NoAspects, find_ground
from search.services.aspect_rankings import find_weigher
from search.services.training import request_training
from search.services.training_wishes import TrainingRefused, Wish
from tests.factories import NOW
from tests.fresh_process import forget_catalogues
from tests.lessons import train
from tests.search.ranked import colours_of, make_ranked
from tests.search.searching import answer_now
from tests.search.spaces import make_space
from tests.training_runs import at_step, cancel

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("every_word")]
QUICK = {"steps": 30, "batch": 16, "rate": 0.02, "validate_every": 10, "checkpoint_every": 10, "hidden": 8}


@pytest.fixture
def catalogue():
    return make_ranked()


def ask(catalogue, *, name="ranking", space="pupil", told=None, **how) -> Wish:
    words = {key: str(value) for key, value in (QUICK | (told or {})).items()}
    return Wish(
        kind=ASPECT_RANKING, name=name, catalogue=catalogue, settings=words, device="cpu", space=space, **how
    )


def card_of(name="ranking") -> dict:
    return json.loads((settings.RANKERS_FOLDER / name / "card.json").read_bytes())


def weigher_of(catalogue):
    return find_weigher(catalogue=catalogue, rows=find_ground(catalogue=catalogue, encoder="pupil"))


def search(**wish):
    return answer_now(SearchWish(catalogue="demo", **wish), now=NOW)


def weights_of(answer) -> dict[str, float]:
    return {one.aspect: one.weight for one in answer.weights}


def test_trained_by_command_it_is_what_searches_weigh_by(catalogue):
    assert isinstance(weigher_of(catalogue), UntrainedWeights)
    by_rule = weights_of(search(item=5, encoder="pupil", metric="l2"))
    out = io.StringIO()
    pairs = [word for key, value in QUICK.items() for word in ("--set", f"{key}={value}")]
    call_command(
        *("train", ASPECT_RANKING, "--catalogue", "demo", "--space", "pupil", "--name", "ranking", *pairs),
        stdout=out,
        stderr=io.StringIO(),
    )
    assert "ranking is ready: ndcg 0." in out.getvalue() and "on validation queries" in out.getvalue()
    assert isinstance(weigher_of(catalogue), LearnedWeights)
    found = search(item=5, encoder="pupil", metric="l2")
    assert {one.by for one in found.weights} == {"network"}
    assert weights_of(found) != by_rule and sum(weights_of(found).values()) == pytest.approx(1)
    assert "ranking" not in {info.name for info in list_all_encoders()}, "a ranking is no encoder"


def test_its_card_tells_what_it_looks_at_and_what_it_is_compared_with(catalogue):
    train(ask(catalogue))
    card = card_of()
    assert card["architecture"]["aspects"] == ["colour", "kind"]
    assert sum(card["architecture"]["best_fixed"]) == pytest.approx(1, abs=1e-3)
    assert 0 < card["held_out_measures"]["ndcg best_fixed"] <= 1 and card["held_out_measures"]["ndcg"] > 0
    assert card["curve"] and card["lineage"]["held_out"] == 60


def test_cancelled_it_goes_on_to_the_same_weights(catalogue):
    train(ask(catalogue, name="undisturbed"))
    _, job = train(ask(catalogue, name="disturbed"), report=at_step(15, cancel))
    assert job.state == JobState.CANCELLED and not (settings.RANKERS_FOLDER / "disturbed").exists()
    _, job = train(ask(catalogue, name="disturbed"))
    assert job.state == JobState.DONE
    assert card_of("disturbed")["sha256"] == card_of("undisturbed")["sha256"]
    assert card_of("disturbed")["curve"] == card_of("undisturbed")["curve"]
    assert not list(settings.TRAINING_FOLDER.glob("*/checkpoint")), "what it went on from is deleted"


def test_the_newest_weighs_and_a_damaged_one_does_not(catalogue):
    train(ask(catalogue, name="older"))
    older = weigher_of(catalogue)
    train(ask(catalogue, name="newer", told={"seed": 3}))
    newer = weigher_of(catalogue)
    assert not np.array_equal(older.layers[0][0], newer.layers[0][0])
    [weights] = (settings.RANKERS_FOLDER / "newer").glob("*.safetensors")
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    assert np.array_equal(weigher_of(catalogue).layers[0][0], older.layers[0][0])


def test_one_that_learned_elsewhere_serves_where_nothing_was_learned(catalogue):
    train(ask(catalogue))
    other = make_ranked(slug="other", items=60)
    assert isinstance(weigher_of(other), LearnedWeights)


def test_another_version_of_the_encoder_is_weighed_by_rule(catalogue):
    train(ask(catalogue))
    catalogue.spaces.update(encoder_version="2")
    assert isinstance(weigher_of(catalogue), UntrainedWeights)


@pytest.mark.parametrize(
    ("how", "about", "words"),
    [
        ({"space": "nowhere"}, "space", "no space named 'nowhere'"),
        (
            {"space": "pupil/colour"},
            "space",
            "knows aspects. There are: pupil.",
        ),
        ({"aspects": ("colour",)}, "aspects", "learns from queries: give no aspects"),
        ({"told": {"nearest": 1}}, "settings", "nearest lies between"),
    ],
)
def test_what_cannot_be_learned_is_refused(catalogue, how, about, words):
    with pytest.raises(TrainingRefused) as refused:
        request_training(ask(catalogue, **how), now=NOW)
    assert words in str(refused.value) and refused.value.about == about
    assert not Training.objects.exists()


def test_where_nobody_labels_what_the_encoder_knows_nothing_is_relevant(catalogue):
    for number, aspect in enumerate(catalogue.aspects.all()):
        catalogue.aspects.filter(pk=aspect.pk).update(name=f"other {number}")
    with pytest.raises(TrainingRefused, match="labels none of the aspects that this encoder knows"):
        request_training(ask(catalogue), now=NOW)


def test_too_few_queries_fail_the_job_with_the_reason(catalogue):
    catalogue.items.update(split="evaluation")
    _, job = train(ask(catalogue))
    assert job.state == JobState.FAILED and "trainable" in job.reason


def test_an_encoder_without_aspects_is_told_from_one_with_them(catalogue):
    make_space(catalogue, "plain", rows=120)
    with pytest.raises(NoAspects, match="There are: pupil"):
        find_ground(catalogue=catalogue, encoder="plain")


def test_all_weight_on_colour_brings_items_of_that_colour(catalogue):
    position = next(n for n, colour in enumerate(colours_of(catalogue, range(120))) if colour == "green")
    wishes = {"overall": 0.0, "colour": 1.0, "kind": 0.0}
    found = search(item=position, encoder="pupil", metric="l2", weights=wishes)
    shown = [candidate.item.position for candidate in found.candidates[:8]]
    assert set(colours_of(catalogue, shown)) == {"green"} and position not in shown
    assert [(one.aspect, one.weight, one.by) for one in found.weights] == [
        (name, wishes[name], "person") for name in ("overall", "colour", "kind")
    ]
    scores = [candidate.score for candidate in found.candidates]
    assert scores == sorted(scores, reverse=True)
    assert set(found.candidates[0].aspects) == {"colour", "kind"}


def test_another_engine_answers_by_the_whole_until_somebody_sets_weights(catalogue):
    vectors = np.random.default_rng(5).normal(size=(120, 8))
    make_space(catalogue, "plain", vectors=vectors)
    alone = search(item=4, encoder="plain", metric="l2")
    assert [(one.aspect, one.weight, one.by) for one in alone.weights] == [
        ("overall", 1.0, "fixed"),
        ("colour", 0.0, "fixed"),
        ("kind", 0.0, "fixed"),
    ]
    distances = [candidate.distance for candidate in alone.candidates]
    assert distances == sorted(distances)
    moved = search(item=4, encoder="plain", metric="l2", weights={"overall": 0.0, "colour": 1.0})
    first = [candidate.item.position for candidate in moved.candidates[:8]]
    assert set(colours_of(catalogue, first)) == set(colours_of(catalogue, [4]))


def test_filters_hold_for_what_aspects_find(catalogue):
    found = search(item=4, encoder="pupil", metric="l2", filters={"colour": ["red"]})
    assert set(colours_of(catalogue, [one.item.position for one in found.candidates])) == {"red"}


def test_a_weight_of_what_is_no_aspect_is_refused_by_name(catalogue):
    with pytest.raises(SearchRefused) as refused:
        search(item=4, encoder="pupil", weights={"smell": 1.0})
    assert refused.value.code == "bad-weight" and "overall, colour, kind" in str(refused.value)


def test_a_damaged_mask_leaves_the_order_of_the_whole(catalogue):
    mask = catalogue.spaces.get(encoder="pupil.colour")
    path = settings.ARTIFACTS_FOLDER / f"space-{mask.pk}" / "vectors.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    with pytest.raises(ArtifactDamaged):
        artifacts.check_space(mask)  # a fresh process has nothing open
    forget_catalogues()
    found = search(item=4, encoder="pupil", metric="l2")
    distances = [candidate.distance for candidate in found.candidates]
    assert distances == sorted(distances) and weights_of(found)["overall"] == 1


def test_the_page_and_the_form_name_it_a_ranking_of_aspects(catalogue, operator, hints):
    page = operator.get(f"/operations/trainings/new/?kind={ASPECT_RANKING}&catalogue=demo").content.decode()
    assert "Space to rank in" in page and 'value="pupil"' in page and "pupil/colour" not in page
    training, _ = train(ask(catalogue))
    page = operator.get(f"/operations/trainings/{training.pk}/").content.decode()
    assert "by the aspects of pupil take their weights" in page and "simulate_navigation" not in page
    assert "How near the first ten candidates come" in page
