"""Pages that belong to no app, the tags, and the error pages as a visitor gets them."""

import json
import re

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client
from django.test.utils import override_settings
from django.urls import path

from dopeornope import urls
from dopeornope.templatetags import front


def refuse(request: object) -> None:
    raise PermissionDenied("Only for operators.")


def fail(request: object) -> None:
    raise RuntimeError("broken on purpose")


urlpatterns = [*urls.urlpatterns, path("refuse/", refuse), path("fail/", fail)]
handler403, handler404, handler500 = urls.handler403, urls.handler404, urls.handler500

pytestmark = pytest.mark.django_db


def test_service_worker_covers_the_whole_site_and_is_always_fresh(client: Client) -> None:
    response = client.get("/sw.js")
    assert response["Content-Type"].startswith("text/javascript")
    assert "no-cache" in response["Cache-Control"]
    assert '"/offline/"' in response.content.decode()


def test_service_worker_caches_files_that_exist(client: Client) -> None:
    shell = re.search(r"SHELL = \[(.*)\]", client.get("/sw.js").content.decode())
    assert shell is not None
    for address in re.findall(r'"(/static/[^"]+)"', shell.group(1).encode().decode("unicode_escape")):
        assert client.get(address).status_code == 200, address


def test_manifest_is_valid_and_its_icons_exist(client: Client) -> None:
    manifest = json.loads(client.get("/manifest.webmanifest").content)
    assert manifest["start_url"] == "/play/"
    for icon in manifest["icons"]:
        assert client.get(icon["src"]).status_code == 200, icon


def test_import_map_carries_the_nonce_of_the_policy(client: Client) -> None:
    response = client.get("/about/")
    nonce = re.search(r'type="importmap" nonce="([^"]+)"', response.content.decode())
    assert nonce is not None
    assert f"'nonce-{nonce.group(1)}'" in response["Content-Security-Policy"]


def test_a_page_sets_no_cookie(client: Client) -> None:
    for address in ("/about/", "/offline/", "/sw.js"):
        assert not client.get(address).cookies


@override_settings(ROOT_URLCONF=__name__)
@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("/nothing/", 404, "Nothing here"),
        ("/refuse/", 403, "Only for operators."),
        ("/fail/", 500, "Something broke"),
    ],
)
def test_error_pages(client: Client, address: str, status: int, words: str) -> None:
    client.raise_request_exception = False
    response = client.get(address)
    assert response.status_code == status
    assert words in response.content.decode()
    assert "broken on purpose" not in response.content.decode()


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_without_its_database_the_site_says_when_to_come_back(
    error: type[Exception], client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(self: object) -> None:
        raise error("connection refused")

    monkeypatch.setattr(BaseDatabaseWrapper, "cursor", unreachable)
    client.raise_request_exception = False
    response = client.get("/leaderboard/")
    assert response.status_code == 503
    assert int(response["Retry-After"]) > 0
    assert "The database cannot be reached" in response.content.decode()


def test_a_template_cannot_ask_for_a_role_that_there_is_not() -> None:
    assert not front.has_role(AnonymousUser(), "operator")
    with pytest.raises(ValueError, match="operater"):
        front.has_role(AnonymousUser(), "operater")


@pytest.mark.parametrize(
    ("cookie", "attribute"), [("dark", 'data-theme="dark"'), ("light", 'data-theme="light"'), ('"><b>', None)]
)
def test_theme_cookie_is_honoured_only_for_known_themes(
    client: Client, cookie: str, attribute: str | None
) -> None:
    client.cookies["theme"] = cookie
    page = client.get("/about/").content.decode()
    assert (attribute in page) if attribute else "data-theme" not in page


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.613, "61\u00a0%"), (0.0, "0\u00a0%"), (1.0, "100\u00a0%"), (0.004, "0.4\u00a0%"), (None, "–")],
)
def test_percent(share: float | None, text: str) -> None:
    assert front.percent(share) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, ""), (12, "under a minute"), (240, "4 min"), (7200, "2 h"), (200_000, "2 days")],
)
def test_duration(seconds: float | None, text: str) -> None:
    assert front.duration(seconds) == text
