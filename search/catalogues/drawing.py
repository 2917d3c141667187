"""Wardrobe views drawn ahead of time by a few processes, since drawing is all computing.

The processes are started afresh with this module as their program. They read "seed number" lines and answer
with the two views, each as a length and a BMP file. They end when their input ends, so none outlives whoever
started it, however that ended.
"""

import contextlib
import io
import os
import queue
import signal
import struct
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import IO, TypeAlias

from search.catalogues.wardrobe import draw_item

Views: TypeAlias = tuple[bytes, bytes]  # catalogue view and lifestyle view, BMP files
_LENGTH = struct.Struct("<Q")
_PACKAGE_ROOT = Path(__file__).resolve().parents[2]


def draw_views(seed: int, number: int) -> Views:
    """Both views of one item, drawn here and now."""
    drawing = draw_item(seed, number)
    views = []
    for picture in (drawing.catalogue_view(), drawing.lifestyle_view()):
        buffer = io.BytesIO()
        picture.save(buffer, "BMP")  # lossless and fast; what is stored is encoded elsewhere
        views.append(buffer.getvalue())
    return views[0], views[1]


def draw_ahead(
    seed: int, numbers: Iterable[int], *, workers: int | None = None
) -> Iterator[tuple[int, Views]]:
    """(number, views) in the order of the numbers, a few drawn ahead of the one returned.

    `workers` processes (default: the cores, at most 2) draw. Raises OSError when one of them dies.
    """
    count = workers or min(2, len(os.sched_getaffinity(0)))
    with contextlib.ExitStack() as stack:
        idle: queue.SimpleQueue[subprocess.Popen[bytes]] = queue.SimpleQueue()
        for _ in range(count):
            process = _start()
            stack.callback(_end, process)
            idle.put(process)
        threads = stack.enter_context(ThreadPoolExecutor(count, thread_name_prefix="drawing"))
        waiting: deque[tuple[int, Future[Views]]] = deque()
        stack.callback(lambda: [future.cancel() for _, future in waiting])
        for number in numbers:
            waiting.append((number, threads.submit(_ask, idle, seed, number)))
            if len(waiting) > 2 * count:
                first, future = waiting.popleft()
                yield first, future.result()
        while waiting:
            first, future = waiting.popleft()
            yield first, future.result()


def _start() -> "subprocess.Popen[bytes]":
    settings = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(_PACKAGE_ROOT)}
    return subprocess.Popen(
        [sys.executable, "-m", "search.catalogues.drawing"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, **settings},
    )


def _end(process: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(OSError):
        process.communicate()  # closes its input, which ends it, and waits


def _ask(idle: "queue.SimpleQueue[subprocess.Popen[bytes]]", seed: int, number: int) -> Views:
    process = idle.get()
    try:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(f"{seed} {number}\n".encode())
        process.stdin.flush()
        return _receive(process.stdout), _receive(process.stdout)
    finally:
        idle.put(process)


def _receive(pipe: IO[bytes]) -> bytes:
    prefix = pipe.read(_LENGTH.size)
    if len(prefix) == _LENGTH.size:
        (length,) = _LENGTH.unpack(prefix)
        view = pipe.read(length)
        if len(view) == length:
            return view
    raise OSError("a drawing process ended early")


def serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """The process's side: answer until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    for line in requests:
        seed, number = line.split()
        for view in draw_views(int(seed), int(number)):
            answers.write(_LENGTH.pack(len(view)))
            answers.write(view)
        answers.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
