"""Many pictures normalised by a few bounded processes: one that eats memory, hangs or crashes its decoder
costs only itself.

The processes are started afresh with this module as their program (never forked), so they hold numpy, Pillow
and nothing of their parent, whatever that has loaded. They speak a length-prefixed protocol over their pipes:
no pickle, so a decoder that was taken over can only return a wrong picture, and wrong places of things on it.
"""

import contextlib
import hashlib
import io
import json
import math
import os
import queue
import resource
import signal
import struct
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import astuple, dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Generic, TypeVar

from PIL import Image

from search.engine.colours import COLOURS
from search.engine.errors import ImageRejected
from search.engine.images import STORED_SIDE, Box, NormalisedImage, normalise
from search.engine.regions import Region, propose_regions

Key = TypeVar("Key")

MEMORY_BUDGET = 1 << 30  # bytes of address space: 40 million pixels in RGBA twice, the libraries, and some
SECONDS_PER_IMAGE = 30.0
# What a decoder of strangers' pictures is told of its parent's environment: no secret is in these.
INHERITED = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TMPDIR")
NO_PICTURE = "What the decoder made of it is no picture. Save it again with another program."
# What reading an answer raises that is not as `serve` writes it: of a decoder that was taken over.
UNEXPECTED = (ValueError, TypeError, AttributeError, KeyError, OverflowError, RecursionError)
_LENGTH = struct.Struct("<Q")
_PACKAGE_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Outcome(Generic[Key]):
    """What became of one picture: `image`, or why it was rejected."""

    key: Key
    image: NormalisedImage | None
    rejection: ImageRejected | None


class Normaliser:
    """A context manager around a pool of bounded processes.

    `workers` processes (default: the cores, at most 2) of at most `memory` bytes of address space each; a
    picture gets `seconds`. A picture that exceeds a budget is rejected (out-of-memory, too-slow, crashed) and
    its process replaced. One whose process was killed is tried once more: that may have been somebody else's
    doing.
    """

    def __init__(
        self, *, workers: int | None = None, memory: int = MEMORY_BUDGET, seconds: float = SECONDS_PER_IMAGE
    ) -> None:
        self._count = workers or min(2, len(os.sched_getaffinity(0)))
        self._memory, self._seconds = memory, seconds
        self._idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        self._threads: ThreadPoolExecutor | None = None

    def __enter__(self) -> "Normaliser":
        self._threads = ThreadPoolExecutor(self._count, thread_name_prefix="normaliser")
        for _ in range(self._count):
            self._idle.put(_Worker(self._memory, self._seconds))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._threads is not None:
            self._threads.shutdown(wait=True, cancel_futures=True)
            self._threads = None
        while not self._idle.empty():
            self._idle.get().close()

    def normalise(self, source: bytes, *, box: Box | None = None) -> NormalisedImage:
        """`images.normalise` in a bounded process. Raises ImageRejected."""
        return self._ask(source, box, 0)[0]

    def look_at(self, source: bytes, *, limit: int) -> tuple[NormalisedImage, list[Region]]:
        """`normalise`, and at most ``limit`` regions of what is stored (`regions.propose_regions`).

        In the bounded process as well, so that the caller's has time for others. Raises ImageRejected.
        """
        return self._ask(source, None, limit)

    def map(
        self, pictures: Iterable[tuple[Key, bytes | Callable[[], bytes], Box | None]]
    ) -> Iterator[Outcome[Key]]:
        """Outcomes in the order of (key, bytes or a function that reads them, box).

        Pictures are read in the caller's thread, a few ahead of the one returned, so memory does not grow
        with their number. An OSError while reading one rejects that one (unreadable).
        """
        if self._threads is None:
            raise RuntimeError("Use the Normaliser as a context manager: with Normaliser() as normaliser.")
        waiting: deque[tuple[Key, Future[NormalisedImage]]] = deque()
        try:
            for key, source, box in pictures:
                waiting.append((key, self._submit(source, box)))
                if len(waiting) > 2 * self._count:
                    yield _outcome(*waiting.popleft())
            while waiting:
                yield _outcome(*waiting.popleft())
        finally:
            for _, future in waiting:
                future.cancel()

    def _ask(self, source: bytes, box: Box | None, limit: int) -> tuple[NormalisedImage, list[Region]]:
        worker = self._idle.get()
        try:
            return worker.ask(source, box, limit)
        except _Killed:
            return worker.ask(source, box, limit)
        finally:
            self._idle.put(worker)

    def _submit(self, source: bytes | Callable[[], bytes], box: Box | None) -> "Future[NormalisedImage]":
        assert self._threads is not None
        try:
            data = source if isinstance(source, bytes) else source()
        except (ImageRejected, OSError) as error:
            failed: Future[NormalisedImage] = Future()
            failed.set_exception(error)
            return failed
        return self._threads.submit(self.normalise, data, box=box)


def _outcome(key: Key, future: "Future[NormalisedImage]") -> Outcome[Key]:
    try:
        return Outcome(key, future.result(), None)
    except ImageRejected as rejection:
        return Outcome(key, None, rejection)
    except OSError as error:
        reason = error.strerror or str(error)
        message = f"The file could not be read: {reason}. Check that it exists and may be read."
        return Outcome(key, None, ImageRejected("unreadable", message))


class _Killed(ImageRejected):
    """The process was killed while it decoded the picture."""


class _Worker:
    """One process; started when first needed and again after it died."""

    def __init__(self, memory: int, seconds: float) -> None:
        self._memory, self._seconds = memory, seconds
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, source: bytes, box: Box | None, limit: int) -> tuple[NormalisedImage, list[Region]]:
        process = self._started()
        assert process.stdin is not None and process.stdout is not None
        late = threading.Event()

        def stop() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(self._seconds, stop)
        timer.start()
        try:
            _send(process.stdin, json.dumps({"box": box, "limit": limit}).encode(), source)
            told, data = _receive(process.stdout), _receive(process.stdout)
        except (EOFError, OSError, OverflowError, MemoryError) as error:
            raise self._explain(self._bury(), late.is_set()) from error
        finally:
            timer.cancel()
        try:
            return _read_answer(told, data, limit)
        except UNEXPECTED as error:
            self._bury()
            raise ImageRejected("crashed", NO_PICTURE) from error

    def close(self) -> None:
        if self._process is not None:
            with contextlib.suppress(OSError):
                self._process.communicate()  # closes its input, which ends it, and waits
            self._process = None

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            # One thread: more would only reserve address space in each process.
            settings = {"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(_PACKAGE_ROOT)}
            inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
            self._process = subprocess.Popen(
                [sys.executable, "-m", "search.engine.normaliser", str(self._memory)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**inherited, **settings},
            )
        return self._process

    def _bury(self) -> int:
        """Clear the process away, dead or not; its exit status."""
        assert self._process is not None
        self._process.kill()
        self._process.communicate()
        status, self._process = self._process.returncode, None
        return status

    def _explain(self, status: int, late: bool) -> ImageRejected:
        """Of what a process died."""
        if late:
            return ImageRejected(
                "too-slow", f"Decoding it took longer than {self._seconds:g} seconds. Save it again, smaller."
            )
        if status == -signal.SIGKILL:  # nobody here sent it: the system was out of memory, or somebody else
            return _Killed("out-of-memory", "Decoding it exhausted the memory. Save it smaller.")
        return ImageRejected(
            "crashed", f"The decoder crashed on it (status {status}). Save it again with another program."
        )


def _read_answer(told: bytes, data: bytes, limit: int) -> tuple[NormalisedImage, list[Region]]:
    """Raises ImageRejected where that was answered, and `UNEXPECTED` for what `serve` never answers."""
    answer = json.loads(told)
    if "code" in answer:
        raise ImageRejected(str(answer["code"]), str(answer["message"]))
    regions = [_read_region(numbers) for numbers in answer.pop("regions")[:limit]]
    image = NormalisedImage(data=data, **answer)
    right = image.sha256 == hashlib.sha256(data).hexdigest() and image.colour in COLOURS
    right &= all(0 < side <= STORED_SIDE for side in (image.width, image.height))
    if not (right and 0 <= image.perceptual_hash < 1 << 64):
        raise ValueError("This picture has other facts.")
    return image, regions


def _read_region(numbers: list[float]) -> Region:
    """Raises ValueError for what is no place on a picture."""
    left, top, width, height, score = map(float, numbers)
    if not all(0 <= side <= 1 for side in (left, top, width, height)) or not math.isfinite(score):
        raise ValueError("A region is four sides in fractions of the picture, and a score.")
    return Region(left, top, width, height, score)


def _send(pipe: IO[bytes], *parts: bytes) -> None:
    for part in parts:
        pipe.write(_LENGTH.pack(len(part)))
        pipe.write(part)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> bytes:
    """One length-prefixed part; EOFError when the other side has gone."""
    prefix = pipe.read(_LENGTH.size)
    if len(prefix) < _LENGTH.size:
        raise EOFError
    (length,) = _LENGTH.unpack(prefix)
    part = pipe.read(length)
    if len(part) < length:
        raise EOFError
    return part


def serve(requests: IO[bytes], answers: IO[bytes], memory: int) -> None:
    """The process's side: limit itself, then answer until its input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while True:
        try:
            asked = json.loads(_receive(requests))
            source = _receive(requests)
        except EOFError:
            return
        try:
            image = normalise(source, box=None if asked["box"] is None else tuple(asked["box"]))
            regions = _propose(image, asked["limit"]) if asked["limit"] else []
        except ImageRejected as rejection:
            _send(answers, json.dumps({"code": rejection.code, "message": rejection.message}).encode(), b"")
            continue
        facts = {name: value for name, value in vars(image).items() if name != "data"}
        facts["regions"] = [astuple(region) for region in regions]
        _send(answers, json.dumps(facts).encode(), image.data)


def _propose(image: NormalisedImage, limit: int) -> list[Region]:
    with Image.open(io.BytesIO(image.data), formats=["WEBP"]) as picture:  # ours, whatever came
        return propose_regions(picture.convert("RGB"), limit=limit)


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer, int(sys.argv[1]))
