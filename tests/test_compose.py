"""The containers run what `make serve` runs, with the same words and variables."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from dopeornope.children import list_worker_words
from dopeornope.management.commands.serve import FINISH_SECONDS, SWEEPERS
from dopeornope.service_needs import NEEDS
from dopeornope.web import KEPT_OPEN_SECONDS, LARGEST_FRAME, MOST_CONNECTIONS
from search.models import Queue

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "compose.yaml").read_text()
PROCESSES = {
    "web": "web",
    "io": "worker",
    "ml": "worker",
    "sweeper": "sweeper",
    "prepare": "command",
    "backup": "command",
}


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load(TEXT)["services"]
    return services


def test_web_processes_have_the_limits_of_serve(services):
    command = services["web"]["command"]
    assert command[:4] == ["python", "-m", "uvicorn", "dopeornope.asgi:application"]
    assert {
        "--no-proxy-headers",
        "--no-server-header",
        "--no-access-log",
        f"--ws-max-size={LARGEST_FRAME}",
        f"--limit-concurrency={MOST_CONNECTIONS}",
        f"--timeout-keep-alive={KEPT_OPEN_SECONDS}",
        f"--timeout-graceful-shutdown={FINISH_SECONDS}",
    } < set(command)


@pytest.mark.parametrize("queue", Queue.values)
def test_every_queue_has_workers_with_the_options_of_serve(services, queue):
    assert services[queue]["command"] == ["python", "-m", *list_worker_words(queue)]


def test_two_sweepers_and_one_that_prepares(services):
    assert services["sweeper"]["deploy"]["replicas"] == SWEEPERS
    assert services["prepare"]["restart"] == "no"
    waiting = [name for name in PROCESSES if "prepare" in services[name]["depends_on"]]
    assert waiting == [name for name in PROCESSES if name != "prepare"]


def test_a_backup_is_made_on_request_outside_of_what_it_saves(services):
    backup = services["backup"]
    assert backup["profiles"]
    assert backup["restart"] == "no"
    assert backup["command"] == ["python", "manage.py", "back_up", "/backups"]
    places = [volume.rsplit(":", 1)[1] for volume in backup["volumes"]]
    assert places == ["/data", "/backups"]


def test_the_image_has_the_programs_of_the_servers_version(services):
    """pg_dump refuses a server that is newer than itself."""
    [version] = re.findall(r"postgresql-client-(\d+)", (ROOT / "Dockerfile").read_text())
    assert services["postgres"]["image"] == f"postgres:{version}"


def test_no_log_grows_for_ever(services):
    kept = {name: service["logging"]["options"]["max-size"] for name, service in services.items()}
    assert set(kept) == set(services)


@pytest.mark.parametrize("name", PROCESSES)
def test_every_process_has_what_service_mode_needs_and_says_what_it_is(services, name):
    variables = services[name]["environment"]
    assert variables["DOPEORNOPE_MODE"] == "service"
    assert variables["DOPEORNOPE_PROCESS"] == PROCESSES[name]
    assert {f"DOPEORNOPE_{need}" for need in NEEDS} <= set(variables)


def test_every_variable_of_the_containers_is_explained_to_operators():
    explained = (ROOT / "docs" / "operator.md").read_text()
    names = set(re.findall(r"^  DOPEORNOPE_(\w+):", TEXT, re.MULTILINE))
    assert [name for name in names if f"| `{name}` |" not in explained] == []


def test_the_example_names_every_value_that_has_to_be_given():
    example = (ROOT / "deploy" / "example.env").read_text()
    demanded = set(re.findall(r"\$\{(\w+):\?", TEXT))
    assert [name for name in demanded if not re.search(rf"^{name}=", example, re.MULTILINE)] == []


def test_no_server_but_the_proxy_is_reached_from_outside(services):
    assert [name for name, service in services.items() if "ports" in service] == ["proxy"]


@pytest.mark.parametrize("file", ["deploy/nginx/upstream.conf", "docs/operator.md"])
def test_the_proxy_hangs_up_before_the_web_processes_do(file):
    given = re.findall(r"keepalive_timeout (\d+)s", (ROOT / file).read_text())
    assert given
    assert all(int(seconds) < KEPT_OPEN_SECONDS for seconds in given)


def test_what_the_proxy_reads_is_there(services):
    mounted = [volume.split(":")[0] for volume in services["proxy"]["volumes"] if volume.startswith("./")]
    for path in mounted:
        for proxy in ("plain", "tls"):
            assert (ROOT / re.sub(r"\$\{.*", f"{proxy}.conf", path)).exists()
