"""What real requests full of secrets leave in the log: their ids, routes and statuses, nothing else."""

import contextlib
import io
import json
import logging
import re
import sys

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from websockets.sync.client import connect

from dopeornope.logs import JsonLine, NoVisitors, TextLine
from search.log_context import JOB
from tests.factories import make_catalogue, make_contenders
from tests.faults.players import Browser

pytestmark = pytest.mark.django_db(transaction=True)

# Each is sent where somebody's data or a token would be; none may be found in any line.
SECRETS = {
    "query": "sekretquery",
    "cookie": "sekretcookie",
    "header": "sekretheader",
    "path": "sekretpath",
    "name": "sekretname",
    "password": "sekretpassword",
    "file": "sekretfile",
    "socket": "sekretsocket",
    "host": "sekrethost",
}
UPLOAD = (
    '--x\r\nContent-Disposition: form-data; name="file"; filename="{file}.zip"\r\n'
    "Content-Type: application/zip\r\n\r\n{file}\r\n--x--\r\n"
)


def send_secrets(web) -> None:
    """Every kind of request that fails or succeeds, with secrets wherever one can be put."""
    headers = {
        "Cookie": f"sessionid={SECRETS['cookie']}; player={SECRETS['cookie']}; csrftoken={SECRETS['cookie']}",
        "X-Sitting": SECRETS["header"],
        "Authorization": f"Bearer {SECRETS['header']}",
        "Referer": f"http://{SECRETS['header']}/",
        "User-Agent": SECRETS["header"],
        "X-Forwarded-For": SECRETS["header"],
    }
    form = {**headers, "Content-Type": "application/x-www-form-urlencoded"}
    login = f"username={SECRETS['name']}&password={SECRETS['password']}".encode()
    upload = UPLOAD.format(**SECRETS).encode()
    query = f"?q={SECRETS['query']}"
    for path in (f"/leaderboard/{query}", f"/{SECRETS['path']}/{query}", f"/fail/{query}", "/static/no.css"):
        web.ask(path, headers=headers)
    web.ask(f"/accounts/invitations/{SECRETS['path']}/", headers=headers)
    web.ask("/accounts/login/", method="POST", body=login, headers=form)
    web.ask(f"/fail/{query}", method="POST", body=login, headers=form)
    web.ask(f"/play/votes/{SECRETS['path']}/", method="POST", body=b"{", headers=headers)
    with contextlib.suppress(ConnectionError):  # refused before all of it was sent
        web.ask("/play/deals/", method="POST", body=b"x" * 2_000_000, headers=headers)
    multipart = {**headers, "Content-Type": "multipart/form-data; boundary=x"}
    web.ask("/operations/import/", method="POST", body=upload, headers=multipart)
    web.ask(f"/leaderboard/{query}", headers={**headers, "Host": SECRETS["host"]})
    web.ask("/leaderboard/", method="SEKRETPATH".capitalize())
    web.ask(f"/api/catalogues/{SECRETS['path']}/{query}", headers=headers)
    for topics in ("leaderboard", SECRETS["socket"]):
        address = f"ws://127.0.0.1:{web.port}/ws/live/?topics={topics}&t={SECRETS['socket']}"
        try:
            with connect(address, origin=f"http://127.0.0.1:{web.port}") as page:
                page.send(SECRETS["socket"])
                page.recv(5)
        except Exception:  # refused, or closed: either way it was logged or not
            continue


@pytest.mark.parametrize("format", ["json", "text"])
def test_no_secret_of_any_request_is_in_any_line(start_web, format):
    make_contenders(make_catalogue(items=24, with_images=False))
    User.objects.create(username=SECRETS["name"])
    web = start_web(
        module="tests.operate.failing_site",
        DOPEORNOPE_LOG_LEVEL="DEBUG",
        DOPEORNOPE_LOG_FORMAT=format,
    )
    send_secrets(web)
    browser = Browser(web)
    [deal] = browser.deal(1)
    web.stop()
    log = web.log()
    assert "ValueError" in log, "the provoked error is there"
    assert "failing_site.py" in log
    lowered = log.lower()
    found = [name for name, secret in SECRETS.items() if secret in lowered]
    assert not found, log
    assert deal["id"] not in log
    assert browser.sitting not in log
    assert not re.search(rf"127\.0\.0\.1:(?!{web.port})\d+", log), "no visitor's address"


def test_each_line_is_an_object_that_names_request_route_and_status(start_web):
    make_catalogue(items=2, with_images=False)
    web = start_web(
        module="tests.operate.failing_site",
        DOPEORNOPE_LOG_LEVEL="INFO",
        DOPEORNOPE_LOG_FORMAT="json",
    )
    [pid] = web.pids
    status, headers, _ = web.ask("/leaderboard/")
    assert status == 200
    web.ask("/fail/")
    web.stop()
    lines = [json.loads(line) for line in web.log().splitlines() if line.startswith("{")]
    mine = [line for line in lines if line.get("request_id") == headers["x-request-id"]]
    [line] = [line for line in mine if line["logger"] == "dopeornope.access"]
    assert (line["route"], line["method"], line["status"]) == ("leaderboard", "GET", 200)
    assert line["duration_ms"] > 0
    assert line["process"].endswith(f":{pid}")
    [failure] = [line for line in lines if line["logger"] == "django.request"]
    assert (failure["level"], failure["route"]) == ("ERROR", "fail")
    assert failure["message"] == "500 Internal Server Error"
    assert failure["exception"].endswith("ValueError")
    others = [line for line in web.log().splitlines() if not line.startswith("{")]
    assert others == []


@pytest.mark.parametrize(
    ("proxies", "given", "taken"),
    [
        ("1", "proxy-gave-this_1", True),
        ("1", "short", False),
        ("1", "x" * 65, False),
        ("1", "with space in it", False),
        ("0", "visitor-gave-this", False),
    ],
)
def test_a_requests_id_is_taken_from_a_proxy_if_it_is_well_formed(start_web, proxies, given, taken):
    web = start_web(DOPEORNOPE_TRUSTED_PROXIES=proxies)
    _, headers, _ = web.ask("/health/live", headers={"X-Request-Id": given})
    assert (headers["x-request-id"] == given) is taken
    assert re.fullmatch(r"[0-9A-Za-z_-]{8,64}", headers["x-request-id"])


def log_line(formatter: logging.Formatter, name: str, *arguments: object, **options: object) -> str:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    handler.addFilter(NoVisitors())
    logger = logging.Logger(name)
    logger.addHandler(handler)
    logger.error(*arguments, **options)  # type: ignore[arg-type]
    return stream.getvalue()


@pytest.mark.parametrize("formatter", [JsonLine(), TextLine()])
def test_a_database_says_what_is_wrong_and_not_with_whose_row(formatter):
    User.objects.create(username="sekretname")
    try:
        with transaction.atomic():
            User.objects.create(username="sekretname")
    except IntegrityError as error:
        line = log_line(formatter, "evaluation", "the write failed (%s)", error, exc_info=True)
    assert "IntegrityError: " in line
    assert "auth_user" in line
    assert "sekretname" not in line
    assert connection.is_usable()


def test_celerys_lines_keep_the_task_and_drop_what_it_raised():
    context = {"name": "search.tasks.run_job", "id": "7", "exc": "ValueError('sekretfile')", "traceback": "…"}
    try:
        raise ValueError(context["exc"])
    except ValueError:
        found = sys.exc_info()
    line = log_line(JsonLine(), "celery", "Task %(name)s[%(id)s]: %(exc)s", context, exc_info=found)
    assert "Task search.tasks.run_job[7]: ValueError" in line
    assert "sekretfile" not in line


def test_celerys_lines_keep_what_a_task_was_given_and_gave_to_themselves():
    context = {"name": "run_job", "args": "('sekretname',)", "return_value": "'sekretfile'", "runtime": 0.5}
    words = "Task %(name)s %(args)s succeeded in %(runtime)ss: %(return_value)s"
    line = log_line(TextLine(), "celery.app.trace", words, context)
    assert line.endswith("Task run_job … succeeded in 0.5s: …\n")
    words = "Received unregistered task of type %s.\nThe full contents of the message body was:\n%s"
    line = log_line(
        TextLine(), "celery.worker.consumer.consumer", words, KeyError("x"), "b'[\"sekretname\"]'"
    )
    assert line.endswith("Received unregistered task of type KeyError.\n")


def test_a_jobs_lines_name_the_job():
    before = JOB.set("job-7")
    try:
        assert json.loads(log_line(JsonLine(), "search", "it failed"))["job_id"] == "job-7"
        assert log_line(TextLine(), "search", "it failed").endswith("it failed [job-7]\n")
    finally:
        JOB.reset(before)


def test_a_missing_file_is_told_without_its_name():
    line = log_line(
        TextLine(), "search", "no: %s", FileNotFoundError(2, "No such file", "/uploads/sekretfile")
    )
    assert "FileNotFoundError: No such file" in line
    assert "sekretfile" not in line


def test_a_line_whose_arguments_do_not_fit_is_kept_without_them(capsys):
    assert log_line(TextLine(), "search", "%d rows", "sekretfile").endswith("%d rows\n")
    assert "sekretfile" not in capsys.readouterr().err
