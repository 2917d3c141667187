"""The form for trainings: what is asked becomes a job, or a complaint beside the field it is about."""

import re
from pathlib import Path

import pytest
from django.test import Client

from search.models import Catalogue, CatalogueState, Job, JobState, Training
from tests.factories import make_catalogue
from tests.trainings import make_lessons, make_trained

pytestmark = pytest.mark.django_db
ADDRESS = "/operations/trainings/new/"


def ask(client: Client, *, kind: str = "transfer", catalogue: str = "demo", **fields):
    return client.post(f"{ADDRESS}?kind={kind}&catalogue={catalogue}", {"device": "cpu"} | fields)


def complaint(page: str, field: str) -> str:
    """What stands beside a field of the form."""
    found = re.search(rf'id="id_{field}_error">(.*?)</div>', page, re.DOTALL)
    return re.sub(r"<[^>]+>", "", found[1]).strip() if found else ""


def test_what_is_asked_for_becomes_a_job_and_the_page_of_the_training_opens(operator, hints):
    catalogue = make_lessons()

    answer = ask(
        operator,
        kind="csn",
        name="masks",
        aspects=["kind", "colour"],
        **{"set-steps": "40", "set-masks": "false"},
    )

    training = Training.objects.get()
    assert answer["Location"] == f"/operations/trainings/{training.pk}/"
    assert (training.name, training.kind, training.catalogue) == ("masks", "csn", catalogue)
    assert training.aspects == ["kind", "colour"]
    assert training.settings["steps"] == 40 and training.settings["masks"] is False
    assert training.settings["margin"] == 0.2, "what is left empty stays as it is by default"
    assert hints == [training.job]


def test_the_same_training_twice_is_one_and_a_finished_one_is_shown(operator, hints):
    make_lessons()
    ask(operator, name="pupil")
    ask(operator, name="pupil")
    assert Training.objects.count() == Job.objects.count() == 1

    make_trained(Training.objects.get())
    hints.clear()
    page = operator.get(ask(operator, name="pupil")["Location"]).content.decode()
    assert "trained just so before" in page
    assert hints == []


def test_one_that_failed_goes_on_when_it_is_asked_for_again(operator, hints):
    make_lessons()
    ask(operator, name="pupil")
    Job.objects.update(state=JobState.FAILED, reason="No memory.")
    ask(operator, name="pupil")
    assert Job.objects.get().state == JobState.QUEUED


@pytest.mark.parametrize(
    ("field", "told", "words"),
    [
        ("name", {"name": ""}, "required"),
        ("name", {"name": "no name"}, "letters, numbers"),
        ("name", {"name": "x" * 61}, "60 characters"),
        ("name", {"name": "colour-histogram"}, "choose another name"),
        ("aspects", {"aspects": ["sleeve"]}, "sleeve"),
        ("aspects", {"aspects": ["kind", "colour"]}, "learns one aspect"),
        ("device", {"device": "tpu"}, "tpu"),
        ("set-steps", {"set-steps": "many"}, "whole number"),
        ("set-steps", {"set-steps": "0"}, "lies between"),
        ("set-rate", {"set-rate": "nan"}, "lies between"),
        ("set-trainable", {"set-trainable": "some"}, "trainable is all, none"),
        ("set-augmentation", {"set-augmentation": "wild"}, "is one of"),
        ("set-backbone", {"set-backbone": "their-net"}, "is one of"),
    ],
)
def test_a_complaint_stands_beside_its_field_and_nothing_typed_is_lost(operator, hints, field, told, words):
    make_lessons()
    answer = ask(operator, **{"name": "pupil", "set-batch": "13", "set-seed": "77"} | told)
    page = answer.content.decode()

    assert answer.status_code == 422
    assert words in complaint(page, field)
    assert 'value="13"' in page and 'value="77"' in page
    assert '<details class="more" id="all-settings" open>' in page
    assert hints == [] and not Training.objects.exists()


def test_what_a_kind_needs_and_a_catalogue_lacks_is_said(operator, hints):
    make_lessons()
    page = ask(operator, kind="siamese", name="pupil").content.decode()
    assert "has no lifestyle photos" in page
    assert hints == []


def test_an_aspect_of_one_value_cannot_be_learned(operator):
    make_lessons(categories=1)
    answer = ask(operator, name="pupil", aspects=["kind"])
    assert "one value only" in complaint(answer.content.decode(), "aspects")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("/etc/passwd", "not below one of the allowed folders"),
        ("../secret-key", "not below one of the allowed folders"),
        ("leads-out.safetensors", "not below one of the allowed folders"),
        ("gone.safetensors", "nothing at this path"),
        ("pickle.safetensors", "holds a pickle"),
    ],
)
def test_weights_are_taken_from_allowed_folders_only(operator, settings, home, given, words):
    make_lessons()
    settings.WEIGHTS_FOLDER.mkdir()
    (home / "secret-key").write_text("secret")
    (settings.WEIGHTS_FOLDER / "leads-out.safetensors").symlink_to(home / "secret-key")
    (settings.WEIGHTS_FOLDER / "pickle.safetensors").write_bytes(b"PK\x03\x04" + bytes(40))
    answer = ask(operator, name="pupil", weights=given)
    assert words in complaint(answer.content.decode(), "weights")
    assert not Training.objects.exists()


@pytest.mark.parametrize("where", ["weights", "roots"])
def test_weights_of_the_installation_and_below_import_roots_are_used(
    operator, hints, settings, tmp_path, where
):
    make_lessons()
    folder: Path = settings.WEIGHTS_FOLDER if where == "weights" else tmp_path / "photos"
    settings.IMPORT_ROOTS = [tmp_path / "photos"]
    folder.mkdir()
    file = folder / "<b>first.safetensors"
    file.write_bytes(len(b"{}").to_bytes(8, "little") + b"{}")
    if where == "weights":
        page = operator.get(ADDRESS).content.decode()
        assert "&lt;b&gt;first.safetensors" in page and "<b>first" not in page

    assert (
        ask(operator, name="pupil", weights=file.name if where == "weights" else str(file)).status_code == 302
    )

    assert Training.objects.get().weights == str(file.resolve())


def test_another_kind_and_catalogue_are_asked_what_is_theirs_without_javascript(operator):
    make_lessons()
    make_catalogue(slug="shoes", title="Shoes", categories=0, with_images=False)

    page = operator.get(f"{ADDRESS}?kind=csn&catalogue=demo").content.decode()
    assert "csn on Demo" in page and 'name="set-magnitude_penalty"' in page
    assert re.search(r'value="kind"[^>]*checked', page) and re.search(r'value="colour"', page)

    page = operator.get(f"{ADDRESS}?kind=transfer&catalogue=shoes").content.decode()
    assert "transfer on Shoes" in page and 'name="set-dropout"' in page
    assert 'name="set-magnitude_penalty"' not in page and 'value="colour"' not in page


def test_what_was_typed_comes_along_to_another_kind(operator):
    make_lessons()
    typed = {
        "name": "pupil",
        "aspects": ["colour"],
        "set-steps": "77",
        "set-dropout": "0.5",
        "device": "cuda",
    }
    answer = operator.get(ADDRESS, {"kind": "csn", "catalogue": "demo"} | typed)
    page = answer.content.decode()

    assert answer["HX-Replace-Url"] == f"{ADDRESS}?kind=csn&catalogue=demo", "no word of it in the address"
    assert 'value="pupil"' in page and 'value="77"' in page
    assert re.search(r'value="colour"[^>]*checked', page)
    assert not re.search(r'value="kind"[^>]*checked', page)
    assert re.search(r'value="cuda" selected', page)


def test_defaults_stand_in_the_empty_fields_with_what_is_allowed(operator):
    make_lessons()
    page = operator.get(f"{ADDRESS}?kind=csn").content.decode()
    steps = re.search(r'<input[^>]*name="set-steps"[^>]*>', page)[0]
    assert 'placeholder="3000"' in steps and 'min="1"' in steps and "value" not in steps
    assert "1 to 10,000,000" in page
    assert "gentle (default)" in page and "yes (default)" in page


def test_without_a_catalogue_there_is_nothing_to_learn_from(operator):
    make_catalogue(with_images=False)
    Catalogue.objects.update(state=CatalogueState.IMPORTING)
    answer = operator.get(ADDRESS)
    assert answer.status_code == 200
    assert "Nothing to learn from yet" in answer.content.decode()
    assert operator.post(ADDRESS, {"name": "pupil"}).status_code == 422


@pytest.mark.parametrize("query", ["kind=magic", "catalogue=nowhere"])
def test_what_there_is_not_is_refused_by_name(operator, query):
    make_lessons()
    answer = operator.get(f"{ADDRESS}?{query}")
    assert answer.status_code == 422
    assert "valid choice" in answer.content.decode()
