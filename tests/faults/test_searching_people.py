"""People who search with photos and are timed, against a real web process."""

from collections.abc import Iterator

import pytest

from dopeornope.lone_web import LoneWeb, serve_alone
from dopeornope.searching_people import PEOPLE, SearchFailed, measure_waits
from search.models import Catalogue, Photo
from search.services.sent_photos import list_sent_photos
from tests.factories import make_image, store_image
from tests.faults.servers import make_environment
from tests.search.searching import make_searchable

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def catalogue(monkeypatch, home) -> Catalogue:
    found = make_searchable(monkeypatch, encoders=("colour-histogram",), items=12)
    for item in found.items.all():
        item.lifestyle_sha256 = store_image(make_image(item.position))
        item.save()
    return found


@pytest.fixture
def web(catalogue, web_home, settings) -> Iterator[LoneWeb]:
    settings.STATIC_ROOT = web_home / "static"
    with serve_alone(make_environment(web_home)) as running:
        yield running


def test_everybody_who_searches_with_a_photo_gets_a_page_also_twenty_at_once(web, catalogue):
    photos = list_sent_photos(catalogue, count=5)
    assert len(photos) == 5 and all(photo.startswith(b"\xff\xd8") for photo in photos)
    found = measure_waits(web, slug="demo", items=12, photos=photos, searches=PEOPLE)
    assert (found.items, found.people, found.errors) == (12, PEOPLE, 0)
    assert (found.alone.searches, found.at_once.searches) == (PEOPLE, PEOPLE)
    for waits in (found.alone, found.at_once):
        assert 0 < waits.p50 <= waits.p95 <= waits.worst
    assert found.processor_ms > 0
    assert found.times_alone == found.at_once.p95 / found.alone.p95
    assert Photo.objects.count() >= 2 * PEOPLE, "every photo went the whole way"


def test_where_nobody_takes_a_photo_it_says_what_came_instead(web, catalogue):
    with pytest.raises(SearchFailed, match="404"):
        measure_waits(web, slug="nothing", items=12, photos=[b"x"], searches=1)
    with pytest.raises(SearchFailed, match="POST /search/demo/photos/: 415"):
        measure_waits(web, slug="demo", items=12, photos=[b"no photo"], searches=1)
