"""Catalogues that do not say which picture is a lifestyle photo: found by the border, paired by group."""

import io

import numpy as np
import pytest
from PIL import Image

from search.engine.training.settings import SiameseSettings
from search.models import Item
from search.services.training_samples import read_items
from search.services.training_session import Plan, Session
from tests.factories import store_image
from tests.lessons import COLOURS, make_school, quick, train, wish

pytestmark = pytest.mark.django_db(transaction=True)
SIDE = 64


def draw_scene(number, colour):
    """An item in a scene that reaches the border."""
    rng = np.random.default_rng(number)
    pixels = rng.integers(0, 255, (SIDE, SIDE, 3)).astype(np.uint8)
    pixels[16:-16, 16:-16] = np.array(COLOURS[colour])
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "WEBP", lossless=True)
    return buffer.getvalue()


@pytest.fixture
def shop():
    """Products of two pictures each, every second one a scene; the last product has scenes only."""
    shop = make_school(items=40)
    for item in Item.objects.order_by("position"):
        product, second = divmod(item.position, 2)
        Item.objects.filter(pk=item.pk).update(group=f"product {product}")
        if second or product == 19:
            colour = item.category.value
            Item.objects.filter(pk=item.pk).update(
                image_sha256=store_image(draw_scene(item.position, colour))
            )
    Item.objects.update(split="trainable")
    Item.objects.filter(group__in=["product 0", "product 1", "product 2"]).update(split="evaluation")
    return shop


def test_each_scene_becomes_the_second_view_of_its_products_picture(shop):
    settings = SiameseSettings.read(quick("siamese"))
    plan = Plan("siamese", shop, (), settings, None, "cpu", "1" * 64)
    items, plain = Session(plan, say=lambda words: None).items, read_items(shop)
    for row in range(40):
        if row % 2 and row < 38:
            assert (items.images[row], items.lifestyles[row]) == (plain.images[row - 1], plain.images[row])
        else:
            assert items.lifestyles[row] == ""
        assert items.copies[row] == items.copies[row - row % 2]  # never negatives of each other
    assert len(set(items.copies.tolist())) == 20


def test_siamese_learns_from_such_a_catalogue(shop):
    training, job = train(wish(shop, "siamese"))
    assert job.state == "done", job.reason
    assert 0 <= training.measures["distance_accuracy"] <= 1
