"""People who search with photos and are timed, against a real web process."""

from collections.abc import Iterator

import pytest

from dopeornope.lone_web import LoneWeb, serve_alone
from dopeornope.searching_people import PEOPLE, SearchFailed, find_asked_engine, measure_waits
from search.models import Catalogue, Photo
from search.services.sent_photos import list_sent_photos
from tests.factories import make_image, store_image
from tests.faults.ports import free_port
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
def web(catalogue, web_home, settings, monkeypatch) -> Iterator[LoneWeb]:
    """With what an operator tells a site behind a proxy, which is not in front of this one."""
    settings.STATIC_ROOT = web_home / "static"
    for name, value in {"HOSTS": "swipe.example.org", "TLS": "1", "TRUSTED_PROXIES": "1"}.items():
        monkeypatch.setenv(f"DOPEORNOPE_{name}", value)
    with serve_alone(make_environment(web_home)) as running:
        yield running


def test_everybody_who_searches_with_a_photo_gets_a_page_also_twenty_at_once(web, catalogue):
    photos = list_sent_photos(catalogue, count=5)
    assert len(photos) == 5 and all(photo.startswith(b"\xff\xd8") for photo in photos)
    engine = find_asked_engine(catalogue)
    found = measure_waits(web, slug="demo", items=12, engine=engine, photos=photos, searches=PEOPLE)
    assert (found.items, found.people, found.errors) == (12, PEOPLE, 0)
    assert (found.alone.searches, found.at_once.searches) == (PEOPLE, PEOPLE)
    for waits in (found.alone, found.at_once):
        assert 0 < waits.p50 <= waits.p95 <= waits.worst
    assert found.processor_ms > 0
    assert (found.encoder, found.metric) == ("colour-histogram", "l2")
    assert "by colour-histogram, l2" in found.in_words()
    assert Photo.objects.count() >= 2 * PEOPLE, "every photo went the whole way"


def test_where_nobody_takes_a_photo_it_says_what_came_instead(web, catalogue):
    asked = {"items": 12, "engine": find_asked_engine(catalogue), "searches": 1}
    with pytest.raises(SearchFailed, match="404"):
        measure_waits(web, slug="nothing", photos=[b"x"], **asked)
    with pytest.raises(SearchFailed, match="POST /search/demo/photos/: 415"):
        measure_waits(web, slug="demo", photos=[b"no photo"], **asked)
    with pytest.raises(SearchFailed, match="GET /search/demo/: ConnectionRefusedError"):
        measure_waits(LoneWeb(free_port(), web.group), slug="demo", photos=[b"x"], **asked)
