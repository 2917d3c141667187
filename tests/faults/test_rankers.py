"""Slates that `ml` workers choose: the same as the web process's, which goes on without them."""

import json
import random
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
import redis

from dopeornope.children import list_worker_words
from evaluation.services.game_grounds import Wanted, find_guide
from evaluation.services.slate_requests import write_down
from evaluation.stats.navigation import NEED_RANKERS
from search.engine.navigation.history import History
from search.models import Catalogue, Sighting
from search.services.navigation_terrain import choose_spaces
from search.services.played_rankers import list_playable
from tests.evaluation.finding import Finder, make_ground
from tests.evaluation.ranking import make_ranker
from tests.faults.picks import pick
from tests.faults.processes import Process
from tests.faults.servers import ROOT, Server, make_environment
from tests.faults.stores import RabbitMQ, Redis
from tests.waiting import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

POLICIES = ("information", "information-multi", "rule", "dqn", "dqn-belief")
LONG_S = 20.0
# A slate takes so long at most: the kill comes before, in or after its choice.
LONGEST_S = 0.1

# Asks workers as a web process does, once for each line it reads.
ASK = """
import json, sys
import django
django.setup()
from evaluation.tasks import ask_workers
for line in sys.stdin:
    print(json.dumps([choice.items for _, choice in ask_workers(*json.loads(line))]), flush=True)
"""


@pytest.fixture
def answers() -> Iterator[Redis]:
    """Where workers put the slates they chose."""
    with Redis() as server:
        yield server


@pytest.fixture(params=[Redis, RabbitMQ])
def broker(answers: Redis, request: pytest.FixtureRequest) -> Iterator[Redis | RabbitMQ]:
    """What carries the requests: the same Redis, or a RabbitMQ."""
    if request.param is Redis:
        yield answers
        return
    with RabbitMQ() as server:
        yield server


@pytest.fixture
def variables(answers: Redis, broker: Redis | RabbitMQ) -> dict[str, str]:
    """Of processes that share these servers."""
    return {
        "DOPEORNOPE_RANKER": "worker",
        "DOPEORNOPE_BROKER": broker.address,
        "DOPEORNOPE_CHANNEL_LAYER": answers.address,
    }


@contextmanager
def run_worker(home: Path, variables: Mapping[str, str], *, module: str = "celery") -> Iterator[Process]:
    """A worker of queue `ml` that is ready, and killed at the end; ``module`` stands in for Celery's own."""
    Sighting.objects.all().delete()
    process = Process(
        [sys.executable, "-m", module, *list_worker_words("ml")[1:]],
        log=home / "ml.log",
        cwd=ROOT,
        env={**make_environment(home), **variables},
    )
    try:
        wait_until(Sighting.objects.filter(who="ml").exists, describe=(home / "ml.log").read_text)
        yield process
    finally:
        process.kill()


def set_out(catalogue: Catalogue, policy: str, *, seed: int = 4) -> Finder:
    """A game that is begun, and goes on by this policy."""
    finder = Finder(catalogue, seed=seed)
    puzzle = finder.game.puzzle
    puzzle.policy = policy
    puzzle.ranker = list_playable(spaces=choose_spaces(catalogue), slate=puzzle.k).get(policy, "")
    puzzle.save()
    return finder


def list_shown(finder: Finder) -> list[tuple[list[int], float]]:
    return [(slate.items, slate.bits) for slate in finder.state.slates]


def count(server: Server, sample: str) -> float:
    """What a figure of /metrics has come to."""
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=60) as page:
        found = re.search(rf"^{re.escape(sample)} (\S+)$", page.read().decode(), re.MULTILINE)
    return float(found[1]) if found else 0.0


BY_WORKER = 'dopeornope_slates_total{ranker="worker"}'
BY_WEB = 'dopeornope_slates_total{ranker="web"}'
FALLEN_BACK = "dopeornope_slates_fallen_back_total"


def play_together(finders: list[Finder], server: Server) -> None:
    """To the ends of all games, one pick of each at the same moment."""
    with ThreadPoolExecutor(len(finders)) as players:
        while playing := [finder for finder in finders if finder.state.open is not None]:
            picks = [(finder, server, finder.state.slates[-1].turn, finder.nearest()) for finder in playing]
            assert {*players.map(lambda one: pick(*one), picks)} == {HTTPStatus.FOUND}


def test_games_ranked_by_a_worker_have_the_slates_of_games_ranked_in_the_web_process(
    web_home: Path, variables: dict[str, str]
) -> None:
    catalogue = make_ground(items=120)
    make_ranker(catalogue)
    make_ranker(catalogue, name="believer", believes=True)
    finders = [set_out(catalogue, policy) for policy in POLICIES]
    assert all(finder.game.puzzle.ranker for finder in finders if finder.game.puzzle.policy in NEED_RANKERS)
    twins = [set_out(catalogue, policy) for policy in POLICIES]
    variables |= {"TEST_PATIENCE_S": str(LONG_S)}
    with (
        run_worker(web_home, variables),
        Server(web_home, environment=variables, module="tests.faults.patient_web") as server,
    ):
        play_together(finders, server)
        chosen = sum(len(finder.state.slates) - 1 for finder in finders)
        assert (count(server, BY_WORKER), count(server, BY_WEB)) == (chosen, 0)
    with Server(web_home) as server:
        play_together(twins, server)
        assert count(server, BY_WEB) >= chosen  # both servers count into the same HOME
    assert [*map(list_shown, finders)] == [*map(list_shown, twins)]


def test_games_ranked_by_a_worker_in_torch_have_the_slates_of_games_ranked_in_the_web_process(
    web_home: Path, variables: dict[str, str]
) -> None:
    catalogue = make_ground(items=120)
    make_ranker(catalogue)
    make_ranker(catalogue, name="believer", believes=True)
    finders = [set_out(catalogue, policy) for policy in POLICIES]
    twins = [set_out(catalogue, policy) for policy in POLICIES]
    large = {"TEST_LARGE": "1"}
    waiting = {**variables, **large, "TEST_PATIENCE_S": str(LONG_S)}
    with (
        run_worker(web_home, variables, module="tests.faults.torch_worker"),
        Server(web_home, environment=waiting, module="tests.faults.patient_web") as server,
    ):
        play_together(finders, server)
        chosen = sum(len(finder.state.slates) - 1 for finder in finders)
        assert (count(server, BY_WORKER), count(server, BY_WEB)) == (chosen, 0)
    assert (web_home / "torch").read_text(), "distances were worked out in torch"
    with Server(web_home, environment=large, module="tests.faults.patient_web") as server:
        play_together(twins, server)
    assert [*map(list_shown, finders)] == [*map(list_shown, twins)]


def test_a_game_goes_on_though_its_worker_is_killed_and_the_next_worker_is_found(
    web_home: Path, variables: dict[str, str]
) -> None:
    catalogue = make_ground(items=120)
    finder, calm = Finder(catalogue, seed=4), Finder(catalogue, seed=4)
    variables |= {"TEST_REST_S": "0.01"}
    with (
        Server(web_home, environment=variables, module="tests.faults.patient_web") as server,
        ThreadPoolExecutor(1) as player,
    ):
        with run_worker(web_home, variables) as worker:
            turn, item = finder.state.slates[-1].turn, finder.nearest()
            answer = player.submit(pick, finder, server, turn, item)
            time.sleep(random.Random(4).uniform(0, LONGEST_S))  # the moment of the kill
            worker.kill()
            assert answer.result() == HTTPStatus.FOUND
        play_together([finder], server)
        assert count(server, FALLEN_BACK) > 0
        assert list_shown(finder) == [(slate.items, slate.bits) for slate in calm.play().slates]
        with run_worker(web_home, variables):
            wait_until_by_worker(catalogue, server)


def test_a_game_goes_on_without_its_broker_and_workers_are_asked_again_when_it_is_back(
    web_home: Path, broker: Redis | RabbitMQ, variables: dict[str, str]
) -> None:
    catalogue = make_ground(items=120)
    finder, calm = Finder(catalogue, seed=4), Finder(catalogue, seed=4)
    variables |= {"TEST_REST_S": "0.01"}
    with (
        run_worker(web_home, variables),
        Server(web_home, environment=variables, module="tests.faults.patient_web") as server,
    ):
        wait_until_by_worker(catalogue, server)
        broker.stop()
        play_together([finder], server)
        assert list_shown(finder) == [(slate.items, slate.bits) for slate in calm.play().slates]
        broker.start()
        wait_until_by_worker(catalogue, server)


def wait_until_by_worker(catalogue: Catalogue, server: Server) -> None:
    """Begin one game after the other until a worker chooses a slate."""
    before = count(server, BY_WORKER)

    def begin_and_pick() -> bool:
        finder = Finder(catalogue, seed=4)
        assert pick(finder, server, 1, finder.nearest()) == HTTPStatus.FOUND
        return count(server, BY_WORKER) > before

    wait_until(begin_and_pick)


def test_what_nobody_waits_for_any_more_is_not_worked_on(web_home: Path, variables: dict[str, str]) -> None:
    finder = Finder(make_ground(items=40))
    ground, guide = find_guide(finder.game.puzzle)
    wanted = Wanted(ground, guide, History(start=0), 4)
    with subprocess.Popen(
        [sys.executable, "-c", ASK],
        cwd=ROOT,
        env={**make_environment(web_home), **variables},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as asking:

        def ask(within_s: float) -> Any:
            assert asking.stdin is not None and asking.stdout is not None
            asking.stdin.write(json.dumps([[write_down(wanted)], within_s]) + "\n")
            asking.stdin.flush()
            return json.loads(asking.stdout.readline())

        assert ask(0.2) == []  # nobody works yet
        with run_worker(web_home, variables):
            assert ask(LONG_S) == [wanted.choose().items]
        # The older message was dealt with before; an answer to it would still be there.
        assert redis.Redis.from_url(variables["DOPEORNOPE_CHANNEL_LAYER"]).keys("dopeornope:slates:*") == []
        asking.communicate()
