"""Annotating in a browser: by keys and by mouse, on every screen."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Page, expect

from evaluation.models import Annotation, AnnotationProject, AnnotationRetraction
from evaluation.services.annotation import create_project, draw_random
from evaluation.services.append_only import forbid_changes
from search.models import Catalogue
from tests.append_only import permit_changes
from tests.browser.screens import check
from tests.browser.site import Site


@pytest.fixture
def project(site: Site, operator: User) -> Iterator[AnnotationProject]:
    catalogue = Catalogue.objects.earliest("id")
    project = create_project(
        slug="looks",
        title="Looks",
        catalogue=catalogue,
        questions=draw_random(catalogue=catalogue, count=6, options=4, seed=0),
        overlap=1,
        repeat_every=0,
        seed=0,
        now=timezone.now(),
    )
    yield project
    permit_changes()
    AnnotationRetraction.objects.all().delete()
    Annotation.objects.all().delete()
    project.delete()
    forbid_changes(using="default")


def test_a_project_is_answered_by_keys_and_by_mouse(page: Page, project: AnnotationProject) -> None:
    page.goto("/annotate/")
    page.get_by_role("link", name="Go on").click()
    progress = page.locator(".page-head p.small")
    expect(progress).to_contain_text("0 of 6 answered")
    check(page)
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    page.keyboard.press("3")
    expect(progress).to_contain_text("1 of 6 answered")
    page.keyboard.press("u")
    expect(progress).to_contain_text("0 of 6 answered")
    page.locator(".annotate-option").nth(1).click()
    expect(progress).to_contain_text("1 of 6 answered")
    page.keyboard.press("0")
    expect(progress).to_contain_text("2 of 6 answered")
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    page.keyboard.press("f")
    expect(page.get_by_label("What is wrong")).to_be_focused()
    page.keyboard.type("3 of them are dark")  # keys are letters here
    page.keyboard.press("Enter")
    expect(progress).to_contain_text("2 of 6 answered · 1 skipped or flagged")
    said = Annotation.objects.filter(retraction=None).order_by("id")
    assert list(said.values_list("kind", "note")) == [
        ("pick", ""),
        ("unsure", ""),
        ("flag", "3 of them are dark"),
    ]
    assert said[0].option == said[0].shown[1]
    page.locator(".skip-link").focus()
    page.keyboard.press("2")  # outside the question keys mean nothing
    page.get_by_role("heading", level=1).click()
    for number in range(3, 6):
        page.keyboard.press("1")
        expect(progress).to_contain_text(f"{number} of 6 answered")
    assert all(one.option == one.shown[0] for one in Annotation.objects.order_by("-id")[:3])
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing is left to answer")
    check(page)


def test_analysts_see_how_people_agree(page: Page, project: AnnotationProject) -> None:
    page.goto("/annotate/")
    page.get_by_role("link", name="Go on").click()
    for _ in range(6):
        page.keyboard.press("1")
        expect(page.locator(".page-head p.small")).to_be_visible()
    page.goto("/annotate/")
    page.get_by_role("link", name="Agreement").click()
    expect(page.get_by_role("heading", name="Slates of 4 drawn evenly")).to_be_visible()
    check(page)
