"""A receiver of webhooks on this machine, over TLS, in the name of hooks.example."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from search.services.posting import Address, post

# Made for these tests, trusted by nobody, good for a hundred years; its key opens nothing else.
PEM = Path(__file__).parent / "hooks_example.pem"
HERE = ip_address("127.0.0.1")
Answer = Callable[["Request"], None]


class Request(BaseHTTPRequestHandler):
    server: "Receiver"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, dict(self.headers), body))
        self.server.answer(self)

    def log_message(self, *_: Any) -> None:
        pass


class Receiver(ThreadingHTTPServer):
    """``answer`` says what it does with a request; ``gone`` is set at its end."""

    daemon_threads = True

    def __init__(self, answer: Answer) -> None:
        super().__init__((str(HERE), 0), Request)
        self.answer, self.gone = answer, threading.Event()
        self.received: list[tuple[str, dict[str, str], bytes]] = []
        self.names: list[str | None] = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(PEM)
        context.sni_callback = lambda sock, name, context: self.names.append(name)
        self.socket = context.wrap_socket(self.socket, server_side=True)

    @property
    def url(self) -> str:
        return f"https://hooks.example:{self.server_address[1]}/in?from=us"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who hangs up on it, as we do, is no error."""


@contextmanager
def receive(answer: Answer) -> Iterator[Receiver]:
    receiver = Receiver(answer)
    thread = threading.Thread(target=receiver.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield receiver
    receiver.gone.set()
    receiver.shutdown()
    receiver.server_close()


def is_here(address: Address) -> bool:
    return address == HERE


def post_here(url: str, *, permits: Callable[[Address], bool] = is_here, **how: Any) -> int:
    """`post`, for which hooks.example is this machine; that is permitted, and its certificate trusted."""
    trust = ssl.create_default_context(cafile=PEM)
    usual = {"headers": {}, "body": b"{}", "within_s": 20, "look_up": lambda host, port: [HERE]}
    return post(url, permits=permits, context=trust, **{**usual, **how})
