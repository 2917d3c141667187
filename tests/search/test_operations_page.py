"""The operator's page: what it shows, what it starts, and to whom."""

import csv
import io
from datetime import timedelta
from importlib.metadata import EntryPoint

import pytest
from django.utils import timezone

from evaluation.models import Contender
from evaluation.services.contenders import enter_contender
from search.engine.encoders import plugins
from search.models import Catalogue, CatalogueState, Job, JobState, Queue, RejectedRow
from search.selectors.tables import neutralise
from tests.factories import NOW, make_catalogue, make_contenders, make_index
from tests.operators import sign_in

pytestmark = pytest.mark.django_db


def make_job(number: int = 1, **fields) -> Job:
    values = {"kind": "index", "queue": Queue.IO, "title": f"Job number {number}", "created_at": NOW} | fields
    return Job.objects.create(idempotency_key=f"key-{number}", **values)


def test_the_page_shows_catalogues_contenders_encoders_and_jobs(operator):
    catalogue = make_catalogue(title="Winter coats")
    (contender,) = make_contenders(catalogue, count=1, with_control=False)
    make_job(state=JobState.RUNNING, done=40, total=100, started_at=timezone.now(), message="Reading rows")

    page = operator.get("/operations/").content.decode()

    shown = [
        "Winter coats",
        "24 items",
        contender.title,
        "histogram",
        "Job number 1",
        "40 of 100",
        "Reading rows",
    ]
    assert [text for text in shown if text not in page] == []


def test_a_missing_encoder_comes_with_its_remedy(operator):
    assert "download_weights" in operator.get("/operations/encoders/").content.decode()


@pytest.fixture
def untried_plugin(monkeypatch) -> None:
    """A plug-in is installed; what tries it fails."""

    def refuse(*args):
        raise AssertionError("A page must not wait for the trial of a plug-in.")

    point = EntryPoint("their-mean", "their_models:Mean", plugins.GROUP)
    monkeypatch.setattr(plugins, "entry_points", lambda **which: [point])
    monkeypatch.setattr(plugins, "_try_all", refuse)


@pytest.mark.parametrize("address", ["/operations/", "/operations/encoders/"])
def test_pages_list_a_plugin_without_trying_it(operator, untried_plugin, address):
    page = operator.get(address).content.decode()
    assert "their-mean" in page and "not tried yet" in page and "Build a catalogue" in page

    catalogue = make_catalogue(with_images=False)
    make_index(catalogue, encoder="their-mean", title="Mean colour", family="plugin")
    page = operator.get(address).content.decode()
    assert "Mean colour" in page and "not tried yet" not in page


def test_the_leaderboard_asks_no_plugin(client, untried_plugin):
    index = make_index(
        make_catalogue(with_images=False), encoder="their-mean", title="Mean colour", family="plugin"
    )
    enter_contender(index=index, nearest={0: 1}, now=NOW)
    assert "Mean colour × L2" in client.get("/leaderboard/").content.decode()


@pytest.mark.parametrize("name", ["catalogues", "encoders", "contenders", "jobs"])
def test_fragments_are_parts_of_the_page(operator, name):
    make_contenders(make_catalogue(with_images=False), count=1)
    make_job()
    fragment = operator.get(f"/operations/{name}/")
    assert "<html" not in fragment.content.decode()
    assert "no-store" in fragment["Cache-Control"]


def test_progress_tells_the_time_left(operator):
    started = timezone.now() - timedelta(minutes=10)
    make_job(state=JobState.RUNNING, done=25, total=100, started_at=started)
    assert "30 min left" in operator.get("/operations/jobs/").content.decode()


def test_a_waiting_job_says_for_what(operator):
    first = make_job(1, title="Import coats")
    make_job(2, after=first)
    assert "waits for “Import coats”" in operator.get("/operations/jobs/").content.decode()


def test_a_failed_job_says_why_and_can_be_retried(operator, hints):
    job = make_job(state=JobState.FAILED, reason="The disk is full.")
    assert "The disk is full." in operator.get("/operations/jobs/").content.decode()

    assert operator.post(f"/operations/jobs/{job.pk}/retry/").status_code == 302

    job.refresh_from_db()
    assert job.state == JobState.QUEUED
    assert hints == [job]


def test_a_queued_job_is_cancelled_at_once_a_running_one_is_asked(operator):
    queued, running = make_job(1), make_job(2, state=JobState.RUNNING)
    operator.post(f"/operations/jobs/{queued.pk}/cancel/")
    operator.post(f"/operations/jobs/{running.pk}/cancel/")
    queued.refresh_from_db()
    running.refresh_from_db()
    assert queued.state == JobState.CANCELLED
    assert running.state == JobState.RUNNING and running.cancel_requested
    assert "cancelling" in operator.get("/operations/jobs/").content.decode()


def test_old_unfinished_jobs_stay_in_sight(operator):
    make_job(0, title="The old one", created_at=NOW - timedelta(days=9))
    for number in range(1, 61):
        make_job(number, state=JobState.DONE)
    assert "The old one" in operator.get("/operations/jobs/").content.decode()


def test_what_runs_comes_first_then_what_waits_then_what_ended(operator):
    make_job(1, title="Ended", state=JobState.DONE, finished_at=NOW)
    make_job(2, title="Waiting")
    make_job(3, title="Running", state=JobState.RUNNING)
    page = operator.get("/operations/jobs/").content.decode()
    places = [page.index(f"<h3>{title}</h3>") for title in ("Running", "Waiting", "Ended")]
    assert places == sorted(places)


def test_contenders_are_queued_for_a_ready_catalogue_only(operator, hints):
    catalogue = make_catalogue(with_images=False)
    operator.post("/operations/catalogues/demo/build/")
    assert [job.kind for job in hints] == ["build"]

    Catalogue.objects.update(state=CatalogueState.IMPORTING)
    page = operator.post("/operations/catalogues/demo/build/", follow=True).content.decode()
    assert "not imported yet" in page
    assert len(hints) == 1
    assert catalogue.jobs.count() == 1


def test_retiring_a_contender_keeps_it_on_record(operator):
    (contender, _) = make_contenders(make_catalogue(with_images=False), count=2, with_control=False)
    page = operator.get("/operations/contenders/").content.decode()
    asking = page.split(f'id="retiring-{contender.pk}"')[1]
    hidden = asking[asking.index("</summary>") : asking.index("</details>")]
    assert f'action="/operations/contenders/{contender.pk}/retire/"' in hidden, "one click does not retire"
    operator.post(f"/operations/contenders/{contender.pk}/retire/")
    contender.refresh_from_db()
    assert contender.retired_at is not None
    assert Contender.objects.count() == 2
    assert "retired" in operator.get("/operations/contenders/").content.decode()


def test_the_report_of_an_import_is_a_table_that_no_spreadsheet_executes(operator):
    catalogue = make_catalogue(with_images=False)
    job = make_job(kind="import", catalogue=catalogue, state=JobState.DONE)
    RejectedRow.objects.create(
        catalogue=catalogue, number=7, key="=HYPERLINK(1)", code="truncated", message="It ends early."
    )
    assert f"/operations/jobs/{job.pk}/report/" in operator.get("/operations/jobs/").content.decode()

    report = operator.get(f"/operations/jobs/{job.pk}/report/")

    assert "attachment" in report["Content-Disposition"]
    header, row = csv.reader(io.StringIO(report.content.decode()))
    assert header == ["row", "key", "code", "reason"]
    assert row == ["7", "'=HYPERLINK(1)", "truncated", "It ends early."]


@pytest.mark.parametrize("cell", ["=1", "+1", "-1", "@x", "\t=1", "\r=1"])
def test_formulas_become_text(cell):
    assert neutralise(cell) == f"'{cell}"


def test_analysts_read_and_change_nothing():
    make_contenders(make_catalogue(with_images=False), count=1)
    failed = make_job(state=JobState.FAILED)
    client = sign_in("analyst")

    page = client.get("/operations/").content.decode()

    assert "Job number 1" in page
    actions = ["retry", "cancel", "retire", "build/", "/operations/import/"]
    assert [action for action in actions if action in page] == []
    assert client.post(f"/operations/jobs/{failed.pk}/retry/").status_code == 403
    failed.refresh_from_db()
    assert failed.state == JobState.FAILED
