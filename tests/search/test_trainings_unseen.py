"""Lifestyle photos that do not show their item are no queries of a siamese training; card and log say so."""

import io
import logging
import shutil

import pytest
import safetensors.torch
import torch
from django.conf import settings as site
from PIL import Image

from search.catalogues.wardrobe import draw_item
from search.engine.detection import Detector, draw_network
from search.engine.training.settings import SiameseSettings
from search.engine.training.sight import judge_photo
from search.models import Item, JobState
from search.services import training_sight
from search.services.training_session import Plan, Session
from search.services.training_wishes import TrainingRefused
from tests.factories import store_image
from tests.lessons import make_school, quick, train, wish
from tests.training_runs import at_step, cancel, card_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("every_word")]
ITEMS = 72


def pack(view: Image.Image) -> bytes:
    buffer = io.BytesIO()
    view.save(buffer, "WEBP", quality=85)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def views():
    """Catalogue and lifestyle views; every sixth photo is of a blank wall, every sixth of another item."""
    drawings = [draw_item(5, number) for number in range(ITEMS)]
    photos = []
    for number, drawing in enumerate(drawings):
        photo = drawing.lifestyle_view()
        if number % 6 == 1:
            photo = Image.new("RGB", photo.size, (190, 184, 172))
        if number % 6 == 3:
            photo = drawings[(number + 31) % ITEMS].lifestyle_view()
        photos.append(pack(photo))
    return [pack(drawing.catalogue_view()) for drawing in drawings], photos


@pytest.fixture
def shop(views):
    """A catalogue of wardrobe items; every fourth is held out."""
    shop = make_school(items=ITEMS, lifestyle=True)
    for item, seen, photo in zip(Item.objects.order_by("position"), *views, strict=True):
        item.image_sha256, item.lifestyle_sha256 = store_image(seen), store_image(photo)
        item.save()
    return shop


def prepare(shop, **told: object) -> Session:
    settings = SiameseSettings.read(quick("siamese", **told))
    session = Session(Plan("siamese", shop, (), settings, None, "cpu", "2" * 64), say=lambda words: None)
    session.prepare()
    return session


def test_blank_photos_are_left_out_and_good_ones_stay(shop):
    session = prepare(shop, sight="regions")
    unseen = session.unseen
    assert unseen is not None and unseen.trusted
    out = set(unseen.left_out.tolist())
    looked = [row for row in range(ITEMS) if row % 4]
    assert unseen.looked == len(looked)
    assert {row for row in looked if row % 6 == 1} <= out
    good = [row for row in looked if row % 6 not in (1, 3)]
    others = [row for row in looked if row % 6 == 3]
    assert sum(row in out for row in good) <= 0.2 * len(good)
    assert sum(row in out for row in others) >= 0.25 * len(others)
    assert not out & {row for row in range(ITEMS) if row % 4 == 0}  # held out: judged by as they are


def test_card_and_log_say_how_many_and_why(shop, caplog):
    with caplog.at_level(logging.INFO, logger="search"):
        _, job = train(wish(shop, "siamese", settings={"sight": "regions"}))
    assert job.state == JobState.DONE
    told = card_of()["sight"]
    assert told["way"] == "regions"
    assert told["left_out"] == told["nothing"] + told["unlike"] > 0
    assert told["told"].startswith(f"{told['left_out']} of {told['looked']} lifestyle photos are left out")
    assert told["told"] in caplog.text


def test_by_default_nothing_looks_where_there_is_no_detector(shop):
    assert prepare(shop).unseen is None
    assert prepare(shop, sight="off").unseen is None


def test_what_was_killed_goes_on_to_the_same_encoder_though_a_detector_came(shop):
    told = {"sight": "auto"}
    train(wish(shop, "siamese", name="undisturbed", settings=told))
    train(wish(shop, "siamese", name="disturbed", settings=told), report=at_step(5, cancel))
    put_detector()
    _, job = train(wish(shop, "siamese", name="disturbed", settings=told))
    assert (job.state, job.resumed_from) == (JobState.DONE, 7)
    assert card_of("disturbed")["sha256"] == card_of("undisturbed")["sha256"]


def test_resumed_it_leaves_out_the_same(shop):
    told = {"sight": "regions"}
    train(wish(shop, "siamese", name="undisturbed", settings=told))
    train(wish(shop, "siamese", name="disturbed", settings=told), report=at_step(5, cancel))
    _, job = train(wish(shop, "siamese", name="disturbed", settings=told))
    assert job.state == JobState.DONE
    for key in ("sha256", "sight"):
        assert card_of("disturbed")[key] == card_of("undisturbed")[key]


def put_detector() -> None:
    """Weights that were drawn: they are sure of nothing, and find nothing."""
    network, _ = draw_network()
    site.WEIGHTS_FOLDER.mkdir(exist_ok=True)
    safetensors.torch.save_file(
        {name: torch.clone(part) for name, part in network.state_dict().items()},
        site.WEIGHTS_FOLDER / "ssdlite320_mobilenet_v3_large_coco-a79551df.safetensors",
    )


def test_a_detector_that_finds_next_to_nothing_is_not_believed(shop):
    put_detector()
    unseen = prepare(shop).unseen
    assert unseen is not None and unseen.way == "detector"
    assert not unseen.trusted and not len(unseen.left_out)
    assert unseen.nothing == unseen.looked
    assert "says more of detector than of them" in unseen.describe()


def test_a_detector_that_is_asked_for_has_to_be_there(shop):
    with pytest.raises(TrainingRefused, match=r"There is no detector.*Set sight to regions, or off"):
        train(wish(shop, "siamese", settings={"sight": "detector"}))


def test_what_was_killed_while_it_looked_goes_on_where_it_was(shop, monkeypatch):
    whole = prepare(shop, sight="regions").unseen
    assert whole is not None
    forget()
    monkeypatch.setattr(training_sight, "WORTH_KEEPING", 7)
    looked = watch(monkeypatch, stop_at=10)
    with pytest.raises(KeyboardInterrupt):
        prepare(shop, sight="regions")
    assert len(looked) == 10
    looked = watch(monkeypatch)
    assert prepare(shop, sight="regions").unseen.as_json() == whole.as_json()
    assert len(looked) == whole.looked - 7


def test_looking_that_was_cut_short_begins_anew_where_another_way_is_taken(shop, monkeypatch):
    put_detector()
    monkeypatch.setattr(training_sight, "WORTH_KEEPING", 7)
    looked = watch(monkeypatch, stop_at=10)
    with pytest.raises(KeyboardInterrupt):
        prepare(shop)
    assert looked
    for file in site.WEIGHTS_FOLDER.glob("ssdlite320*"):
        file.unlink()
    assert prepare(shop).unseen is None


def test_a_detector_for_which_there_is_no_memory_ends_the_training_in_words(shop, monkeypatch):
    def refuse(detector, picture, **more):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")

    put_detector()
    monkeypatch.setattr(Detector, "detect", refuse)
    _, job = train(wish(shop, "siamese", settings={"sight": "detector"}))
    assert job.state == JobState.FAILED
    assert job.reason == (
        "There is not enough memory for looking for items in their photos. Set sight to regions, or off."
    )


def forget() -> None:
    shutil.rmtree(site.TRAINING_FOLDER / ("2" * 16))


def watch(monkeypatch, *, stop_at: int = 0) -> list[object]:
    """The photos that are judged from now on; at the so many-th the process is stopped."""
    judged: list[object] = []

    def judge(regions, own, others, *, most):
        judged.append(own)
        if len(judged) == stop_at:
            raise KeyboardInterrupt
        return judge_photo(regions, own, others, most=most)

    monkeypatch.setattr(training_sight, "judge_photo", judge)
    return judged
