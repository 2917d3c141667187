"""The shipped configuration of nginx, in a real nginx, before real web processes."""

import getpass
import http.client
import json
import re
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from dopeornope.observation import REQUEST_ID
from tests import requirements
from tests.faults.players import Browser
from tests.faults.ports import free_port
from tests.faults.servers import Server
from tests.requirements import answers
from tests.waiting import wait_until

SHIPPED = Path(__file__).parents[2] / "deploy" / "nginx"
# What the image's own nginx.conf does around the shipped files, below a folder of the test.
FRAME = """
user {user};
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/shared.conf;
    include {folder}/{way}.conf;
    upstream web {{ server 127.0.0.1:{upstream}; keepalive 32; }}
}}
"""


class Proxy:
    """Where the site is reached: a server for browsers and tests alike."""

    def __init__(self, way: str = "plain") -> None:
        self.port = free_port()  # plain HTTP
        self.tls_port = free_port()
        self._way = way

    @contextmanager
    def running(self, folder: Path, upstream: int) -> Iterator["Proxy"]:
        nginx = requirements.find_program(
            "nginx", "install it (Debian: apt install nginx-light)", "/usr/sbin"
        )
        (folder / "cache").mkdir(parents=True)
        (folder / "nginx.conf").write_text(
            FRAME.format(user=getpass.getuser(), folder=folder, upstream=upstream, way=self._way)
        )
        here = {
            "/var/cache/nginx/files": f"{folder}/cache",
            "/etc/nginx/game": str(folder),
            "/etc/nginx/certificates": str(folder),
            "listen 80;": f"listen 127.0.0.1:{self.port};",
            "listen 443 ": f"listen 127.0.0.1:{self.tls_port} ",
        }
        for name in ("shared.conf", f"{self._way}.conf", "game.conf"):
            text = (SHIPPED / name).read_text()
            for shipped, ours in here.items():
                text = text.replace(shipped, ours)
            (folder / name).write_text(text)
        process = subprocess.Popen([nginx, "-p", str(folder), "-c", str(folder / "nginx.conf")])
        try:
            wait_until(lambda: process.poll() is not None or answers("127.0.0.1", self.port))
            assert process.poll() is None, (folder / "error.log").read_text()
            yield self
        finally:
            process.terminate()
            process.wait(20)


@pytest.fixture
def proxy(server: Server, tmp_path: Path) -> Iterator[Proxy]:
    with Proxy().running(tmp_path / "nginx", server.port) as running:
        yield running


def test_the_game_is_played_through_the_proxy(proxy: Proxy) -> None:
    browser = Browser(proxy)
    with browser.watch("leaderboard") as page:
        before = json.loads(page.recv(timeout=30))["revision"]
        [deal] = browser.deal(1)
        assert browser.vote(deal["id"])[0] == 200
        assert json.loads(page.recv(timeout=30))["revision"] > before
        image = browser.ask(deal["question"]["image"])
    assert image[0] == 200
    assert "immutable" in image[1]["Cache-Control"]


def test_files_are_answered_by_the_proxy_alone_once_it_has_them(proxy: Proxy, server: Server) -> None:
    style = re.search(r"/static/css/base[^\"]*", Browser(proxy).get("/").decode())
    assert style
    first = send(proxy, "GET", style[0])
    server.kill()
    again, other = send(proxy, "GET", style[0]), send(proxy, "GET", "/")
    assert (first.status, again.status, again.body) == (200, 200, first.body)
    assert other.status == 502
    ids = [answer.headers["x-request-id"] for answer in (first, again, other)]
    assert len(set(ids)) == 3


def test_bodies_too_large_and_figures_end_at_the_proxy(proxy: Proxy) -> None:
    large = b"0" * (2 * 1024 * 1024)
    assert send(proxy, "POST", "/play/deals/", large).status == 413
    # The form for archives is open to large bodies, but the site refuses those of visitors.
    assert send(proxy, "POST", "/operations/import/", large).status == 413
    assert send(proxy, "GET", "/metrics").status == 404


def test_what_visitors_claim_about_themselves_is_thrown_away(tmp_path: Path) -> None:
    (tmp_path / "echo").mkdir()
    claimed = {
        "X-Forwarded-For": "192.0.2.1",
        "X-Forwarded-Proto": "https",
        "X-Request-Id": "chosen-by-a-visitor",
    }
    with (
        Server(tmp_path / "echo", module="tests.faults.echo") as echo,
        Proxy().running(tmp_path / "nginx", echo.port) as proxy,
    ):
        for path in ("/", "/ws/live/", "/operations/import/", "/static/x"):
            arrived = json.loads(send(proxy, "GET", path, headers=claimed).body)
            said = [value for name, value in arrived if name == "x-forwarded-for"]
            assert (path, said) == (path, ["127.0.0.1"])
            assert ["x-forwarded-proto", "http"] in arrived
            [request_id] = [value for name, value in arrived if name == "x-request-id"]
            assert REQUEST_ID.fullmatch(request_id.encode())
            assert request_id != claimed["X-Request-Id"]
            assert ["host", f"127.0.0.1:{proxy.port}"] in arrived


def test_with_a_certificate_all_is_asked_for_over_tls(tmp_path: Path) -> None:
    (tmp_path / "echo").mkdir()
    folder = tmp_path / "nginx"
    folder.mkdir()
    make_certificate(folder)
    proxy = Proxy("tls")
    with (
        Server(tmp_path / "echo", module="tests.faults.echo") as echo,
        proxy.running(folder, echo.port),
    ):
        assert send(proxy, "GET", "/play/").status == 301
        client = http.client.HTTPSConnection(
            "localhost",
            proxy.tls_port,
            timeout=60,
            context=ssl.create_default_context(cafile=str(folder / "fullchain.pem")),
        )
        with closing(client):
            client.request("GET", "/")
            assert ["x-forwarded-proto", "https"] in json.loads(client.getresponse().read())


def make_certificate(folder: Path) -> None:
    """A certificate and its key for localhost, as deploy/certificates/ holds them for a real name."""
    openssl = requirements.find_program("openssl", "install it (Debian: apt install openssl)")
    key = ["-newkey", "rsa:2048", "-nodes", "-keyout", str(folder / "privkey.pem")]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command = [openssl, "req", "-x509", *key, *names, "-out", str(folder / "fullchain.pem"), "-days", "2"]
    subprocess.run(command, check=True, capture_output=True)


class Reply(NamedTuple):
    status: int
    headers: dict[str, str]  # names in lower case
    body: bytes


def send(
    proxy: Proxy, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> Reply:
    client = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=60)
    with closing(client):
        client.request(method, path, body=body or None, headers=headers or {})
        response = client.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, found, response.read())
