from collections.abc import Iterator
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client

from search.engine.normaliser import Normaliser
from search.models import Catalogue, Job
from search.services import builds
from tests.fresh_process import forget_catalogues
from tests.operators import sign_in
from tests.search.adding import ITEMS
from tests.search.importing import bring, photos
from tests.search.searching import HISTOGRAMS, build


@pytest.fixture
def hints(monkeypatch: pytest.MonkeyPatch) -> list[Job]:
    """The jobs of which workers would have been told."""
    told: list[Job] = []
    monkeypatch.setattr("search.tasks.hint_jobs", told.extend)
    return told


@pytest.fixture
def operator(db: None) -> Client:
    return sign_in("operator")


@pytest.fixture(scope="module")
def decoder() -> Iterator[Normaliser]:
    """One pool for all imports of a module: starting it takes longer than most of them."""
    with Normaliser() as normaliser:
        yield normaliser


@pytest.fixture
def one_decoder(decoder: Normaliser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("search.services.import_run.Normaliser", lambda: nullcontext(decoder))


@pytest.fixture
def one_cheap_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Catalogues are built with the histogram of colours alone."""
    cheap = [info for info in builds.list_all_encoders() if info.name == "colour-histogram"]
    monkeypatch.setattr(builds, "list_all_encoders", lambda: cheap)


@pytest.fixture
def every_word(monkeypatch):
    """Jobs tell of every step, however quick they are."""
    monkeypatch.setattr("search.services.job_context.BETWEEN_WRITES", timedelta())


@pytest.fixture
def quick_encoders(monkeypatch: pytest.MonkeyPatch) -> None:
    """Histograms alone, and nothing is calibrated."""
    every = builds.list_all_encoders()
    monkeypatch.setattr(builds, "list_all_encoders", lambda: [e for e in every if e.name in HISTOGRAMS])
    monkeypatch.setattr("search.services.calibrating.request_calibrations", lambda indexes: [])
    monkeypatch.setattr("search.services.extending.request_calibrations", lambda indexes: [])
    monkeypatch.setattr("search.services.removing.request_calibrations", lambda indexes: [])
    monkeypatch.setattr(builds, "request_calibrations", lambda indexes: [])
    forget_catalogues()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return photos(tmp_path / "in", ITEMS)


@pytest.fixture
def shop(source: Path) -> Catalogue:
    catalogue = bring("folder", source)
    build(catalogue)
    return catalogue
