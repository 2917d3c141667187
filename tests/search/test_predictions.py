"""What an aspects network predicts is written beside what people said, and never over it."""

import pytest

from search.models import Attribute, Item, Label
from search.selectors.catalogues import hash_content
from tests.lessons import label, make_school, train, wish

pytestmark = pytest.mark.django_db(transaction=True)
PREDICTED = Label.Source.PREDICTED


def teach(school, **how):
    return train(wish(school, "aspects", aspects=("colour", "pattern"), name="seer", **how))


def labels_of(item, aspect):
    return list(item.labels.filter(attribute__aspect__name=aspect))


def test_items_without_a_label_get_one_with_its_confidence_and_where_it_comes_from():
    school = make_school()
    bare, half = Item.objects.order_by("position")[:2]
    bare.labels.all().delete()
    half.labels.filter(attribute__aspect__name="pattern").delete()
    before = hash_content(school)
    training, job = teach(school)
    assert job.state == "done", job.reason
    written = Label.objects.filter(source=PREDICTED)
    assert {(row.item.key, row.attribute.aspect.name) for row in written} == {
        (bare.key, "colour"), (bare.key, "pattern"), (half.key, "pattern"),
    }  # fmt: skip
    assert {row.predicted_by for row in written} == {f"seer {training.encoder_version}"}
    assert all(0 < row.confidence <= 1 for row in written)
    assert hash_content(school) == before  # what was computed from the catalogue stays valid


def test_what_people_said_stays_whatever_the_network_thinks():
    school = make_school()
    given = list(Label.objects.order_by("pk").values())
    teach(school)
    assert list(Label.objects.order_by("pk").values()) == given


def test_later_predictions_take_the_place_of_earlier_ones_and_give_way_to_people():
    school = make_school()
    item = Item.objects.order_by("position").first()
    item.labels.all().delete()
    teach(school)
    first = {row.predicted_by for row in labels_of(item, "colour")}
    teach(school, settings={"seed": 1})
    [again] = labels_of(item, "colour")
    assert {again.predicted_by} != first

    label(item, Attribute.objects.get(value="red"))
    teach(school, settings={"seed": 2})
    [kept] = labels_of(item, "colour")
    assert (kept.source, kept.attribute.value) == (Label.Source.GIVEN, "red")
    assert [row.source for row in labels_of(item, "pattern")] == [PREDICTED]


def test_who_dies_before_all_is_predicted_has_the_next_one_predict_the_rest(monkeypatch):
    make_school()
    bare = Item.objects.order_by("position").first()
    bare.labels.all().delete()

    def die(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as dying, pytest.raises(KeyboardInterrupt):
        dying.setattr("search.services.training_run.predict_attributes", die)
        teach(bare.catalogue)
    assert not labels_of(bare, "colour")
    _, job = teach(bare.catalogue)
    assert job.state == "done" and len(labels_of(bare, "colour")) == 1
