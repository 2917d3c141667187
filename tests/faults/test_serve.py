"""`manage.py serve` on real servers: what is killed comes back, TERM loses nothing, nobody is left behind."""

import http.client
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db.models import F

from evaluation.models import Credit, Vote
from search.models import Job, JobState
from tests import requirements
from tests.catalogues.sources import picture, write
from tests.faults.house import House, is_service
from tests.faults.players import Browser
from tests.faults.ports import free_port
from tests.faults.stores import Redis
from tests.faults.test_jobs_killed import make_photos

STOP_LIMIT_SECONDS = 30
PROCESSES = {"web-1", "web-2", "io-1", "ml-1", "sweeper-1", "sweeper-2"}

pytestmark = pytest.mark.timeout(300)


class Serve:
    """A running `serve` in a house."""

    def __init__(self, house: House) -> None:
        self.port = free_port()
        self._house = house
        self.process = house.start("manage.py", "serve", "--port", str(self.port))
        house.wait_until(lambda: self.says(f"Play at http://localhost:{self.port}/"))

    def says(self, words: str) -> bool:
        return words in (self._house.home / "processes.log").read_text()

    def children(self) -> dict[str, int]:
        """Process ids by the names of the logs they write to."""
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return {Path(f"/proc/{pid}/fd/1").readlink().stem: int(pid) for pid in listed.split()}

    def is_whole(self) -> bool:
        try:
            return set(self.children()) == PROCESSES
        except OSError:  # one ended between the two looks
            return False


@contextmanager
def serving(house: House) -> Iterator[Serve]:
    if not is_service():
        pytest.skip("service mode is tested where the tests run on PostgreSQL")
    requirements.redis()
    house.environment["PYTHONUNBUFFERED"] = "1"
    running = Serve(house)
    try:
        yield running
    finally:
        running.process.terminate()
        running.process.wait(STOP_LIMIT_SECONDS)


@pytest.fixture
def serve(house: House) -> Iterator[Serve]:
    with serving(house) as running:
        yield running


def import_more(house: House, folder: Path) -> None:
    """Have the workers do one job."""
    more = write(folder / "more", {"one.png": picture(1000)})
    house.manage("import_catalogue", "folder", more, "--slug", "more", "--queue")
    house.wait_for(house.all(Job).filter(kind="import", state=JobState.DONE, catalogue__slug="more"))


def open_game(house: House, folder: Path) -> None:
    """Have the workers import and build a catalogue called demo, until it can be played."""
    files = {f"{kind}/{number}.png": picture(number) for number in range(40) for kind in ("hat", "shoe")}
    house.manage("import_catalogue", "folder", write(folder / "demo", files), "--slug", "demo", "--queue")
    house.wait_for(house.all(Job).filter(kind="import", state=JobState.DONE))
    house.manage("build_contenders", "--catalogue", "demo", "--queue")
    house.wait_until(house.all(Credit).exists)
    house.wait_until(lambda: not house.all(Job).unfinished().exists())


def test_whatever_is_killed_comes_back_and_works(serve: Serve, house: House, tmp_path: Path) -> None:
    open_game(house, tmp_path)
    browser = Browser(serve)
    for name, pid in serve.children().items():
        os.kill(pid, signal.SIGKILL)
        house.wait_until(lambda name=name: serve.says(f"The process “{name}” ended and is started again"))
    house.wait_until(serve.is_whole)
    [deal] = browser.deal(1)
    assert browser.vote(deal["id"])[0] == 200
    import_more(house, tmp_path)


def test_redis_may_carry_the_hints(house: House, tmp_path: Path) -> None:
    with Redis() as broker:
        house.environment["DOPEORNOPE_BROKER"] = broker.address
        with serving(house) as serve:
            import_more(house, tmp_path)
            assert serve.is_whole()


def test_term_keeps_every_vote_and_puts_the_running_job_back(
    serve: Serve, house: House, tmp_path: Path
) -> None:
    open_game(house, tmp_path)
    house.manage(
        "import_catalogue", "folder", make_photos(tmp_path / "photos", count=300), "--slug", "photos"
    )
    house.manage("build_contenders", "--catalogue", "photos", "--queue")
    # Not before: they vote without a pause, and whoever votes for long so has spent a player's budget.
    players = [Player(Browser(serve)) for _ in range(4)]
    house.wait_until(lambda: all(player.acknowledged for player in players))
    running = house.wait_for(
        house.all(Job).filter(kind="embed", state=JobState.RUNNING, done__gte=1, done__lt=F("total"))
    )
    pids = serve.children().values()

    serve.process.terminate()
    assert serve.process.wait(STOP_LIMIT_SECONDS) == 0
    for player in players:
        player.thread.join()
        assert player.refused is None
    acknowledged = {deal for player in players for deal in player.acknowledged}
    assert acknowledged <= set(house.all(Vote).values_list("deal_id", flat=True))
    job = house.all(Job).get(pk=running.pk)
    assert (job.state, job.attempt, job.lease_until) == (JobState.QUEUED, 0, None)
    assert not house.all(Job).filter(state=JobState.RUNNING).exists()
    assert [pid for pid in pids if is_alive(pid)] == []


def test_a_killed_supervisor_leaves_no_orphans(serve: Serve, house: House) -> None:
    pids = serve.children().values()
    serve.process.kill()
    serve.process.wait()
    house.wait_until(lambda: not any(map(is_alive, pids)))


class Player:
    """Votes as fast as answers come, until the server is gone."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self.acknowledged: list[str] = []
        self.refused: int | None = None
        self.thread = threading.Thread(target=self._play, daemon=True)
        self.thread.start()

    def _play(self) -> None:
        try:
            while self.refused is None:
                for deal in self._browser.deal(5):
                    status, _ = self._browser.vote(deal["id"])
                    if status == 200:
                        self.acknowledged.append(deal["id"])
                    else:
                        self.refused = status
        except (OSError, http.client.HTTPException):
            return  # the server has stopped


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
