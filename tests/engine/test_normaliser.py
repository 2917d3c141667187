"""The pool of bounded processes: one bad picture costs only itself."""

import contextlib
import fcntl
import io
import json
import os
import signal
import sys
import termios
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from search.engine.errors import ImageRejected
from search.engine.images import normalise
from search.engine.normaliser import Normaliser
from search.engine.regions import propose_regions
from tests.engine.pictures import animation, bomb, encode, moving_webp, plain
from tests.memory import MiB, Peak

RED = encode(plain())


def children() -> set[int]:
    """Processes that this one started and that still run."""
    found: set[int] = set()
    for thread in Path("/proc/self/task").iterdir():
        with contextlib.suppress(FileNotFoundError):  # a thread that has just ended
            found |= {int(pid) for pid in (thread / "children").read_text().split()}
    return found


def await_request(pid: int) -> None:
    """Return when a stopped process has something unread on its standard input."""
    pipe = os.open(f"/proc/{pid}/fd/0", os.O_RDONLY | os.O_NONBLOCK)
    unread = bytearray(4)
    while not any(unread):
        os.sched_yield()
        fcntl.ioctl(pipe, termios.FIONREAD, unread)
    os.close(pipe)


@pytest.fixture
def before() -> set[int]:
    return children()


def test_outcomes_come_in_order_with_the_same_bytes_as_in_this_process() -> None:
    sizes = range(20, 60)
    pictures = [(size, encode(plain(size=(size, size))), None) for size in sizes]
    with Normaliser(workers=2) as normaliser:
        outcomes = list(normaliser.map(pictures))
    assert [outcome.key for outcome in outcomes] == list(sizes)
    assert [outcome.image for outcome in outcomes] == [normalise(data) for _, data, _ in pictures]


def test_places_of_things_are_those_of_what_is_stored() -> None:
    picture = Image.new("RGB", (300, 200), (222, 216, 200))
    ImageDraw.Draw(picture).rectangle((60, 40, 180, 160), (20, 60, 120))
    with Normaliser(workers=1) as normaliser:
        image, regions = normaliser.look_at(encode(picture), limit=3)
        nothing = normaliser.look_at(RED, limit=3)
    assert image == normalise(encode(picture))
    with Image.open(io.BytesIO(image.data)) as stored:
        assert regions == propose_regions(stored.convert("RGB"), limit=3) != []
    assert nothing == (normalise(RED), []), "of one colour"


def test_rejections_and_unreadable_files_stand_between_good_ones(tmp_path: Path) -> None:
    def read_missing() -> bytes:
        return (tmp_path / "missing.jpg").read_bytes()

    def refuse() -> bytes:
        raise ImageRejected("unsafe-path", "It lies outside the folder.")

    pictures = [
        ("good", RED, None),
        ("empty", b"", None),
        ("bomb", bomb(), None),
        ("missing", read_missing, None),
        ("refused", refuse, None),
        ("box", RED, (500.0, 0.0, 600.0, 9.0)),
        ("last", lambda: RED, (0.0, 0.0, 9.5, 9.0)),
    ]
    with Normaliser(workers=2) as normaliser:
        codes = {
            outcome.key: outcome.rejection.code if outcome.rejection else None
            for outcome in normaliser.map(pictures)
        }
    assert codes == {
        "good": None,
        "empty": "empty",
        "bomb": "too-large",
        "missing": "unreadable",
        "refused": "unsafe-path",
        "box": "bad-box",
        "last": None,
    }


def test_a_picture_that_exceeds_the_memory_budget_is_rejected_alone() -> None:
    # 6000 x 6000 in RGBA needs 144 MB for the pixels alone.
    large = encode(plain((1, 2, 3, 9), size=(6000, 6000), mode="RGBA"), compress_level=1)
    with Normaliser(workers=1, memory=250 << 20) as normaliser:
        first, second, third = normaliser.map([(1, RED, None), (2, large, None), (3, RED, None)])
    assert first.image and third.image
    assert second.rejection and second.rejection.code == "out-of-memory"
    assert "Save it smaller" in second.rejection.message


def rejections_of(sources: list[bytes], before: set[int]) -> list[str]:
    """How one decoder rejects them, which must not grow by 100 MB over it; neither must this process."""
    codes = []
    with Normaliser(workers=1) as normaliser:
        normaliser.normalise(RED)
        (decoder,) = children() - before
        peaks = [Peak(decoder), Peak(os.getpid())]
        for source in sources:
            with pytest.raises(ImageRejected) as caught:
                normaliser.normalise(source)
            codes.append(caught.value.code)
        assert children() - before == {decoder}, "it was the same process throughout"
        assert all(peak.growth() < 100 * MiB for peak in peaks)
    return codes


def test_14_pictures_of_too_many_pixels_take_no_memory(before: set[int]) -> None:
    sources = [
        bomb(),
        bomb(7000),
        *(encode(plain(1, (13_300, 13_300), "1"), form) for form in ("TIFF", "GIF")),
    ]
    assert all(len(source) < 50_000 for source in sources[:2])
    assert rejections_of(sources, before) == ["too-large"] * 4


def test_15_the_pixels_of_all_frames_are_counted_and_take_no_memory(before: set[int]) -> None:
    sources = [animation(10_000), animation(900, side=300), moving_webp(1001), moving_webp(20, side=1500)]
    assert rejections_of(sources, before) == ["animated-too-large"] * 4


def test_a_picture_that_takes_too_long_is_rejected_alone() -> None:
    slow = encode(plain(size=(6000, 6000)), compress_level=1)
    with Normaliser(workers=1, seconds=0.02) as normaliser:
        (outcome,) = normaliser.map([("slow", slow, None)])
    assert outcome.rejection and outcome.rejection.code == "too-slow"


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGSEGV, "crashed"), (signal.SIGKILL, None)])
def test_31_a_decoder_that_dies_costs_one_picture_and_one_that_is_killed_none(
    before: set[int], sent: signal.Signals, code: str | None
) -> None:
    with Normaliser(workers=1) as normaliser:
        assert normaliser.normalise(RED)
        (worker,) = children() - before

        def pictures() -> Iterator[tuple[str, bytes, None]]:
            os.kill(worker, signal.SIGSTOP)
            yield "struck", RED, None
            await_request(worker)
            os.kill(worker, sent)
            if sent != signal.SIGKILL:  # which does not wait for a stopped process
                os.kill(worker, signal.SIGCONT)
            yield "last", RED, None

        struck, last = normaliser.map(pictures())
    assert (struck.rejection.code if struck.rejection else None) == code
    assert last.image


def test_a_picture_whose_every_process_is_killed_is_rejected(before: set[int]) -> None:
    ended = threading.Event()

    def kill() -> None:
        while not ended.is_set():
            for pid in children() - before:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        with Normaliser(workers=1) as normaliser:
            (outcome,) = normaliser.map([("picture", RED, None)])
    finally:
        ended.set()
        killer.join()
    assert outcome.rejection and outcome.rejection.code == "out-of-memory"


def answer_as_if_taken_over(folder: Path, *parts: bytes) -> str:
    """A program that answers whatever it is asked with these parts."""
    program, answer = folder / "decoder", folder / "answer"
    answer.write_bytes(b"".join(len(part).to_bytes(8, "little") + part for part in parts))
    program.write_text(f"#!/bin/sh\ncat {answer}\nexec cat > /dev/null\n")
    program.chmod(0o700)
    return str(program)


FACTS = {name: value for name, value in vars(normalise(RED)).items() if name != "data"} | {"regions": []}


@pytest.mark.parametrize(
    "told",
    [
        b"{",
        b"[" * 100_000,
        b"7",
        b"[]",
        b"{}",
        json.dumps({"code": "crashed"}).encode(),
        json.dumps(FACTS | {"data": "twice"}).encode(),
        json.dumps(FACTS | {"width": "wide"}).encode(),
        json.dumps(FACTS | {"width": 10**9}).encode(),
        json.dumps(FACTS | {"perceptual_hash": 1 << 64}).encode(),
        json.dumps(FACTS | {"sha256": "../../secret-key"}).encode(),
        json.dumps(FACTS | {"colour": {}}).encode(),
        json.dumps(FACTS | {"regions": 7}).encode(),
        json.dumps(FACTS | {"regions": [7]}).encode(),
        json.dumps(FACTS | {"regions": [[0, 0, 1, 1]]}).encode(),
        json.dumps(FACTS | {"regions": [[0, 0, 1, 10**400, 1]]}).encode(),
        json.dumps(FACTS | {"regions": [[0, 0, 1, 1.5, 1]]}).encode(),
        json.dumps(FACTS | {"regions": [[-0.5, 0, 1, 1, 1]]}).encode(),
        json.dumps(FACTS | {"regions": [[0, 0, 1, 1, float("nan")]]}).encode(),
    ],
)
def test_what_a_decoder_answers_that_is_no_picture_rejects_that_one_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: bytes
) -> None:
    with Normaliser(workers=1) as normaliser:
        with monkeypatch.context() as patch:
            patch.setattr(sys, "executable", answer_as_if_taken_over(tmp_path, told, normalise(RED).data))
            with pytest.raises(ImageRejected, match="no picture") as caught:
                normaliser.look_at(RED, limit=6)
        assert caught.value.code == "crashed"
        assert normaliser.normalise(RED) == normalise(RED)


def test_pictures_are_read_only_a_few_ahead() -> None:
    read = 0

    def pictures() -> Iterator[tuple[int, bytes, None]]:
        nonlocal read
        for number in range(10_000):
            read += 1
            yield number, RED, None

    with Normaliser(workers=2) as normaliser:
        outcomes = normaliser.map(pictures())
        for _ in range(5):
            next(outcomes)
        assert read <= 5 + 2 * 2 + 1
        del outcomes


def test_no_process_is_left_behind(before: set[int]) -> None:
    with Normaliser(workers=2) as normaliser:
        list(normaliser.map([(number, RED, None) for number in range(8)]))
        assert len(children() - before) >= 1
    assert children() <= before


def test_it_says_how_it_wants_to_be_used() -> None:
    with pytest.raises(RuntimeError, match="with Normaliser"):
        next(Normaliser().map([(1, RED, None)]))


def test_a_decoder_is_told_no_secret_of_its_parent(before: set[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOPEORNOPE_SECRET_KEY", "never to be told")
    with Normaliser(workers=1) as normaliser:
        normaliser.normalise(RED)
        [pid] = children() - before
        environment = Path(f"/proc/{pid}/environ").read_bytes()
    assert b"OPENBLAS_NUM_THREADS=1" in environment
    assert b"never to be told" not in environment and b"DOPEORNOPE" not in environment
