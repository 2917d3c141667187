import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pytest_django import DjangoDbBlocker

from tests import requirements
from tests.faults.house import House, Template, is_service


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
