"""Trainings in a browser: asked for, watched while they learn, on every screen."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as live_settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect

from search.events import bump
from search.models import Catalogue, Job, JobState, Training
from search.services.jobs import run_in_foreground
from tests.browser.screens import check
from tests.browser.site import Site
from tests.trainings import make_card, make_curve, make_lessons, make_trained, make_training


@pytest.fixture
def lessons(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, operator: User
) -> Iterator[Catalogue]:
    """A catalogue to learn from; what is trained lies in a folder of this test, and no worker is told."""
    monkeypatch.setattr(live_settings, "TRAINED_FOLDER", tmp_path / "encoders")
    monkeypatch.setattr(live_settings, "TRAINING_FOLDER", tmp_path / "training")
    monkeypatch.setattr("search.tasks.hint_jobs", lambda jobs: None)
    catalogue = make_lessons(items=60, slug="lessons", title="Lessons", with_images=True)
    yield catalogue
    catalogue.items.all().delete()
    catalogue.delete()


def test_an_encoder_is_asked_for_and_watched_until_it_is_ready(page: Page, lessons: Catalogue) -> None:
    page.goto("/operations/trainings/")
    page.get_by_role("link", name="Train an encoder").first.click()
    page.get_by_label("Name").fill("by-colour")
    page.get_by_role("radio", name="csn").check()
    expect(page.get_by_role("heading", name="csn on Lessons")).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value("by-colour")
    assert page.url.endswith("?kind=csn&catalogue=lessons")
    page.get_by_role("checkbox", name="colour").check()
    page.get_by_text("All settings").click()
    small = {"Steps": 8, "Side": 32, "Dimensions": 16, "Items": 16, "Triplets": 8, "Validate every": 4}
    for label, value in small.items():
        page.get_by_label(label, exact=True).fill(str(value))
    page.get_by_role("button", name="Train").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("by-colour")
    expect(page.get_by_text("queued", exact=True)).to_be_visible()
    expect(page.get_by_text("No point yet")).to_be_visible()
    training = Training.objects.get(catalogue=lessons)
    assert training.job is not None and training.aspects == ["kind", "colour"]
    run_in_foreground(job=training.job, report=lambda job: None)

    expect(page.get_by_text("done", exact=True)).to_be_visible()
    expect(page.get_by_role("img", name="Loss by step")).to_be_visible()
    expect(page.get_by_role("img", name="Triplet accuracy by step")).to_be_visible()
    expect(page.get_by_role("button", name="Build contenders")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Card").click()
    assert download.value.suggested_filename == "by-colour-card.json"


def test_it_is_asked_for_without_javascript(
    browser: object, context: BrowserContext, site: Site, lessons: Catalogue
) -> None:
    plain = browser.new_context(  # type: ignore[attr-defined]
        java_script_enabled=False, base_url=site.url, storage_state=context.storage_state()
    )
    page = plain.new_page()
    page.goto("/operations/trainings/new/")
    page.get_by_role("radio", name="csn").check()
    page.get_by_role("button", name="Show what it can be told").click()
    expect(page.get_by_role("heading", name="csn on Lessons")).to_be_visible()
    page.get_by_label("Name").fill("plain")
    page.get_by_role("button", name="Train").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("plain")
    assert Training.objects.get(catalogue=lessons).kind == "csn"
    plain.close()


def test_the_table_stays_open_and_the_focus_in_place_while_curves_grow(
    page: Page, lessons: Catalogue
) -> None:
    now = timezone.now()
    running = {"state": JobState.RUNNING, "done": 30, "total": 60, "started_at": now - timedelta(minutes=5)}
    values = [0.5, 0.7, 0.6]
    training = make_training(
        lessons, curve=make_curve(steps=30, judged_every=20, accuracy=values), job=running
    )
    page.goto(f"/operations/trainings/{training.pk}/")
    page.get_by_text("The figures as a table").click()
    cancel = page.get_by_role("button", name="Cancel")
    cancel.focus()
    Training.objects.filter(pk=training.pk).update(
        curve=make_curve(steps=60, judged_every=20, accuracy=values)
    )
    with transaction.atomic():
        Job.objects.filter(pk=training.job_id).update(done=60)
        bump("jobs")
    expect(page.get_by_role("row", name="60 ")).to_be_visible()
    expect(page.get_by_text("best step 40: 0.700")).to_be_visible()
    expect(cancel).to_be_focused()
    cancel.click()
    expect(page).to_have_url(re.compile(f"/operations/trainings/{training.pk}/$"))
    expect(page.get_by_text("cancelling")).to_be_visible()


@pytest.mark.parametrize("standing", ["running", "failed", "ready"])
def test_screens_of_a_training(page: Page, lessons: Catalogue, standing: str) -> None:
    values = [0.41, 0.62, 0.66, 0.65, 0.71, 0.7]
    curve = make_curve(
        steps=600,
        judged_every=100,
        triplet_accuracy=values,
        **{f"triplet_accuracy {name}": values[::-1] for name in ("kind", "colour")},
    )
    training = make_training(lessons, kind="csn", name=f"{standing}-long-name-of-a-pupil", curve=curve)
    job = Job.objects.filter(pk=training.job_id)
    if standing == "running":
        job.update(state=JobState.RUNNING, done=600, total=1500, started_at=timezone.now())
    if standing == "failed":
        job.update(state=JobState.FAILED, reason="There is not enough memory for a batch. " * 4)
    if standing == "ready":
        make_trained(training)
    page.goto("/operations/trainings/")
    check(page)
    page.get_by_role("link", name=training.name).click()
    page.get_by_text("The figures as a table").click()
    check(page)


def test_screen_of_an_encoder_that_learned_masks(page: Page, lessons: Catalogue) -> None:
    training = make_trained(make_training(lessons, kind="csn"), **make_card(lessons, "csn"))
    page.goto(f"/operations/trainings/{training.pk}/")
    expect(page.get_by_role("img", name="Masks over 64 dimensions").first).to_be_visible()
    rows = page.get_by_role("region", name="colour")
    expect(rows.get_by_role("img", name="Query: boot")).to_have_count(2)
    check(page)

    page.set_viewport_size({"width": 360, "height": 740})
    last = rows.get_by_role("img", name="Nearest 5").first
    last.scroll_into_view_if_needed()
    expect(last).to_be_in_viewport()
    expect(rows.get_by_role("img", name="Query").first).to_be_in_viewport()
    assert last.evaluate("picture => picture.complete && picture.naturalWidth > 0")
    assert last.evaluate("picture => getComputedStyle(picture).objectFit") == "contain"


def test_screen_of_an_encoder_that_tells_aspects(page: Page, lessons: Catalogue) -> None:
    training = make_trained(make_training(lessons, kind="aspects"), **make_card(lessons, "aspects"))
    page.goto(f"/operations/trainings/{training.pk}/")
    expect(page.get_by_role("img", name="colour: accuracy by confidence")).to_be_visible()
    page.get_by_text("The same as a table").click()
    expect(page.get_by_role("row", name="kind 45 % 25 % 12")).to_be_visible()
    check(page)


def test_screen_of_a_form_that_was_refused(page: Page, lessons: Catalogue, tolerated: list[str]) -> None:
    tolerated.append("status of 422")
    page.goto("/operations/trainings/new/?kind=csn&catalogue=lessons")
    page.get_by_label("Name").fill("colour-histogram")
    page.get_by_text("All settings").click()
    page.get_by_label("Trainable").fill("some")
    page.get_by_role("button", name="Train").click()
    expect(page.get_by_text("trainable is all, none or a number")).to_be_visible()
    check(page)
