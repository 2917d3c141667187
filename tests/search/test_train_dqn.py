"""Training a ranker of navigation: a job like any other, and what it makes plays."""

import io
import json
from dataclasses import replace

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from search.models import JobState, Training
from search.selectors.encoders import list_all_encoders
from search.services.navigation_terrain import choose_spaces, open_terrain
from search.services.played_rankers import list_playable, open_played
from search.services.rankers import NoRanker, find_ranker
from search.services.training import request_training
from search.services.training_wishes import TrainingRefused, Wish
from tests.factories import NOW, make_catalogue
from tests.lessons import train
from tests.search.spaces import make_space
from tests.training_runs import at_step, cancel

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("every_word")]
QUICK = {"steps": 8, "judged": 3, "validate_every": 4, "checkpoint_every": 3, "hidden": 8, "remembered": 20}


@pytest.fixture
def catalogue():
    """60 items that all look different, in a conditional space of two masks."""
    catalogue = make_catalogue(items=60)
    for encoder, mask in (("pupil", ""), ("pupil.colour", "colour"), ("pupil.shape", "shape")):
        make_space(catalogue, encoder, mask, rows=60)
    return catalogue


def ask(catalogue, *, name="ranker", space="pupil", kind="dqn", told=None, **how) -> Wish:
    words = {key: str(value) for key, value in (QUICK | (told or {})).items()}
    return Wish(kind=kind, name=name, catalogue=catalogue, settings=words, device="cpu", space=space, **how)


def card_of(name: str) -> dict:
    return json.loads((settings.RANKERS_FOLDER / name / "card.json").read_bytes())


def simulate(*, policies: str, space: str = "pupil") -> dict:
    target = settings.HOME / "table.json"
    call_command(
        *("simulate_navigation", "--catalogue", "demo", "--space", space, "--policies", policies),
        *("--episodes", "5", "--json", str(target)),
        stdout=io.StringIO(),
        stderr=io.StringIO(),
    )
    return json.loads(target.read_text())


@pytest.mark.parametrize(("policy", "belief"), [("dqn", False), ("dqn-belief", True)])
def test_trained_by_command_it_plays_by_its_policy_s_name_and_by_its_own(catalogue, policy, belief):
    out = io.StringIO()
    pairs = [word for key, value in QUICK.items() for word in ("--set", f"{key}={value}")]
    call_command(
        *("train", "dqn", "--catalogue", "demo", "--space", "pupil", "--name", "ranker"),
        *(*pairs, "--set", f"belief={belief}", "--device", "cpu"),
        stdout=out,
        stderr=io.StringIO(),
    )
    assert "ranker is ready: slates " in out.getvalue() and "on validation games" in out.getvalue()
    assert "--policies nearest-per-mask,rule-sampler,dqn:ranker" in out.getvalue()
    by_policy, by_name = (
        next(row for row in simulate(policies=name)["rows"]) for name in (policy, "dqn:ranker")
    )
    assert by_policy["policy"] == policy and by_name["policy"] == "dqn:ranker"
    assert by_policy["mean"] == by_name["mean"]
    assert "ranker" not in {info.name for info in list_all_encoders()}, "a ranker is no encoder"


def test_cancelled_it_goes_on_to_the_same_ranker(catalogue):
    train(ask(catalogue, name="undisturbed"))
    _, job = train(ask(catalogue, name="disturbed"), report=at_step(5, cancel))
    assert job.state == JobState.CANCELLED and not (settings.RANKERS_FOLDER / "disturbed").exists()
    _, job = train(ask(catalogue, name="disturbed"))
    assert (job.state, job.resumed_from is None) == (JobState.DONE, False)
    assert card_of("disturbed")["sha256"] == card_of("undisturbed")["sha256"]
    assert card_of("disturbed")["curve"] == card_of("undisturbed")["curve"]
    [left] = {path.name for path in settings.TRAINING_FOLDER.glob("*/checkpoint")} or {""}
    assert not left, "what it went on from is deleted"


def test_the_newest_ranker_plays(catalogue):
    train(ask(catalogue, name="older"))
    train(ask(catalogue, name="newer", told={"seed": 5}))
    opened = open_terrain(catalogue=catalogue, space="pupil")
    newest, named = (
        find_ranker(opened, catalogue=catalogue, space="pupil", policy=policy)
        for policy in ("dqn", "dqn:newer")
    )
    older = find_ranker(opened, catalogue=catalogue, space="pupil", policy="dqn:older")
    assert (newest.networks[0][0][0] == named.networks[0][0][0]).all()
    assert not (newest.networks[0][0][0] == older.networks[0][0][0]).all()


def test_one_whose_files_another_training_replaced_does_not_play(catalogue):
    train(ask(catalogue))
    train(ask(catalogue, told={"belief": "true"}))  # of the same name
    with pytest.raises(CommandError, match="“dqn” has learned nothing in pupil yet"):
        simulate(policies="dqn")
    assert simulate(policies="dqn-belief")["rows"]


def test_people_play_with_what_was_trained_on_their_space_and_slates(catalogue):
    spaces = choose_spaces(catalogue)
    train(ask(catalogue))
    assert list_playable(spaces=spaces, slate=4) == {"dqn": card_of("ranker")["sha256"]}
    train(ask(catalogue, name="wide", told={"slate": 8, "belief": "true"}))
    assert list_playable(spaces=spaces, slate=8) == {"dqn-belief": card_of("wide")["sha256"]}
    assert list_playable(spaces=spaces[:1], slate=4) == {}, "it learned with masks"
    opened = open_terrain(catalogue=catalogue, space="pupil")
    named = find_ranker(opened, catalogue=catalogue, space="pupil", policy="dqn:ranker")
    kept = open_played(card_of("ranker")["sha256"])
    assert (kept.networks[0][0][0] == named.networks[0][0][0]).all()


def test_trained_policies_look_for_what_they_never_learned_from(catalogue):
    train(ask(catalogue))
    assert simulate(policies="rule")["targets"] == "all"
    assert simulate(policies="dqn,rule")["targets"] == "evaluation"
    assert card_of("ranker")["held_out_measures"]["slates"] > 0
    catalogue.items.update(split="trainable")
    with pytest.raises(CommandError, match="evaluation-only items, and fewer than two"):
        simulate(policies="dqn")


def test_another_build_of_a_mask_is_learned_anew(catalogue):
    first, _ = train(ask(catalogue))
    make_space(catalogue, "pupil.size", "size", rows=60)
    with pytest.raises(CommandError, match="older build of pupil: train it again"):
        simulate(policies="dqn")
    again, job = train(ask(catalogue))
    assert again != first and job.state == JobState.DONE
    assert simulate(policies="dqn")["rows"]


def test_one_that_has_learned_nothing_here_does_not_play(catalogue):
    train(ask(catalogue))
    with pytest.raises(CommandError, match=r"dqn-belief” has learned nothing in pupil yet.*belief=true"):
        simulate(policies="dqn-belief")
    with pytest.raises(CommandError, match="“dqn” has learned nothing in pupil/colour yet"):
        simulate(policies="dqn", space="pupil/colour")
    with pytest.raises(CommandError, match="--name other"):
        simulate(policies="dqn:other")
    with pytest.raises(CommandError, match="no policy named 'dqn:'"):
        simulate(policies="dqn:")


def test_one_that_learned_in_an_older_build_does_not_play(catalogue):
    train(ask(catalogue))
    opened = open_terrain(catalogue=catalogue, space="pupil")
    opened = replace(opened, versions=opened.versions | {"pupil.colour": "2 of another checksum"})
    with pytest.raises(NoRanker, match="older build of pupil"):
        find_ranker(opened, catalogue=catalogue, space="pupil", policy="dqn")


def test_a_damaged_ranker_does_not_play(catalogue):
    train(ask(catalogue))
    [weights] = (settings.RANKERS_FOLDER / "ranker").glob("*.safetensors")
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(CommandError, match=r"is damaged.*Train it again"):
        simulate(policies="dqn")


@pytest.mark.parametrize(
    ("how", "about", "words"),
    [
        ({"space": ""}, "space", "has no space named ''. There are: pupil"),
        ({"space": "nowhere"}, "space", "has no space named 'nowhere'"),
        ({"aspects": ("colour",)}, "aspects", "give no aspects"),
        ({"told": {"slate": 1}}, "settings", "slate lies between"),
        ({"told": {"backbone": "bobbin"}}, "settings", "no setting 'backbone'"),
        ({"kind": "csn", "told": {}}, "settings", "no setting 'judged'"),
    ],
)
def test_what_cannot_be_learned_is_refused(catalogue, how, about, words):
    with pytest.raises(TrainingRefused) as refused:
        request_training(ask(catalogue, **how), now=NOW)
    assert words in str(refused.value) and refused.value.about == about
    assert not Training.objects.exists()


def test_an_encoder_is_trained_in_no_space(catalogue):
    with pytest.raises(TrainingRefused, match="in no space"):
        request_training(Wish(kind="transfer", name="x", catalogue=catalogue, space="pupil"), now=NOW)


def test_too_few_trainable_items_fail_the_job(catalogue):
    catalogue.items.update(split="evaluation")
    _, job = train(ask(catalogue))
    assert job.state == JobState.FAILED and "too few items" in job.reason


def test_its_page_shows_the_space_and_how_to_see_it_play(catalogue, operator):
    training, _ = train(ask(catalogue))
    page = operator.get(f"/operations/trainings/{training.pk}/").content.decode()
    assert "The ranker" in page and "Space of its games" in page
    assert "--policies nearest-per-mask,rule-sampler,dqn:ranker" in page
    assert "Build contenders" not in page


def test_the_form_asks_for_a_space_and_for_nothing_of_pictures(catalogue, operator, hints):
    address = "/operations/trainings/new/?kind=dqn&catalogue=demo"
    page = operator.get(address).content.decode()
    assert 'name="space"' in page and 'value="pupil/colour"' in page
    assert 'value="pupil" selected' in page, "what people play on"
    assert 'name="weights"' not in page and 'name="set-backbone"' not in page
    operator.post(address, {"name": "ranker", "space": "pupil", "device": "cpu", "set-steps": "9"})
    training = Training.objects.get()
    assert (training.space, training.settings["steps"]) == ("pupil", 9) and hints == [training.job]
