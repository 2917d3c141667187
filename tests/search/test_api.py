"""`/api/`: what programs read, and what they get for a wrong question."""

from uuid import uuid4

import pytest
from django.contrib.auth.models import Group, User
from django.db import InterfaceError, OperationalError, connection
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from dopeornope.api import api
from search.models import Job, JobState, Queue
from tests.factories import NOW, make_catalogue, make_contenders

pytestmark = pytest.mark.django_db


def make_job(number: int = 1, **fields) -> Job:
    values = {"kind": "index", "queue": Queue.IO, "title": f"Job {number}", "created_at": NOW} | fields
    return Job.objects.create(idempotency_key=f"key-{number}", **values)


def sign_in(client: Client, role: str | None) -> Client:
    user = User.objects.create(username=role or "player")
    if role:
        user.groups.add(Group.objects.get_or_create(name=role)[0])
    client.force_login(user)
    return client


def test_catalogues_tell_their_counts(client):
    catalogue = make_catalogue(items=24, with_images=False)
    make_contenders(catalogue, count=2, with_control=False)

    (listed,) = client.get("/api/catalogues/").json()

    assert listed == client.get("/api/catalogues/demo/").json()
    assert (listed["slug"], listed["items"], listed["contenders"]) == ("demo", 24, 2)
    assert listed["queries_trainable"] + listed["queries_evaluation"] == 24


def test_an_unknown_catalogue_is_404_in_json(client):
    answer = client.get("/api/catalogues/nowhere/")
    assert answer.status_code == 404
    assert "detail" in answer.json()


@pytest.mark.parametrize(
    ("role", "status"), [(None, 403), ("annotator", 403), ("analyst", 200), ("operator", 200)]
)
def test_jobs_are_for_operators_and_analysts(client, role, status):
    job = make_job()
    sign_in(client, role)
    assert client.get("/api/jobs/").status_code == status
    assert client.get(f"/api/jobs/{job.pk}/").status_code == status


def test_jobs_need_a_session(client):
    answer = client.get("/api/jobs/")
    assert answer.status_code == 401
    assert "detail" in answer.json()


def test_jobs_come_newest_first_in_pages(client):
    for number in range(5):
        make_job(number, state=JobState.DONE if number % 2 else JobState.FAILED)
    sign_in(client, "operator")

    page = client.get("/api/jobs/?limit=2&offset=1").json()
    assert page["count"] == 5
    assert len(page["jobs"]) == 2

    done = client.get("/api/jobs/?state=done").json()
    assert done["count"] == 2
    assert {job["state"] for job in done["jobs"]} == {"done"}


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "offset=-1", f"offset={10**30}", "state=asleep"]
)
def test_a_wrong_question_about_jobs_is_422(client, query):
    sign_in(client, "operator")
    answer = client.get(f"/api/jobs/?{query}")
    assert answer.status_code == 422
    assert query.split("=")[0] in str(answer.json()["detail"])


def test_nothing_is_written_through_the_api(client):
    job = make_job()
    sign_in(client, "operator")
    for address in ("/api/jobs/", f"/api/jobs/{job.pk}/", "/api/catalogues/"):
        for method in (client.post, client.put, client.delete):
            assert method(address).status_code == 405


def test_the_description_names_every_operation_with_its_answers(client):
    schema = client.get("/api/openapi.json").json()
    assert set(schema["paths"]) == {
        "/api/leaderboard/",
        "/api/contenders/",
        "/api/catalogues/",
        "/api/catalogues/{slug}/",
        "/api/jobs/",
        "/api/jobs/{job_id}/",
        "/api/search/{slug}/",
        "/api/search/{slug}/filters/",
        "/api/search/photos/{key}/",
    }
    jobs = schema["paths"]["/api/jobs/"]["get"]
    assert set(jobs["responses"]) == {"200", "401", "403", "422", "429", "503"}
    assert jobs["security"]
    board = schema["paths"]["/api/leaderboard/"]["get"]
    assert set(board["responses"]) == {"200", "400", "422", "429", "503"}


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_a_database_that_is_away_is_503_in_json_for_every_address(client, error):
    sign_in(client, "operator")

    def refuse(*_: object) -> None:
        raise error("the connection is lost")

    for path, methods in api.get_openapi_schema()["paths"].items():
        address = path.format(slug="demo", job_id=make_job(path).pk, key=uuid4())
        with connection.execute_wrapper(refuse):
            answer = client.get(address)
        assert (address, answer.status_code) == (address, 503)
        assert int(answer["Retry-After"]) > 0
        assert set(answer.json()) == {"detail"}
        assert 503 in methods["get"]["responses"]


def test_the_page_about_the_api_needs_no_script(client):
    page = client.get("/api/").content.decode()
    for address in ("/api/leaderboard/", "/api/jobs/{job_id}/"):
        assert address in page
    assert "cdn" not in page


@pytest.fixture(scope="module")
def described() -> dict:
    return api.get_openapi_schema()["paths"]


@hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    path=st.sampled_from(["catalogues", "leaderboard", "contenders", "jobs"]),
    tail=st.text(max_size=30),
    name=st.sampled_from(["catalogue", "encoder", "metric", "category", "state", "limit", "offset"]),
    value=st.text(max_size=30),
)
def test_every_question_gets_an_answer_that_is_described(client, described, path, tail, name, value):
    if "_auth_user_id" not in client.session:
        sign_in(client, "operator")
    asked = client.get(f"/api/{path}/", {name: value})
    assert asked.status_code in described[f"/api/{path}/"]["get"]["responses"]
    assert asked["Content-Type"].startswith("application/json")
    assert client.get(f"/api/{path}/{tail.replace('?', '').replace('#', '')}/").status_code < 500
