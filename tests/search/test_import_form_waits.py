"""A large upload takes its time to be taken apart and looked through: the other pages do not wait for it."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import Group, User
from django.core.files.uploadhandler import FileUploadHandler
from django.test import AsyncClient

from search.models import Catalogue
from search.services import imports
from tests.catalogues.sources import picture, write, zipped

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE_SECONDS = 30
begun, answered = threading.Event(), threading.Event()


@pytest.fixture(autouse=True)
def fresh_events() -> None:
    begun.clear()
    answered.clear()


def wait_for_the_other_page() -> None:
    """What takes so long; in vain where the other page has to wait for it."""
    begun.set()
    assert answered.wait(PATIENCE_SECONDS), "another page had to wait for the upload"


class SlowDisk(FileUploadHandler):
    """Takes the first bytes of a file only when another page was answered."""

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        if start == 0:
            wait_for_the_other_page()
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None


def ask_for_both(fields: Callable[[], dict[str, object]]) -> list[int]:
    """The status of another page, asked for while the form is busy, and that of the form."""
    user = User.objects.create(username="operator")
    user.groups.add(Group.objects.get_or_create(name="operator")[0])

    async def ask() -> list[int]:
        operator = AsyncClient()
        await operator.aforce_login(user)
        form = asyncio.create_task(operator.post("/operations/import/", fields()))
        assert await asyncio.to_thread(begun.wait, PATIENCE_SECONDS)
        page = await AsyncClient().get("/leaderboard/")
        answered.set()
        return [page.status_code, (await form).status_code]

    return async_to_sync(ask)()


def test_pages_are_answered_while_a_source_is_looked_through(
    tmp_path: Path, settings: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write(tmp_path / "photos", {f"{number}.png": picture(number) for number in range(3)})
    settings.IMPORT_ROOTS = [root]
    open_importer = imports.open_importer

    def open_slowly(*arguments: object) -> object:
        wait_for_the_other_page()
        return open_importer(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(imports, "open_importer", open_slowly)
    monkeypatch.setattr("search.tasks.hint_jobs", lambda asked: None)
    assert ask_for_both(lambda: {"source": "path", "title": "Photos", "path": str(root)}) == [200, 302]
    assert Catalogue.objects.get().source == str(root)


def test_pages_are_answered_while_an_upload_is_taken_apart(
    tmp_path: Path, settings: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = zipped(tmp_path / "z.zip", {f"{number}.png": picture(number) for number in range(3)})
    handlers = list(settings.FILE_UPLOAD_HANDLERS)
    settings.FILE_UPLOAD_HANDLERS = [f"{__name__}.{SlowDisk.__name__}", *handlers]
    monkeypatch.setattr("search.tasks.hint_jobs", lambda asked: None)
    with path.open("rb") as file:
        assert ask_for_both(lambda: {"source": "upload", "title": "Photos", "file": file}) == [200, 302]
    assert Path(Catalogue.objects.get().source).read_bytes() == path.read_bytes()
