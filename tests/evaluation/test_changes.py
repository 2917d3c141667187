"""The public change log: nothing that became of a contender gets lost, for people and for programs."""

from datetime import timedelta
from importlib import import_module
from typing import Any
from xml.etree import ElementTree

import pytest
from django.apps import apps
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test import Client

from evaluation.models import BoardChange, Contender, Promotion
from evaluation.selectors.changes import list_changes_of, read_changes, select_changes
from evaluation.services.contenders import retire_contender, take_place
from search.live import may_watch, read_revisions
from search.models import CatalogueState
from tests.factories import NOW, make_catalogue, make_contender, make_contenders

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def told() -> list[tuple[str, int | None]]:
    return [(one.kind, one.contender and one.contender.pk) for one in read_changes(list(select_changes()))]


@pytest.fixture
def versions() -> tuple[Contender, Contender]:
    """Two versions of one encoder; the second has just taken the first one's place."""
    catalogue = make_catalogue(items=4, with_images=False, now=NOW - DAY)
    [first] = make_contenders(catalogue, count=1, with_control=False)
    second = make_contender(catalogue, encoder="second")
    Contender.objects.filter(pk=second.pk).update(
        encoder=first.encoder, metric=first.metric, title=first.title, encoder_version="2"
    )
    second.refresh_from_db()
    take_place(contender=second, now=NOW + DAY)
    return first, second


def test_what_happened_is_told_newest_first(versions: tuple[Contender, Contender]) -> None:
    first, second = versions
    assert told() == [
        ("replaced", first.pk),
        ("entered", second.pk),
        ("entered", first.pk),
        ("catalogue", None),
    ]
    [_, gone] = list_changes_of(first)
    assert (gone.by, gone.at) == (second, NOW + DAY)
    assert "another version took its place: version 2" in gone.told


def test_an_open_page_hears_of_a_change_and_fetches_the_log_again(
    versions: tuple[Contender, Contender],
) -> None:
    before = read_revisions(["changes"])["changes"]
    retire_contender(contender=versions[1], now=NOW + 2 * DAY)
    assert read_revisions(["changes"]) == {"changes": before + 1}
    log = Client().get("/leaderboard/changes/log/")
    assert f'data-revision="{before + 1}"' in log.content.decode()
    assert "was retired" in log.content.decode()
    assert log["Cache-Control"] == "no-cache"
    assert may_watch(AnonymousUser(), ["changes"])


def test_who_returns_leaves_the_story_of_having_been_replaced(versions: tuple[Contender, Contender]) -> None:
    first, second = versions
    take_place(contender=first, now=NOW + 2 * DAY)
    take_place(contender=first, now=NOW + 3 * DAY)  # stands there already
    assert [one.kind for one in list_changes_of(first)] == ["entered", "replaced", "returned"]
    assert [one.kind for one in list_changes_of(second)] == ["entered", "replaced"]


def test_who_is_retired_twice_is_told_once(versions: tuple[Contender, Contender]) -> None:
    _, second = versions
    for _ in range(2):
        retire_contender(contender=second, now=NOW + 2 * DAY)
    assert [one.kind for one in list_changes_of(second)] == ["entered", "retired"]


def test_who_is_in_charge_is_told_without_who_decided(versions: tuple[Contender, Contender]) -> None:
    first, second = versions
    kinds = [Promotion.Kind.APPOINTED, Promotion.Kind.PROMOTED, Promotion.Kind.ROLLED_BACK]
    for number, (kind, contender) in enumerate(zip(kinds, (first, second, first), strict=True), start=1):
        Promotion.objects.create(
            catalogue=first.catalogue,
            number=number,
            kind=kind,
            contender=contender,
            made_by="olga",
            made_at=NOW + (number + 1) * DAY,
        )
    assert told()[:3] == [("rolled-back", first.pk), ("promoted", second.pk), ("appointed", first.pk)]
    assert [one.kind for one in list_changes_of(second)] == ["entered", "promoted"]
    for part in ("", "feed.atom", "changes.json"):
        assert "olga" not in Client().get(f"/leaderboard/changes/{part}").content.decode()
    page = Client().get("/leaderboard/changes/").content.decode()
    assert "won blind, and took charge of Demo" in page
    assert "is in charge of Demo again" in page


def test_what_is_still_entering_or_being_imported_is_no_news() -> None:
    catalogue = make_catalogue(items=4, with_images=False)
    make_contender(catalogue)
    catalogue.state = CatalogueState.IMPORTING
    catalogue.save()
    assert told() == []
    assert "Nothing yet" in Client().get("/leaderboard/changes/").content.decode()


def test_page_feed_and_json_tell_the_same(versions: tuple[Contender, Contender]) -> None:
    first, _ = versions
    Contender.objects.update(title="<b>bold</b> & loud")
    page = Client().get("/leaderboard/changes/").content.decode()
    assert "&lt;b&gt;bold" in page and "<b>bold" not in page
    assert f"/leaderboard/contenders/{first.pk}/" in page
    rows = Client().get("/leaderboard/changes/changes.json").json()["changes"]
    assert [row["kind"] for row in rows] == [kind for kind, _ in told()]
    assert rows[0]["taken_by_version"] == "2"
    answer = Client().get("/leaderboard/changes/feed.atom")
    assert answer["Content-Type"].startswith("application/atom+xml")
    space = "{http://www.w3.org/2005/Atom}"
    entries = ElementTree.fromstring(answer.content).findall(f"{space}entry")
    assert [one.findtext(f"{space}title") for one in entries] == [row["text"] for row in rows]
    ids = [one.findtext(f"{space}id") for one in entries]
    assert len(set(ids)) == len(rows)


def test_the_feed_stays_readable_and_its_entries_the_same_whoever_asks(
    versions: tuple[Contender, Contender], settings: Any
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    Contender.objects.update(title="bell\x07 and \ufffe")
    name = "{http://www.w3.org/2005/Atom}id"
    one, other = (
        ElementTree.fromstring(Client().get("/leaderboard/changes/feed.atom", headers={"host": host}).content)
        for host in ("one.example", "other.example")
    )
    ids = [element.text for element in one.iter(name)]
    assert ids == [element.text for element in other.iter(name)]
    assert len(set(ids)) == len(told()) + 1 and all(id.startswith("tag:") for id in ids)


def test_a_long_log_is_read_a_page_at_a_time(
    versions: tuple[Contender, Contender], django_assert_max_num_queries
) -> None:
    first, _ = versions
    BoardChange.objects.bulk_create(
        BoardChange(contender=first, kind="returned", at=NOW - n * DAY) for n in range(120)
    )
    with django_assert_max_num_queries(5):
        newest = Client().get("/leaderboard/changes/")
    assert len(newest.context["changes"]) == 50
    oldest = Client().get("/leaderboard/changes/?page=3").context["changes"]
    assert len(oldest) == 24
    assert oldest[-1].at < newest.context["changes"][-1].at
    for beyond in ("99", "0", "-1", "x", "1" * 50):
        assert Client().get(f"/leaderboard/changes/?page={beyond}").status_code == 200


def test_what_happened_before_there_was_a_log_is_read_off_the_contenders(
    versions: tuple[Contender, Contender],
) -> None:
    first, _ = versions
    before = told()
    BoardChange.objects.all().delete()
    migration = import_module("evaluation.migrations.0019_board_changes")
    migration.tell_the_past(apps, connection.schema_editor())
    assert sorted(told(), key=str) == sorted(before, key=str)
    assert list_changes_of(first)[-1].by is not None
