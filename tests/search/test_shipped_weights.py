"""The one command that makes the encoders that the project ships, on a handful of items."""

import io

import pytest
from django.core.management import CommandError, call_command

from dopeornope.first_steps import DEMO_SLUG
from search.catalogues.rows import ImportOptions
from search.engine.encoders import find_encoder, trained
from search.engine.encoders.trained_files import read_trained_card
from search.engine.training.settings import SETTINGS_OF
from search.services import shipped_weights

pytestmark = pytest.mark.django_db(transaction=True)


def train(target, *names, **options):
    out = io.StringIO()
    call_command("train_shipped_weights", *names, items=60, steps=2, output=target, stdout=out, **options)
    return out.getvalue()


def test_the_command_writes_an_encoder_that_is_listed_under_the_name_it_ships_as(tmp_path, monkeypatch):
    assert "thimble-transfer" in train(tmp_path, "thimble-transfer")
    card = read_trained_card(tmp_path / "thimble-transfer")
    assert (card["name"], card["kind"]) == ("thimble-transfer", "transfer")
    assert card["lineage"]["catalogue"] == shipped_weights.SLUG
    monkeypatch.setattr(trained, "SHIPPED", tmp_path)
    info = find_encoder("thimble-transfer")
    assert (info.availability, info.dimensions) == ("ready", 512)

    train(tmp_path, "thimble-transfer")  # nothing is drawn or trained twice
    assert read_trained_card(tmp_path / "thimble-transfer") == card


def test_a_name_that_is_not_shipped_is_refused(tmp_path):
    with pytest.raises(CommandError, match=r"Not shipped: thimble-tranfser\. There are: thimble-transfer"):
        train(tmp_path, "thimble-tranfser")


@pytest.mark.parametrize("one", shipped_weights.SHIPPED, ids=lambda one: one.name)
def test_the_weights_in_the_repository_are_the_ones_that_the_command_makes(one):
    card = read_trained_card(trained.SHIPPED / one.name)
    learned = card["lineage"]
    assert (card["name"], card["kind"], learned["catalogue"]) == (one.name, one.kind, shipped_weights.SLUG)
    assert tuple(learned["aspects"]) == one.aspects
    assert learned["settings"] == SETTINGS_OF[one.kind].read(one.settings).as_json()


def test_what_ships_learns_from_other_drawings_than_the_demo_shows():
    assert shipped_weights.SLUG != DEMO_SLUG
    assert ImportOptions().seed != shipped_weights.SEED
