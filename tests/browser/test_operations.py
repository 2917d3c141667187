"""The operator's page in a browser: progress arrives by itself, and the focus is not torn away."""

from datetime import UTC, datetime

from django.contrib.auth.models import User
from django.db import transaction
from playwright.sync_api import Page, expect

from search.events import bump
from search.models import Job
from search.models.jobs import JobState, Queue

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def test_progress_arrives_live_and_the_focus_stays(page: Page, operator: User) -> None:
    job = Job.objects.create(
        kind="embed",
        queue=Queue.ML,
        idempotency_key="live progress",
        title="Embed with something slow",
        state=JobState.RUNNING,
        done=1,
        total=4,
        created_at=NOW,
        started_at=NOW,
    )
    page.goto("/operations/")
    progress = page.get_by_role("progressbar", name=job.title)
    expect(progress).to_have_attribute("value", "1")
    cancel = page.get_by_role("button", name=f"Cancel {job.title}")
    cancel.focus()
    with transaction.atomic():
        Job.objects.filter(pk=job.pk).update(done=3)
        bump("jobs")
    expect(progress).to_have_attribute("value", "3")
    expect(cancel).to_be_focused()
    cancel.click()
    expect(page.get_by_role("heading", name="Operations")).to_be_visible()
    assert Job.objects.get(pk=job.pk).cancel_requested
    job.delete()


def test_signed_out_meanwhile_the_page_stays_as_it_was(page: Page, operator: User) -> None:
    page.goto("/operations/")
    jobs = page.locator('live-topic[topic="jobs"]')
    before = jobs.inner_text()
    cookies = page.context.cookies()
    page.context.clear_cookies()
    with page.expect_response(lambda response: "/login/" in response.url), transaction.atomic():
        bump("jobs")
    page.evaluate("fetch('/accounts/login/').then((answer) => answer.text())")  # what that one led to is done
    expect(page.get_by_label("Password")).to_have_count(0)
    assert jobs.inner_text() == before
    page.context.add_cookies(cookies)
