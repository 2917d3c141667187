"""The running site."""

import socket
import threading
from dataclasses import dataclass

import uvicorn
from asgiref.sync import SyncToAsync
from django.db import connections

from tests.waiting import wait_until


@dataclass(frozen=True)
class Site:
    """The running site: its address, and what nobody may read in a page before a round ends."""

    url: str
    secrets: tuple[str, ...]


class Serving:
    """uvicorn in a thread of this process: tests and server share one database and one set of settings."""

    def __enter__(self) -> str:
        from dopeornope.asgi import application  # after the settings above: WhiteNoise reads them once

        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(application, log_level="warning", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([listener],), daemon=True)
        self._thread.start()
        wait_until(lambda: self._server.started)
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    def __exit__(self, *error: object) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=10)
        # The thread that ran Django's synchronous code: an open connection would leave a write-ahead log
        # behind, which the next run would take for its own.
        SyncToAsync.single_thread_executor.submit(connections.close_all).result(timeout=10)
