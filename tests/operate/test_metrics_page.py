"""`/metrics`: right totals whoever answers, nothing that breaks blindness, and not for everybody."""

import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from prometheus_client.parser import text_string_to_metric_families

from dopeornope.measurements import Measurements
from dopeornope.monitoring import Answer
from search.models import Job, Queue
from tests.factories import NOW, make_catalogue, make_contenders
from tests.faults.players import Browser

pytestmark = pytest.mark.django_db(transaction=True)

LIMIT_S = 20
LABELS = {"route", "method", "status", "kind", "state", "queue", "who", "pid", "le"}


def read(text: str) -> dict[str, list[tuple[dict[str, str], float]]]:
    """Samples by name."""
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def total(samples: dict, name: str, **labels: str) -> float:
    return sum(value for found, value in samples.get(name, []) if labels.items() <= found.items())


def test_two_processes_behind_one_socket_give_one_total_and_the_dead_are_not_forgotten(start_web):
    contenders = make_contenders(make_catalogue(items=60, with_images=False))
    Job.objects.create(
        kind="index", queue=Queue.IO, idempotency_key="k", title="secret title", created_at=NOW
    )
    web = start_web(processes=2)

    def play(_: int) -> None:
        browser = Browser(web)
        for deal in browser.deal(5):
            assert browser.vote(deal["id"])[0] == 200
        assert browser.vote("none")[0] == 404

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(play, range(8)))
    scrapes = [read(web.ask("/metrics")[2]) for _ in range(6)]
    for scraped in scrapes:
        assert total(scraped, "dopeornope_votes_total", status="200") == 40
        assert total(scraped, "dopeornope_votes_total", status="404") == 8
        assert total(scraped, "dopeornope_deals_total") == 40
        assert total(scraped, "dopeornope_request_seconds_count", route="play-vote", status="200") == 40
        assert total(scraped, "dopeornope_jobs", kind="index", state="queued") == 1
        assert total(scraped, "dopeornope_job_queued_timestamp_seconds", queue="io") == NOW.timestamp()
        assert len(scraped["process_resident_memory_bytes"]) == 2
        assert total(scraped, "dopeornope_database_up") == 1
        assert {label for samples in scraped.values() for labels, _ in samples for label in labels} <= LABELS
    text = web.ask("/metrics")[2]
    for word in ("secret title", "demo", *(contender.title for contender in contenders)):
        assert word not in text

    web.kill_one(0)
    web.start()
    after = read(web.ask("/metrics")[2])
    assert total(after, "dopeornope_votes_total", status="200") == 40
    assert {labels["pid"] for labels, _ in after["process_resident_memory_bytes"]} == set(map(str, web.pids))


def test_open_sockets_are_counted_and_those_of_a_killed_process_are_gone(start_web):
    make_contenders(make_catalogue(items=12, with_images=False))
    web = start_web()
    with Browser(web).watch("leaderboard") as page:
        assert json.loads(page.recv(LIMIT_S))["topic"] == "leaderboard"
        scraped = read(web.ask("/metrics")[2])
        assert total(scraped, "dopeornope_sockets") == 1
        assert total(scraped, "dopeornope_socket_messages_total") == 1
        web.kill_one(0)
    web.start()
    deadline = time.monotonic() + LIMIT_S
    while total(scraped := read(web.ask("/metrics")[2]), "dopeornope_sockets"):
        assert time.monotonic() < deadline
    assert total(scraped, "dopeornope_socket_messages_total") == 1


def ask(client: str | None, headers: dict[str, str] | None = None) -> Answer:
    encoded = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    scope = {"headers": encoded, "client": (client, 1) if client else None}
    return asyncio.run(Measurements(lambda: [])(scope))


@pytest.mark.parametrize("client", ["127.0.0.1", "::1", "10.0.3.4", "192.168.1.9", "::ffff:10.0.3.4"])
def test_without_a_token_this_machine_and_private_networks_may_read(client):
    assert ask(client).status == 200


@pytest.mark.parametrize("client", ["203.0.114.7", "2a00:1450::1", None])
def test_without_a_token_nobody_else_may(client):
    assert ask(client).status == 403


@pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded", "via", "x-real-ip"])
def test_without_a_token_a_proxy_beside_us_opens_no_door(header):
    assert ask("127.0.0.1", {header: "127.0.0.1"}).status == 403


def test_with_a_token_only_the_token_counts(settings):
    settings.METRICS_TOKEN = "0123456789abcdef"
    assert ask("203.0.114.7", {"authorization": "Bearer 0123456789abcdef"}).status == 200
    assert ask("203.0.114.7", {"authorization": "Bearer 0123456789abcdeX"}).status == 401
    assert ask("127.0.0.1").status == 401


def test_a_database_that_does_not_answer_leaves_the_other_figures():
    def fail() -> list:
        raise OSError("gone")

    answer = asyncio.run(Measurements(fail)({"headers": [], "client": ("127.0.0.1", 1)}))
    scraped = read(answer.text)
    assert total(scraped, "dopeornope_database_up") == 0
    assert "dopeornope_disk_free_bytes" in scraped
