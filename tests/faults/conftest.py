"""What the tests of faults start from: houses of processes, and web processes with a game."""

import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.core.management import call_command
from django.test import override_settings
from pytest_django import DjangoDbBlocker

from tests import requirements
from tests.factories import make_catalogue, make_contenders
from tests.faults.house import House, Template, is_service
from tests.faults.servers import Server
from tests.faults.stores import Redis


@pytest.fixture(scope="session")
def broker() -> Iterator[str]:
    """What carries the hints: a folder of the house, or in service a RabbitMQ that only these tests use."""
    if not is_service():
        yield "filesystem://localhost"
        return
    server, host = requirements.rabbitmq(), f"faults-{uuid.uuid4().hex[:8]}"

    def control(*words: str) -> None:
        subprocess.run(["rabbitmqctl", "-q", *words], check=True)

    control("add_vhost", host)
    control("set_permissions", "-p", host, urlsplit(server).username or "guest", ".*", ".*", ".*")
    yield f"{server}/{host}"
    control("delete_vhost", host)


@pytest.fixture(scope="session")
def template(
    tmp_path_factory: pytest.TempPathFactory, broker: str, django_db_blocker: DjangoDbBlocker
) -> Iterator[Template]:
    """Migrated once; the houses of all tests are copies."""
    with django_db_blocker.unblock():
        made = Template(tmp_path_factory.mktemp("template"), broker)
        yield made
        made.drop()


@pytest.fixture
def house(tmp_path: Path, template: Template, django_db_blocker: DjangoDbBlocker) -> Iterator[House]:
    with django_db_blocker.unblock():
        made = template.copy(tmp_path / "house")
        yield made
        made.close()


@pytest.fixture(params=["the usual broker", "Redis"])
def carrier(house: House, request: pytest.FixtureRequest) -> Iterator[None]:
    """Has the test run twice: with what usually carries the house's hints, and with a Redis."""
    if request.param != "Redis":
        yield
        return
    if not is_service():
        pytest.skip("belongs to the run on PostgreSQL: the embedded mode has one broker")
    with Redis() as server:
        house.environment["DOPEORNOPE_BROKER"] = server.address
        yield


@pytest.fixture(scope="session")
def static_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("static")
    with override_settings(STATIC_ROOT=folder):
        call_command("collectstatic", interactive=False, verbosity=0)
    return folder


@pytest.fixture
def web_home(home: Path, static_files: Path) -> Path:
    """The HOME of web processes: the test's own, with static files."""
    (home / "static").symlink_to(static_files)
    return home


@pytest.fixture
def game(transactional_db: None, home: Path) -> None:
    """A catalogue with pictures and contenders, committed, in the database that the test uses."""
    make_contenders(make_catalogue(items=120))


@pytest.fixture
def server(game: None, web_home: Path) -> Iterator[Server]:
    """One web process on SQLite; on PostgreSQL two on one port."""
    with Server(web_home, processes=2 if is_service() else 1) as running:
        yield running
