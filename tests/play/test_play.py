"""The real `play` command, started, stopped and killed as people and machines do it."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from tests.faults.ports import free_port
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 100.0

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two kinds of pictures."""
    folder = tmp_path_factory.mktemp("source") / "photos"
    for number in range(24):
        kind = "round" if number % 2 else "square"
        picture = Image.new("RGB", (96, 96), "white")
        draw = ImageDraw.Draw(picture)
        shape = draw.ellipse if number % 2 else draw.rectangle
        shape((10 + number, 10, 80, 80), fill=(number * 10, 255 - number * 9, (number * 37) % 256))
        (folder / kind).mkdir(parents=True, exist_ok=True)
        picture.save(folder / kind / f"{number:02d}.png")
    return folder


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """HOME of all starts of this module, one after the other."""
    return tmp_path_factory.mktemp("house")


class Play:
    """A running `play` and what it printed."""

    def __init__(self, house: Path, *options: object, **variables: str) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("DOPEORNOPE_")}
        self.port = free_port()
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "play", "--port", str(self.port), *map(str, options)],
            cwd=ROOT,
            env={**clean, "DOPEORNOPE_HOME": str(house), "PYTHONUNBUFFERED": "1", **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self._news = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._news:
                self.lines.append(line)
                self._news.notify_all()
        with self._news:
            self.lines.append("")
            self._news.notify_all()

    @property
    def output(self) -> str:
        return "".join(self.lines)

    def wait_for(self, pattern: str) -> str:
        """Wait until a line matches and return its first group."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        with self._news:
            while not (found := re.search(pattern, self.output)):
                assert self.lines[-1:] != [""], f"it ended without {pattern!r}:\n{self.output}"
                assert self._news.wait(deadline - time.monotonic()), f"no {pattern!r} in:\n{self.output}"
        return found.group(1) if found.groups() else found.group(0)

    def children(self) -> list[int]:
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in listed.split()]

    def end(self) -> int:
        return self.process.wait(30)


def wait_until_gone(pids: list[int]) -> None:
    wait_until(lambda: all(is_zombie(pid) for pid in pids))


def is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.fixture
def started() -> Iterator[list[Play]]:
    plays: list[Play] = []
    yield plays
    for play in plays:
        if play.process.poll() is None:
            play.process.kill()
            play.process.wait()


def artifacts(house: Path) -> dict[str, int]:
    """When each file was written, but for what calibrations ask with: they may go on."""
    files = (house / "artifacts").rglob("*.safetensors")
    return {str(path): path.stat().st_mtime_ns for path in files if path.name != "asked.safetensors"}


def invite_another(house: Path) -> str:
    """The link that the command prints, which nobody tells on which port the site listens."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DOPEORNOPE_")}
    return subprocess.run(
        [sys.executable, "manage.py", "invite", "operator"],
        cwd=ROOT,
        env={**clean, "DOPEORNOPE_HOME": str(house)},
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()


def test_from_a_folder_to_a_playable_address_and_back(house, photos, started):
    play = Play(house, "--catalogue", photos)
    started.append(play)
    address = play.wait_for(r"Play at (http://\S+/)")
    assert urllib.request.urlopen(address, timeout=20).status == 200
    invitation = play.wait_for(r"operator: (http://\S+)")
    assert urllib.request.urlopen(invitation, timeout=20).status == 200
    assert urllib.request.urlopen(invite_another(house), timeout=20).status == 200
    play.wait_for("Index Random control by L2")
    children = play.children()
    assert len(children) == 4
    play.process.send_signal(signal.SIGINT)
    assert play.end() == 0
    wait_until_gone(children)
    assert len(artifacts(house)) > 12


def test_a_second_start_recomputes_nothing_and_a_kill_leaves_nothing_behind(house, photos, started):
    before = artifacts(house)
    play = Play(house, "--catalogue", photos)
    started.append(play)
    play.wait_for(r"Play at (http://\S+/)")
    second = Play(house, "--catalogue", photos)
    started.append(second)
    assert second.end() == 1
    assert re.search(r"runs already in .* Stop that one.*DOPEORNOPE_HOME=", second.output, re.S)
    children = play.children()
    play.process.kill()
    play.end()
    wait_until_gone(children)
    assert artifacts(house) == before
    assert "Embed" not in play.output


def test_a_child_that_dies_is_started_again(house, photos, started):
    play = Play(house, "--catalogue", photos)
    started.append(play)
    address = play.wait_for(r"Play at (http://\S+/)")
    commands = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in play.children()}
    web = next(pid for pid, command in commands.items() if b"dopeornope.web" in command)
    os.kill(web, signal.SIGKILL)
    play.wait_for("“web” ended and is started again")
    # Its port stays open meanwhile: the request waits for the new process.
    assert urllib.request.urlopen(address, timeout=60).status == 200
    play.process.send_signal(signal.SIGTERM)
    assert play.end() == 0


def test_a_taken_port_is_named_with_the_remedy(house, started):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        play = Play(house, "--port", port)
        started.append(play)
        assert play.end() == 1
    assert f"Port {port}" in play.output
    assert f"PORT={port + 1} make play" in play.output
    assert "Traceback" not in play.output


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("DOPEORNOPE_DEVICE", "gpu", "one of auto, cpu, cuda"),
        ("DOPEORNOPE_BROKER", "kafka://x", "filesystem://"),
        ("DOPEORNOPE_DEBUG", "perhaps", "one of 1, true"),
    ],
)
def test_a_bad_variable_is_named_with_what_is_allowed(house, started, name, value, allowed):
    play = Play(house, **{name: value})
    started.append(play)
    assert play.end() == 1
    assert name in play.output
    assert allowed in play.output
    assert "Traceback" not in play.output


def test_a_missing_folder_is_named(house, started):
    play = Play(house, "--catalogue", house / "nowhere")
    started.append(play)
    assert play.end() == 1
    assert "nowhere" in play.output
    assert "Traceback" not in play.output
