"""Who searches over HTTP, as a browser without JavaScript does."""

import re

import pytest
from django.contrib.auth.models import Group, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from search.models import Photo
from tests.evaluation.searching import make_searchable


@pytest.fixture(name="catalogue")
def searched_catalogue():
    return make_searchable()


class Searcher:
    """Somebody at the search page."""

    def __init__(self, client: Client | None = None) -> None:
        self.client = client or Client()
        self.look("/search/")

    @property
    def text(self) -> str:
        return self.page.content.decode()

    def look(self, address: str, **headers: str):
        self.page = self.client.get(address, headers=headers)
        if token := re.search(r'name="sitting" value="([^"]+)"', self.text):
            self.sitting = token[1]
        return self.page

    def send(self, photo: bytes | None, *, slug: str = "demo", script: bool = False, **fields: str):
        sent = {"sitting": self.sitting, **fields}
        if photo is not None:
            sent["photo"] = SimpleUploadedFile("../../x.jpg", photo, "image/jpeg")
        headers = {"X-Part": "photo"} if script else {}
        self.page = self.client.post(f"/search/{slug}/photos/", sent, headers=headers, follow=not script)
        return self.page

    def post(self, address: str, **fields: str):
        self.page = self.client.post(address, {"sitting": self.sitting, **fields}, follow=True)
        return self.page

    @property
    def found(self) -> list[int]:
        """Positions of what is shown, in order."""
        return [
            int(item) for item in re.findall(r'class="tile"\s+href="/search/demo/items/(\d+)/"', self.text)
        ]

    @property
    def address(self) -> str:
        return f"/search/demo/?photo={Photo.objects.get().key}"


@pytest.fixture(name="searcher")
def newcomer(catalogue):
    return Searcher()


def sign_in(role: str) -> Client:
    user = User.objects.create_user(role)
    user.groups.add(Group.objects.get_or_create(name=role)[0])
    client = Client()
    client.force_login(user)
    return client
