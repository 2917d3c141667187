"""Bodies without end and names that lead elsewhere, sent to a real web process (cases 19 and 20)."""

import hashlib
import http.client
import io
import select
import socket
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from search.models import Catalogue
from tests.catalogues.sources import picture
from tests.faults.servers import Server
from tests.memory import MiB, Peak
from tests.operators import cookie_of, sign_in

pytestmark = pytest.mark.django_db(transaction=True)

IMPORT = "/operations/import/"
LIMIT_MB = 3
SAID = 2 << 30  # what the client says it will send in its one chunk
MOST = 64 * MiB  # what it really sends, should nobody stop it
PATIENCE_SECONDS = 60
NAMELESS = (b".", b"\xff\xfe.zip")  # of these nothing is left, and what has no name is no file


@pytest.fixture
def small_limit(transactional_db: None, web_home: Path) -> Iterator[Server]:
    """A web process that takes at most `LIMIT_MB` even from operators."""
    running = Server(web_home, environment={"DOPEORNOPE_UPLOAD_LIMIT_MB": str(LIMIT_MB)})
    running.start()
    yield running
    running.stop()


def is_answered(server: Server) -> bool:
    """Whether a visitor who comes now gets a page."""
    visitor = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_SECONDS)
    visitor.request("GET", "/leaderboard/")
    status = visitor.getresponse().status
    visitor.close()
    return status == 200


def assert_nothing_stays(folder: Path) -> None:
    """What a request brought is deleted when it has been answered, a moment after the answer."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while left := list(folder.iterdir()):
        assert time.monotonic() < deadline, left
        time.sleep(0.02)  # between two looks


def send_without_end(server: Server, path: str, cookie: str, lie: str) -> tuple[int, bytes]:
    """Send one chunk of 2 GB until the server has had enough: bytes that it took, and its answer."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\nTransfer-Encoding: chunked\r\n{lie}"
    )
    head += f"Content-Type: multipart/form-data; boundary=b\r\n\r\n{SAID:x}\r\n"
    start = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.zip"\r\n\r\n'
    sent, block = 0, bytes(64 * 1024)
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_SECONDS) as client:
        client.sendall(head.encode() + start)
        while sent < MOST and not select.select([client], [], [], 0)[0]:
            try:
                client.sendall(block)
            except (ConnectionResetError, BrokenPipeError):
                break
            if sent == 0:
                assert is_answered(server), "others are served while a body arrives"
            sent += len(block)
        try:
            return sent, client.recv(64)
        except ConnectionResetError:
            return sent, b""


@pytest.mark.parametrize(
    ("path", "role", "limit", "lie"),
    [
        ("/play/votes/", None, MiB, ""),
        ("/play/votes/", None, MiB, "Content-Length: 2\r\n"),
        (IMPORT, None, MiB, ""),
        (IMPORT, "operator", LIMIT_MB * MiB, ""),
        ("/search/demo/photos/", None, 11 * MiB, ""),
        ("/api/search/demo/", None, 11 * MiB, "Content-Length: 2\r\n"),
    ],
)
def test_19_a_body_of_two_gigabytes_without_a_length_is_cut_while_it_arrives(
    small_limit: Server, home: Path, path: str, role: str | None, limit: int, lie: str
) -> None:
    cookie = cookie_of(sign_in(role)) if role else ""
    peaks = [Peak(pid) for pid in small_limit.pids]
    sent, answer = send_without_end(small_limit, path, cookie, lie)
    # What lies in the buffers of both sockets was sent, but never read.
    assert sent < limit + 16 * MiB
    assert answer == b"" or answer.startswith((b"HTTP/1.1 413 ", b"HTTP/1.1 400 "))
    assert all(peak.growth() < 100 * MiB for peak in peaks)
    assert_nothing_stays(home / "uploads")
    assert is_answered(small_limit)


@pytest.mark.parametrize("path", ["/play/votes/", IMPORT])
def test_19_who_sends_too_much_in_one_go_hears_why(transactional_db: None, server: Server, path: str) -> None:
    # A connection cut under what is still being sent would end in a reset instead.
    sender = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_SECONDS)
    sender.request("POST", path, bytes(32 * MiB))
    answer = sender.getresponse()
    assert (answer.status, answer.getheader("Connection")) == (413, "close")
    assert b"at most 1 MB" in answer.read()
    sender.close()


def test_19_a_large_upload_that_is_allowed_does_not_lie_in_memory(
    transactional_db: None, server: Server, home: Path
) -> None:
    client = sign_in("operator")
    token = client.get(IMPORT).cookies[settings.CSRF_COOKIE_NAME].value
    fields = {"source": "upload", "title": "Large", "csrfmiddlewaretoken": token}
    start = b"".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    )
    start += b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.zip"\r\n\r\n'
    block, blocks, end = bytes(MiB), 160, b"\r\n--b--\r\n"
    peaks = [Peak(pid) for pid in server.pids]
    sender = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_SECONDS)
    headers = {
        "Host": "localhost",
        "Cookie": f"{cookie_of(client)}; {settings.CSRF_COOKIE_NAME}={token}",
        "Content-Type": "multipart/form-data; boundary=b",
        "Content-Length": str(len(start) + blocks * len(block) + len(end)),
    }
    sender.request("POST", IMPORT, (start, *[block] * blocks, end), headers)
    answer = sender.getresponse()
    assert answer.status == 422
    assert b"not a zip archive" in answer.read()
    assert all(peak.growth() < 100 * MiB for peak in peaks)
    assert_nothing_stays(home / "uploads")


@pytest.mark.parametrize(
    "name",
    [
        b"../../x.zip",
        b"/etc/x.zip",
        b"C:\\..\\..\\x.zip",
        b"nul\0.zip",
        b"x" * 300 + b".zip",
        "right \u202epiz.exe".encode(),
        *NAMELESS,
    ],
)
def test_20_the_name_of_an_upload_is_ignored(home: Path, tmp_path: Path, name: bytes) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as members:
        for number in range(2):
            members.writestr(f"{number}.png", picture(number))
    data = archive.getvalue()
    body = b'--b\r\nContent-Disposition: form-data; name="source"\r\n\r\nupload\r\n'
    body += b'--b\r\nContent-Disposition: form-data; name="title"\r\n\r\nPhotos\r\n'
    body += b'--b\r\nContent-Disposition: form-data; name="file"; filename="' + name + b'"\r\n'
    body += b"Content-Type: application/zip\r\n\r\n" + data + b"\r\n--b--\r\n"
    before = set(tmp_path.rglob("*"))
    client = sign_in("operator")
    answer = client.generic("POST", IMPORT, body, "multipart/form-data; boundary=b")
    kept = home / "uploads" / f"{hashlib.sha256(data).hexdigest()}.zip"
    if answer.status_code == 422:
        assert name in NAMELESS and not Catalogue.objects.exists()
        kept = home / "uploads"
    else:
        assert Catalogue.objects.get().source == str(kept)
    new = {path for path in tmp_path.rglob("*") if path.is_file() or path == kept} - before
    assert {path for path in new if "broker" not in path.parts} <= {kept}
