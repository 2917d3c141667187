"""What trainings learn from: which labels count, who is on which side, and pictures framed once."""

import threading

import numpy as np
import pytest
from django.conf import settings

from search.engine.encoders import trained
from search.engine.images import load_picture
from search.engine.training.samples import MISSING
from search.models import Item, Label, Split
from search.selectors.catalogues import image_path
from search.services.jobs import JobFailed
from search.services.training_samples import divide, frame_pictures, read_items, read_labels
from tests.lessons import SIDE, label, make_aspect, make_school

pytestmark = pytest.mark.django_db


def labels_of(school, *aspects):
    """Values by key, blank where nothing is known."""
    items = read_items(school)
    labels = read_labels(school, items, aspects)
    return [
        {
            key: aspect.values[row] if row != MISSING else ""
            for key, row in zip(items.keys, labels.table[:, column], strict=True)
        }
        for column, aspect in enumerate(labels.aspects)
    ]


def sides_of(school, *, share=0.3):
    """The keys of the three sides."""
    items = read_items(school)
    division = divide(items, validation_share=share)
    return [
        {items.keys[row] for row in rows}
        for rows in (division.learned, division.validation, division.held_out)
    ]


def test_rows_are_items_by_position_whatever_their_numbers():
    school = make_school(items=12)
    school.items.filter(position__in=[3, 7]).delete()
    items = read_items(school)
    assert items.keys == [f"{number:03d}" for number in range(12) if number not in (3, 7)]
    assert len(items) == 10
    [colour] = labels_of(school, "colour")
    assert colour == dict(school.items.values_list("key", "category__value"))


def test_without_named_aspects_it_is_the_category_and_else_those_named_in_their_order():
    school = make_school(items=12)
    assert labels_of(school) == labels_of(school, "colour")
    pattern, colour = labels_of(school, "pattern", "colour")
    assert set(pattern.values()) == {"plain", "striped"}
    assert set(colour.values()) == {"red", "green", "blue"}


def test_an_item_with_several_values_of_an_aspect_has_none_of_it():
    school = make_school(items=12)
    red = school.aspects.get(name="colour").attributes.get(value="red")
    label(school.items.get(position=1), red)  # it is green
    label(school.items.get(position=0), red, source=Label.Source.COMPUTED)  # it is red
    colour, pattern = labels_of(school, "colour", "pattern")
    assert colour["001"] == "" and pattern["001"] == "plain"
    assert colour["000"] == "red", "told twice, it is still one value"


def test_predictions_do_not_count_but_what_was_computed_does():
    school = make_school(items=12)
    long, short = make_aspect(school, "sleeve", ["long", "short"]).values()
    for item in school.items.all():
        if item.position < 8:
            label(item, long if item.position % 2 else short, source=Label.Source.COMPUTED)
        else:
            label(item, long, source=Label.Source.PREDICTED, confidence=0.99)
    school.items.get(position=1).labels.create(attribute=short, source=Label.Source.PREDICTED, confidence=1)
    [sleeve] = labels_of(school, "sleeve")
    assert sleeve["001"] == "long", "a prediction contradicts nothing"
    assert {sleeve[f"{number:03d}"] for number in range(8, 12)} == {""}


def test_values_that_only_held_out_items_have_are_left_out():
    school = make_school(items=12)
    violet = school.aspects.get(name="colour").attributes.create(value="violet")
    held_out = school.items.get(position=0)
    held_out.labels.all().delete()
    label(held_out, violet)
    items = read_items(school)
    labels = read_labels(school, items, ["colour"])
    assert labels.aspects[0].values == ("blue", "green", "red")
    assert labels.table[0, 0] == MISSING


def test_labels_of_another_catalogue_are_another_catalogues():
    one, other = make_school(items=12), make_school(items=12, slug="other", colours=["red", "blue"])
    assert set(labels_of(one, "colour")[0].values()) == {"red", "green", "blue"}
    assert set(labels_of(other, "colour")[0].values()) == {"red", "blue"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("gone", "has no aspect “colour”"),
        ("one value", "Nothing can be learned of “colour”: trainable items have the value “red” only"),
        ("no value", "Nothing can be learned of “colour”: trainable items have no value"),
        ("no category", "The catalogue has no category"),
    ],
)
def test_an_aspect_that_went_since_the_request_is_told_by_name(change, words):
    school = make_school(items=12)
    aspect = school.aspects.get(name="colour")
    given = Label.objects.filter(attribute__aspect=aspect)
    match change:
        case "gone":
            aspect.name = "hue"
            aspect.save()
        case "one value":
            given.exclude(attribute__value="red").delete()
        case "no value":
            given.delete()
        case "no category":
            aspect.is_category = False
            aspect.save()
    names = [] if change == "no category" else ["colour"]
    with pytest.raises(JobFailed, match=words):
        read_labels(school, read_items(school), names)


def test_held_out_are_the_evaluation_only_items_and_nothing_of_them_is_learned_or_judged_by():
    school = make_school()
    learned, validation, held_out = sides_of(school)
    assert held_out == set(school.items.evaluation_only().values_list("key", flat=True))
    assert learned | validation == set(
        school.items.filter(split=Split.TRAINABLE).values_list("key", flat=True)
    )
    assert not learned & validation
    assert len(validation) == round(0.3 * 27)


def test_the_sides_do_not_depend_on_the_order_of_the_rows_or_on_the_seed():
    school = make_school()
    before = sides_of(school)
    for item in school.items.all():
        Item.objects.filter(pk=item.pk).update(position=1000 - item.position)
    assert sides_of(school) == before


@pytest.mark.parametrize("tie", ["group", "near duplicate", "picture"])
def test_what_belongs_together_stands_on_one_side(tie):
    """Threes of trainable items; a chain of near duplicates names the one before only."""
    school = make_school(items=60)
    trainable = list(school.items.filter(split=Split.TRAINABLE).order_by("position"))
    threes = [trainable[place : place + 3] for place in range(0, 45, 3)]
    for first, second, third in threes:
        if tie == "group":
            for item in (first, second, third):
                item.group = f"sender {first.key}"
        elif tie == "picture":
            second.image_sha256 = third.image_sha256 = first.image_sha256
        else:
            second.near_duplicate_of, third.near_duplicate_of = first, second
        for item in (first, second, third):
            item.save()
    learned, validation, _ = sides_of(school)
    split = [
        keys for three in threes if len((keys := {item.key for item in three}) & validation) not in (0, 3)
    ]
    assert split == []
    assert learned and validation and len(validation) % 3 == 0


def test_near_duplicates_have_one_number_and_others_their_own():
    school = make_school(items=12)
    one, two, three = (school.items.get(position=place) for place in (2, 5, 9))
    two.near_duplicate_of = one
    three.image_sha256 = two.image_sha256
    two.save(), three.save()
    copies = read_items(school).copies
    assert len({copies[2], copies[5], copies[9]}) == 1
    assert len(set(copies.tolist())) == 10


def frame(school, *, report=lambda done: None, view="catalogue"):
    items = read_items(school)
    images = items.images if view == "catalogue" else items.lifestyles
    return frame_pictures(school, images, view=view, side=SIDE, report=report)


def test_pictures_are_framed_as_the_encoder_frames_them():
    school = make_school(items=12)
    file = frame(school)
    assert (len(file), file.side) == (12, SIDE)
    for place, item in enumerate(school.items.all()):
        framed = trained.frame(load_picture(image_path(item.image_sha256)), side=SIDE)
        np.testing.assert_array_equal(file.read(np.array([place]))[0], framed)


def test_pictures_are_framed_once_for_all_trainings_of_a_catalogue():
    school = make_school(items=12)
    frame(school)
    said: list[int] = []
    frame(school, report=said.append)
    assert said == []
    school.content_hash = "e" * 64  # as after an import that added something
    frame(school, report=said.append)
    assert said == list(range(12))


def test_an_interrupted_framing_goes_on_and_gives_the_same_bytes():
    school, undisturbed = make_school(items=12), make_school(items=12, slug="undisturbed")

    class Stopped(Exception):
        pass

    def stop(done):
        if done == 7:
            raise Stopped

    with pytest.raises(Stopped):
        frame(school, report=stop)
    assert not [path for path in (settings.TRAINING_FOLDER / "pictures").iterdir() if path.suffix == ".u8"]
    said: list[int] = []
    file = frame(school, report=said.append)
    assert said == list(range(7, 12))
    rows = np.arange(12)
    np.testing.assert_array_equal(file.read(rows), frame(undisturbed).read(rows))


def test_damaged_pictures_are_framed_anew():
    school = make_school(items=12)
    before = frame(school).read(np.arange(12))
    [path] = (settings.TRAINING_FOLDER / "pictures").glob("*.u8")
    data = bytearray(path.read_bytes())
    data[5000] ^= 1
    path.write_bytes(data)
    said: list[int] = []
    np.testing.assert_array_equal(frame(school, report=said.append).read(np.arange(12)), before)
    assert said == list(range(12))


def test_an_item_without_a_second_view_has_a_black_one():
    school = make_school(items=12, lifestyle=True)
    school.items.filter(position=4).update(lifestyle_sha256="")
    seen = frame(school, view="lifestyle").read(np.arange(12)).reshape(12, -1).any(axis=1)
    assert seen.tolist() == [place != 4 for place in range(12)]


def test_a_picture_that_is_gone_is_told_with_the_remedy_and_the_others_are_kept():
    school = make_school(items=12)
    path = image_path(school.items.get(position=8).image_sha256)
    content = path.read_bytes()
    path.unlink()
    with pytest.raises(JobFailed, match="import the catalogue again"):
        frame(school)
    path.write_bytes(content)
    said: list[int] = []
    assert len(frame(school, report=said.append)) == 12
    assert said == list(range(8, 12))


def test_two_that_frame_the_same_pictures_at_once_both_get_them_whole():
    """Two workers with a training each of one catalogue: one frames, the other waits."""
    school = make_school(items=12)
    items = read_items(school)
    begun, go_on = threading.Event(), threading.Event()
    got = {}

    def first(done):
        if done == 6:
            begun.set()
            assert go_on.wait(60)

    def frame_first():
        got["first"] = frame_pictures(school, items.images, view="catalogue", side=SIDE, report=first)

    thread = threading.Thread(target=frame_first)
    thread.start()
    assert begun.wait(60)
    said: list[int] = []

    def second(done):
        said.append(done)
        go_on.set()

    got["second"] = frame_pictures(school, items.images, view="catalogue", side=SIDE, report=second)
    thread.join()
    rows = np.arange(12)
    expected = [trained.frame(load_picture(image_path(image)), side=SIDE) for image in items.images]
    for file in got.values():
        np.testing.assert_array_equal(file.read(rows), np.stack(expected))
