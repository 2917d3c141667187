from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.db.backends.sqlite3.base import DatabaseOperations
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from tests import requirements
from tests.append_only import permit_changes
from tests.fresh_process import forget_catalogues
from tests.vectors_server import VectorsServer, run_vectors_server

# How long an example takes is the machine's affair; speed is measured in benchmarks.
hypothesis_settings.register_profile(
    "at-any-speed", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("at-any-speed")


@pytest.fixture(scope="session", autouse=True)
def tables_can_be_emptied() -> Iterator[None]:
    """What follows a test that commits: on SQLite the triggers go, and Django's flush brings them back."""
    flush = DatabaseOperations.sql_flush

    def permit_and_flush(self: DatabaseOperations, *args: Any, **how: Any) -> Sequence[str]:
        permit_changes(using=self.connection.alias)
        return flush(self, *args, **how)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", permit_and_flush)
        yield


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder with the real photos; the test is skipped, visibly, where there is none."""
    return requirements.data_folder()


@pytest.fixture(scope="session")
def running_vectors_server() -> Iterator[VectorsServer]:
    with run_vectors_server() as server:
        yield server


@pytest.fixture
def vectors_server(running_vectors_server: VectorsServer) -> VectorsServer:
    """A PostgreSQL with pgvector that holds nothing; skipped, visibly, where the package is missing."""
    running_vectors_server.empty()
    return running_vectors_server


@pytest.fixture(autouse=True)
def home(tmp_path: Path, settings: pytest.FixtureRequest) -> Path:
    """Every test writes below a HOME of its own."""
    home = tmp_path / "home"
    settings.HOME = home
    for name, folder in [
        ("IMAGES_FOLDER", "images"),
        ("ARTIFACTS_FOLDER", "artifacts"),
        ("WEIGHTS_FOLDER", "weights"),
        ("TRAINED_FOLDER", "artifacts/encoders"),
        ("RANKERS_FOLDER", "artifacts/rankers"),
        ("PLAYED_RANKERS_FOLDER", "artifacts/played-rankers"),
        ("TRAINING_FOLDER", "training"),
        ("UPLOADS_FOLDER", "uploads"),
        ("PHOTOS_FOLDER", "photos"),
        ("LOG_FOLDER", "log"),
    ]:
        setattr(settings, name, home / folder)
    home.mkdir()
    forget_catalogues()
    # The whole suite plays from one address, and faster than people.
    settings.PLAYERS_PER_NETWORK = settings.VOTES_PER_MINUTE = 1_000_000
    # Files as they lie in the source: nothing is collected for a test.
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
    settings.WHITENOISE_USE_FINDERS = settings.WHITENOISE_AUTOREFRESH = True
    return home
