"""The broker of the embedded mode: kombu's filesystem transport, made safe against kills at any moment.

kombu 5.7 writes a message under its final name and locks it afterwards, so a reader may take an empty file,
and the worker dies of it; it binds queues in a file with the same race. Here a message appears under its name
when it is whole, an unreadable one is dropped (the sweeper sends the hint again), and nothing is bound: hints
are sent to a queue by its name, through the default exchange.
"""

import os
import time
import uuid
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.exceptions import ChannelError
from kombu.transport import filesystem
from kombu.utils.json import dumps, loads

from search.engine.errors import DiskFull
from search.engine.files import write_file


class Channel(filesystem.Channel):
    """One folder of messages: `TIME_UUID.QUEUE.msg`, oldest first."""

    supports_fanout = False

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._folder.mkdir(parents=True, exist_ok=True)

    @property
    def _folder(self) -> Path:
        return Path(self.transport_options["data_folder_in"])

    def get_table(self, exchange: str) -> list[Any]:
        return []

    def _queue_bind(
        self, exchange: str, routing_key: str | None, pattern: str | None, queue: str | None
    ) -> None:
        pass

    def _delete(self, queue: str, *arguments: Any, **options: Any) -> None:
        self._purge(queue)

    def _put(self, queue: str, payload: Any, **options: Any) -> None:  # type: ignore[override]
        # The two classes above disagree on the second name, hence the exemption.
        path = self._folder / f"{time.time_ns():020}_{uuid.uuid4().hex}.{queue}.msg"
        try:
            write_file(path, dumps(payload).encode())
        except (OSError, DiskFull) as error:
            raise ChannelError(f"No message could be put into {self._folder}: {error}") from error

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        for path in sorted(self._folder.glob(f"*.{queue}.msg")):
            taken = path.with_suffix(f".{os.getpid()}.taken")
            try:
                path.rename(taken)  # Of several readers one succeeds.
                message = taken.read_bytes()
                taken.unlink()
            except FileNotFoundError:
                continue
            try:
                return loads(message)
            except ValueError:
                continue
        raise Empty


class Transport(filesystem.Transport):
    Channel = Channel


def remove_leftovers(folder: Path, *, older_than: float) -> int:
    """Delete what killed readers and writers left before ``older_than`` (seconds since 1970); how many."""
    removed = 0
    for path in [*folder.glob(".*.partial"), *folder.glob("*.taken")]:
        try:
            if path.stat().st_mtime < older_than:
                path.unlink()
                removed += 1
        except FileNotFoundError:
            continue
    return removed
