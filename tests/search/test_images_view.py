"""Pictures are served by content, kept for ever, and nothing else is served at their addresses."""

import asyncio
from pathlib import Path

import pytest
from django.http import Http404
from django.test import AsyncRequestFactory, Client

from search.selectors.catalogues import image_url
from search.views.images import serve_image
from tests.factories import make_image, store_image


def test_a_picture_may_be_kept_for_ever(client: Client) -> None:
    data = make_image(1)
    response = client.get(image_url(store_image(data)))
    assert (response.status_code, response.content, response["Content-Type"]) == (200, data, "image/webp")
    assert response["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in response and "Cookie" not in response.get("Vary", "")


def test_a_picture_that_is_known_is_not_sent_again(client: Client) -> None:
    url = image_url(store_image(make_image(2)))
    first = client.get(url)
    again = client.get(url, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    head = client.head(url)
    assert (head.status_code, head["Content-Length"]) == (200, str(len(first.content)))


@pytest.mark.parametrize(
    "address",
    [
        "/images/" + "0" * 64 + ".webp",
        "/images/" + "A" * 64 + ".webp",
        "/images/abc.webp",
        "/images/../db.sqlite3",
        "/images/..%2f..%2fsecret-key.webp",
        "/images/" + "0" * 64 + ".webp/",
        "/images/" + "0" * 64 + ".png",
        "/images/",
    ],
)
def test_nothing_else_is_served(client: Client, home: Path, address: str) -> None:
    (home / "secret-key").write_text("secret")
    assert client.get(address).status_code == 404


def test_only_reading_is_allowed(client: Client) -> None:
    assert client.post(image_url(store_image(make_image(3)))).status_code in (403, 405)


def test_the_database_is_not_asked() -> None:
    """Without the mark that allows it, a query would fail the test."""
    sha256 = store_image(make_image(4))
    response = asyncio.run(serve_image(AsyncRequestFactory().get("/"), sha256=sha256))
    assert response.content == make_image(4)
    with pytest.raises(Http404):
        asyncio.run(serve_image(AsyncRequestFactory().get("/"), sha256="f" * 64))
