"""`/metrics` in Prometheus's text format: the counts of this host's web processes, and the database's.

Who reads it sees how busy the site is, and nothing about a pair, a contender or a person.
"""

import asyncio
import hmac
import ipaddress
import shutil
from collections.abc import Callable, Iterable
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from dopeornope.bounded import BoundedQuestion
from dopeornope.monitoring import Answer
from dopeornope.observation import Scope
from dopeornope.shared_counts import list_counting, shared_folder
from search.processes import is_alive
from search.selectors.monitoring import count_jobs, find_oldest_queued, list_sightings, measure_database

WITHIN_S = 3.0
KEPT_S = 1.0
# A request that came through a proxy, whatever address it seems to come from.
FORWARDED = {b"forwarded", b"via", b"x-forwarded-for", b"x-real-ip"}


class Measurements:
    """Answers those who may know."""

    def __init__(self, read_database: "Callable[[], list[Metric]] | None" = None) -> None:
        self._database = BoundedQuestion(read_database or read_database_figures, keep_s=KEPT_S)

    async def __call__(self, scope: Scope) -> Answer:
        if not may_read(scope):
            return _refuse()
        try:
            figures = await self._database.answer(within_s=WITHIN_S)
        except Exception:  # it did not answer, or not in time
            figures = []
        up = GaugeMetricFamily("dopeornope_database_up", "1 where the database answered this.", bool(figures))
        # Off the loop: adding up many processes takes some milliseconds.
        text = await asyncio.to_thread(write_figures, [up, *figures])
        return Answer(HTTPStatus.OK, text, CONTENT_TYPE_PLAIN_0_0_4)


def may_read(scope: Scope) -> bool:
    """With the token, where there is one; else from this machine or a private network, past no proxy."""
    headers = scope["headers"]
    if settings.METRICS_TOKEN:
        expected = f"Bearer {settings.METRICS_TOKEN}".encode()
        return any(
            name == b"authorization" and hmac.compare_digest(value, expected) for name, value in headers
        )
    if scope.get("client") is None or any(name in FORWARDED for name, _ in headers):
        return False
    address = ipaddress.ip_address(scope["client"][0])
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or address.is_private


def _refuse() -> Answer:
    if settings.METRICS_TOKEN:
        return Answer(HTTPStatus.UNAUTHORIZED, "Show the token: Authorization: Bearer TOKEN\n")
    where = "Only from this machine or a private network, without a proxy in between, or with a token.\n"
    return Answer(HTTPStatus.FORBIDDEN, where)


def read_database_figures() -> list[Metric]:
    """What is counted when somebody asks, with a connection of its own."""
    try:
        jobs = GaugeMetricFamily("dopeornope_jobs", "Jobs by kind and state.", labels=["kind", "state"])
        for key, number in count_jobs().items():
            jobs.add_metric(key, number)
        oldest = GaugeMetricFamily(
            "dopeornope_job_queued_timestamp_seconds",
            "Since when the job that waits longest has waited.",
            labels=["queue"],
        )
        for queue, since in find_oldest_queued().items():
            oldest.add_metric([queue], since.timestamp())
        seen = GaugeMetricFamily(
            "dopeornope_seen_timestamp_seconds", "When it was last seen at work.", labels=["who"]
        )
        for who, at in list_sightings().items():
            seen.add_metric([who], at.timestamp())
        size = GaugeMetricFamily("dopeornope_database_bytes", "On the database's disk.", measure_database())
        return [jobs, oldest, seen, size]
    finally:
        connection.close()


def write_figures(others: Iterable[Metric]) -> str:
    """All figures as text: of the web processes of this host, of its disk, and the given ones."""
    folder = shared_folder(settings.HOME)
    folder.mkdir(parents=True, exist_ok=True)
    registry = CollectorRegistry(auto_describe=False)
    alive = _list_processes(folder)
    MultiProcessCollector(registry, path=str(folder))
    registry.register(_Figures(lambda: [*others, _measure_disk(), *_measure_processes(alive)]))
    return generate_latest(registry).decode()


class _Figures:
    """A collector as `prometheus_client` wants it."""

    def __init__(self, collect: Callable[[], Iterable[Metric]]) -> None:
        self.collect = collect


def _list_processes(folder: Path) -> list[int]:
    """The web processes that live. What the others counted stays, what they held open is forgotten."""
    pids = list_counting(folder)
    alive = sorted(filter(is_alive, pids))
    for pid in pids - set(alive):
        mark_process_dead(pid, path=str(folder))
    return alive


def _measure_processes(pids: Iterable[int]) -> list[Metric]:
    """Memory, CPU time and open files of each web process (on Linux)."""
    families: dict[str, Any] = {}
    for pid in pids:
        for metric in ProcessCollector(pid=partial(int, pid), registry=None).collect():
            kind = CounterMetricFamily if metric.type == "counter" else GaugeMetricFamily
            if metric.name not in families:
                families[metric.name] = kind(metric.name, metric.documentation, labels=["pid"])
            families[metric.name].add_metric([str(pid)], metric.samples[0].value)
    return list(families.values())


def _measure_disk() -> Metric:
    free = shutil.disk_usage(settings.HOME).free
    return GaugeMetricFamily("dopeornope_disk_free_bytes", "On the disk of HOME.", free)
