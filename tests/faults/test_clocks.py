"""Case 40 of docs/reliability.md: hosts whose clocks are an hour off."""

from datetime import timedelta
from http import HTTPStatus
from pathlib import Path

import pytest
from django.utils import timezone

from evaluation.models import Deal, Vote
from evaluation.services.deals import DEAL_LIFE
from evaluation.services.recount import find_differences
from search.models import Job, JobState
from search.services.job_context import LEASE
from tests import requirements
from tests.faults.house import House, is_service
from tests.faults.players import Browser
from tests.faults.servers import Server

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]
HOUR = timedelta(hours=1)


@pytest.mark.parametrize("shift", ["+1h", "-1h"])
def test_40_a_web_host_an_hour_off_deals_and_counts_as_the_others(
    shift: str, game: None, web_home: Path, tmp_path: Path
) -> None:
    """One player is sent to two hosts in turn: pages, deals, votes and undo, without a failure."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("static", "images"):
        (elsewhere / name).symlink_to(web_home / name)
    with (
        Server(web_home) as right,
        Server(elsewhere, environment=requirements.shifted_clock(shift)) as wrong,
    ):
        browser = Browser(wrong)
        for dealt_by, voted_at in ((wrong, right), (right, wrong), (wrong, wrong)):
            browser.server = dealt_by
            deals = [deal["id"] for deal in browser.deal(3)]
            browser.server = voted_at
            assert {browser.vote(deal)[0] for deal in deals} == {HTTPStatus.OK}
            assert browser.status_of("/play/demo/") == browser.status_of("/leaderboard/") == HTTPStatus.OK
            undone, answer = browser.post("/play/undo/", {"deal": deals[-1]})
            assert undone in (HTTPStatus.OK, HTTPStatus.CONFLICT), answer
            if undone == HTTPStatus.OK:
                assert browser.vote(answer["deal"]["id"])[0] == HTTPStatus.OK
    assert Vote.objects.filter(retraction=None).count() == 9
    now = timezone.now()
    for expires_at in Deal.objects.values_list("expires_at", flat=True):
        assert now + DEAL_LIFE - 2 * HOUR < expires_at < now + DEAL_LIFE + 2 * HOUR
    assert find_differences() == []


@pytest.mark.skipif(not is_service(), reason="with SQLite all workers share one host and its clock")
@pytest.mark.parametrize("shift", ["+1h", "-1h"])
def test_40_a_lease_is_neither_lost_nor_stuck_by_a_worker_or_a_sweeper_an_hour_off(
    shift: str, house: House
) -> None:
    """Leases run by the database's clock, whatever the hosts believe."""
    usual = dict(house.environment)
    job = house.all(Job).create(
        kind="waiting", queue="io", idempotency_key="waiting", title="Waiting", created_at=timezone.now()
    )
    house.environment |= requirements.shifted_clock(shift)
    house.manage("sweep", "--once")
    worker = house.start_worker("io", "tests.faults.odd_jobs")
    house.wait_until((house.home / f"running-{worker.pid}").exists)
    for environment in (dict(house.environment), usual):
        house.environment = environment
        house.manage("sweep", "--once")
        job.refresh_from_db()
        assert (job.state, job.attempt) == (JobState.RUNNING, 1), house.describe()
        assert job.lease_until is not None
        assert timezone.now() < job.lease_until < timezone.now() + LEASE
    (house.home / f"go-on-{worker.pid}").touch()
    house.wait_for(house.all(Job).filter(state=JobState.DONE, attempt=1))
    assert worker.poll() is None
