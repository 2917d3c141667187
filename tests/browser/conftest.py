"""A real browser against the real application: uvicorn in a thread, a file database, one catalogue.

Run on its own (`pytest tests/browser`): Playwright keeps an event loop on the main thread.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as live_settings
from django.contrib.auth.models import Group, User
from django.test import Client
from django.test.utils import setup_databases, teardown_databases
from playwright.sync_api import BrowserContext, Page

from evaluation.models import Contender
from search.models import Catalogue
from tests import factories, requirements
from tests.browser.site import Serving, Site
from tests.evaluation.finding import add_spaces, forget_opened

STATIC = "django.contrib.staticfiles.storage.StaticFilesStorage"


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    chrome = os.environ.get("CHROME") or shutil.which("chromium") or shutil.which("google-chrome")
    if chrome is None:
        requirements.miss("chromium", "apt-get install chromium, or set CHROME to a browser's path")
    # No sandbox: containers run as root.
    return {**browser_type_launch_args, "executable_path": chrome, "args": ["--no-sandbox"]}


@pytest.fixture(scope="session")
def site(
    browser: object,  # first: without a browser nothing is worth starting
    tmp_path_factory: pytest.TempPathFactory,
    django_db_blocker: Any,
) -> Iterator[Site]:
    """The site with one playable catalogue, for the whole run; tests assert by player and by id."""
    folder = tmp_path_factory.mktemp("site")
    patch = pytest.MonkeyPatch()
    patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    patch.setattr(live_settings, "IMAGES_FOLDER", folder / "images")
    patch.setattr(live_settings, "WHITENOISE_USE_FINDERS", True, raising=False)
    patch.setattr(live_settings, "WHITENOISE_AUTOREFRESH", True, raising=False)
    patch.setattr(live_settings, "STORAGES", {**live_settings.STORAGES, "staticfiles": {"BACKEND": STATIC}})
    with django_db_blocker.unblock():
        # pytest-django makes databases only for tests that ask for one each; here one serves them all.
        databases = setup_databases(verbosity=0, interactive=False)
        catalogue = factories.make_catalogue(items=160, categories=4, slug="wardrobe", title="Wardrobe")
        factories.make_contenders(catalogue, count=6)
        secrets = {text for row in Contender.objects.all() for text in (row.title, row.encoder)}
        with Serving() as url:
            yield Site(url=url, secrets=tuple(sorted(secrets)))
        teardown_databases(databases, verbosity=0)
    patch.undo()


@pytest.fixture(scope="session")
def ground(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The site's catalogue can be navigated, from here to the end of the run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(live_settings, "ARTIFACTS_FOLDER", tmp_path_factory.mktemp("artifacts"))
        forget_opened()
        add_spaces(Catalogue.objects.get(slug="wardrobe"))
        yield


@pytest.fixture(autouse=True)
def home(site: Site) -> Path:
    """Instead of a HOME per test: the site keeps its own for the whole run."""
    return Path(live_settings.IMAGES_FOLDER).parent


@pytest.fixture(scope="session")
def base_url(site: Site) -> str:
    return site.url


@pytest.fixture
def tolerated() -> list[str]:
    """Parts of console errors that the running test provokes on purpose."""
    return []


@pytest.fixture
def page(page: Page, tolerated: list[str]) -> Iterator[Page]:
    """A page whose console must stay free of errors."""
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.set_default_timeout(10_000)
    yield page
    unexpected = [error for error in errors if not any(part in error for part in tolerated)]
    assert not unexpected, unexpected


@pytest.fixture
def operator(context: BrowserContext, site: Site) -> Iterator[User]:
    """The browser is signed in as an operator."""
    user = User.objects.create_user("olga", password="a long enough password")
    user.groups.add(Group.objects.get_or_create(name="operator")[0])
    client = Client()
    client.force_login(user)
    session = client.cookies[live_settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": live_settings.SESSION_COOKIE_NAME, "value": session, "url": site.url}])
    yield user
    user.delete()
