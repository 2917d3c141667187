"""Large bodies: cut off while they arrive, unless an operator brings a catalogue."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import Group, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.handlers.asgi import ASGIHandler
from django.test import Client

from dopeornope.body_limit import FORM_BYTES, PHOTO_BYTES, BodyLimit

pytestmark = pytest.mark.django_db
MB = 1024 * 1024
IMPORT = "/operations/import/"


class Server:
    """An application behind the limit that reads all it is given, as Django does."""

    def __init__(self) -> None:
        self.read = 0
        self.left = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.left = True
                return
            self.read += len(message["body"])
            if not message.get("more_body"):
                break
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})


def send_body(
    server: Server, size: int, *, path: str = "/play/votes/", declared: bool = True, cookie: str = ""
) -> tuple[int, int]:
    """The status answered, and how much of the body had been asked for by then."""
    headers = [(b"host", b"localhost"), (b"cookie", cookie.encode())]
    if declared:
        headers.append((b"content-length", str(size).encode()))
    chunks: Iterator[int] = iter([256 * 1024] * (size // (256 * 1024)) + [size % (256 * 1024)])
    asked, asked_by_then, sent = 0, 0, []

    async def receive() -> dict[str, Any]:
        nonlocal asked
        chunk = next(chunks)
        asked += chunk
        return {"type": "http.request", "body": b"x" * chunk, "more_body": asked < size}

    async def send(message: dict[str, Any]) -> None:
        nonlocal asked_by_then
        if not sent:
            asked_by_then = asked
        sent.append(message)

    scope = {"type": "http", "path": path, "headers": headers}
    async_to_sync(BodyLimit(server))(scope, receive, send)
    [start, *bodies] = sent
    assert start["type"] == "http.response.start"
    assert {message["type"] for message in bodies} == {"http.response.body"}
    assert [message.get("more_body", False) for message in bodies] == [True] * (len(bodies) - 1) + [False]
    if start["status"] != 200 and path.startswith("/api/"):
        assert json.loads(b"".join(message.get("body", b"") for message in bodies))["code"] == "too-large"
    return start["status"], asked_by_then


def cookie_of(role: str | None) -> str:
    client = Client()
    user = User.objects.create(username=role or "player")
    if role:
        user.groups.add(Group.objects.get_or_create(name=role)[0])
    client.force_login(user)
    return f"theme=dark; sessionid={client.session.session_key}"


def test_a_small_body_passes():
    server = Server()
    assert send_body(server, MB) == (200, MB)
    assert server.read == MB


def test_a_declared_large_body_is_refused_before_it_is_read():
    server = Server()
    assert send_body(server, MB + 1) == (413, 0)
    assert server.read == 0


def test_who_never_stops_sending_is_left_after_a_while(monkeypatch):
    monkeypatch.setattr("dopeornope.body_limit.LINGERING_S", 0.05)
    ended = []

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0)
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def send(message: dict[str, Any]) -> None:
        ended.append(not message.get("more_body", message["type"] == "http.response.start"))

    headers = [(b"content-length", str(MB + 1).encode())]
    async_to_sync(BodyLimit(Server()))({"type": "http", "path": "/", "headers": headers}, receive, send)
    assert ended == [False, False, True]


def test_a_body_that_hides_its_size_is_cut_off():
    server = Server()
    status, asked = send_body(server, 50 * MB, declared=False)
    assert status == 413
    assert asked < 2 * MB
    assert server.left
    assert server.read <= MB


def test_an_operator_may_bring_a_large_catalogue(settings):
    settings.UPLOAD_LIMIT_MB = 3
    cookie = cookie_of("operator")
    assert send_body(Server(), 3 * MB, path=IMPORT, cookie=cookie)[0] == 200
    assert send_body(Server(), 3 * MB, path=IMPORT, cookie=cookie, declared=False)[0] == 200
    assert send_body(Server(), 3 * MB + FORM_BYTES + 1, path=IMPORT, cookie=cookie)[0] == 413
    assert send_body(Server(), 3 * MB, path="/play/votes/", cookie=cookie)[0] == 413


@pytest.mark.parametrize("path", ["/search/demo/photos/", "/api/search/demo/"])
def test_anybody_may_send_a_photo_of_the_size_that_cameras_make_and_no_larger(path):
    assert send_body(Server(), PHOTO_BYTES, path=path) == (200, PHOTO_BYTES)
    assert send_body(Server(), PHOTO_BYTES + FORM_BYTES + 1, path=path)[0] == 413
    hidden = Server()
    status, asked = send_body(hidden, 50 * MB, path=path, declared=False)
    assert status == 413 and asked < 12 * MB and hidden.read <= PHOTO_BYTES + FORM_BYTES


def test_what_a_camera_wrote_beside_a_photo_is_on_no_disk(monkeypatch):
    """A body of the largest photo, as Django's server side reads it, makes no file."""

    def never(*args: Any, **how: Any) -> None:
        raise AssertionError("a file was made")

    monkeypatch.setattr("tempfile.SpooledTemporaryFile.rollover", never)
    monkeypatch.setattr("django.core.files.uploadhandler.TemporaryUploadedFile", never)
    body = iter([b"x" * (PHOTO_BYTES + FORM_BYTES)])

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": next(body), "more_body": False}

    read = async_to_sync(ASGIHandler().read_body)(receive)
    assert len(read.read()) == PHOTO_BYTES + FORM_BYTES
    photo = SimpleUploadedFile("photo.jpg", b"x" * PHOTO_BYTES)
    assert Client().post("/api/search/demo/", {"photo": photo}).status_code == 404


@pytest.mark.parametrize("role", [None, "analyst"])
def test_others_may_not(role):
    assert send_body(Server(), 2 * MB, path=IMPORT, cookie=cookie_of(role))[0] == 413


@pytest.mark.parametrize("cookie", ["", "sessionid=forged", "sessionid=", "\xff\xfe=1; sessionid=;;"])
def test_neither_may_strangers(cookie):
    assert send_body(Server(), 2 * MB, path=IMPORT, cookie=cookie)[0] == 413
