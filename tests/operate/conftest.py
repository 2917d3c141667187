from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.conftest import static_files, web_home
from tests.operate.web import Web

__all__ = ["static_files", "web_home"]


@pytest.fixture
def start_web(web_home: Path) -> Iterator[Callable[..., Web]]:
    """Starts web processes in the test's HOME and stops them at its end."""
    started: list[Web] = []

    def start(
        *, processes: int = 1, application: str = "dopeornope.asgi:application", **variables: str
    ) -> Web:
        web = Web(web_home, processes=processes, application=application, environment=variables)
        started.append(web)
        web.start()
        return web

    yield start
    for web in started:
        web.stop()
