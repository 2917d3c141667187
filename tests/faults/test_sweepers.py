"""Two sweepers, or none for hours: the work is done once, by one of them, and caught up once."""

import signal
import subprocess

import pytest
from django.db import connections

from search.models import Job
from tests.faults.house import House, is_service

pytestmark = pytest.mark.timeout(240)

# The sweeper at a fixed time of day, with a sweep that asks for one job an hour. No worker runs such jobs:
# only how often they are asked for counts.
SWEEP = """
import datetime, sys
import django
django.setup()
from django.core.management import call_command
from dopeornope.management.commands import sweep
from search.models import Queue
from search.services.jobs import JobKind, create_job, register_kind
from search.services.sweeping import register_sweep

sweep.read_clock = lambda: datetime.datetime(2026, 1, 1, int(sys.argv[1]), 59, tzinfo=datetime.timezone.utc)
register_kind(JobKind("hourly", Queue.IO, lambda context: None))

def ask(now):
    key = f"hourly {now:%Y-%m-%d %H}"
    create_job(kind="hourly", arguments={}, key=key, title=key, catalogue=None, now=now)
    return 1

register_sweep("hourly", ask)
call_command("sweep", *sys.argv[2:])
"""


def start(house: House, *, hour: int = 0) -> subprocess.Popen[bytes]:
    return house.start("-c", SWEEP, str(hour))


def said(house: House, sweeper: subprocess.Popen[bytes], words: str) -> bool:
    return f"sweeper {sweeper.pid} {words}" in (house.home / "processes.log").read_text()


@pytest.fixture
def talkative(house: House) -> House:
    house.environment["DOPEORNOPE_LOG_LEVEL"] = "INFO"
    return house


def test_35_of_two_sweepers_one_works_and_the_other_takes_over_when_it_is_killed(talkative: House) -> None:
    house = talkative
    first = start(house)
    house.wait_until(lambda: said(house, first, "is on duty"))
    second = start(house)
    house.wait_until(lambda: said(house, second, "stands by"))
    house.wait_until(house.all(Job).exists)
    assert not said(house, second, "is on duty")
    house.all(Job).all().delete()

    first.send_signal(signal.SIGKILL)
    first.wait()
    house.wait_until(lambda: said(house, second, "is on duty"))
    house.wait_until(house.all(Job).exists)

    third = start(house)
    house.wait_until(lambda: said(house, third, "stands by"))
    second.terminate()
    assert second.wait(20) == 0
    house.wait_until(lambda: said(house, third, "is on duty"))


def test_35_two_sweepers_and_hours_without_any_make_one_run_and_one_catch_up(talkative: House) -> None:
    house = talkative
    both = [start(house), start(house)]
    house.wait_until(lambda: all(said(house, one, "") for one in both))
    house.wait_until(house.all(Job).exists)
    assert house.all(Job).count() == 1
    for sweeper in both:
        sweeper.kill()
        sweeper.wait()

    late = [start(house, hour=5), start(house, hour=5)]
    house.wait_until(lambda: all(said(house, one, "") for one in late))
    house.wait_until(lambda: house.all(Job).count() > 1)
    assert house.all(Job).count() == 2  # the hours between are not made up for one by one


def test_35_rounds_by_hand_beside_the_sweeper_still_make_one_run(house: House) -> None:
    rounds = [house.start("-c", SWEEP, "0", "--once") for _ in range(4)]
    assert [one.wait(60) for one in rounds] == [0] * 4, house.describe()
    assert house.all(Job).count() == 1


def test_35_a_sweeper_whose_session_is_cut_passes_the_duty_on_and_stands_by(talkative: House) -> None:
    if not is_service():
        pytest.skip("on SQLite the duty is a lock on a file: there is no session to cut")
    house = talkative
    first = start(house)
    house.wait_until(lambda: said(house, first, "is on duty"))
    second = start(house)
    house.wait_until(lambda: said(house, second, "stands by"))
    with connections[house.database].cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
    house.wait_until(lambda: said(house, second, "is on duty"))
    house.wait_until(lambda: said(house, first, "stands by"))
