"""Calibrations: what index they are of, when they are asked for, when they count, and what is then said."""

import numpy as np
import pytest

from search.artifacts import open_index
from search.engine import no_match
from search.models import (
    Asking,
    BuildState,
    Calibration,
    Index,
    Job,
    JobState,
    Split,
)
from search.selectors.calibrations import Known, find_calibration, judge_answer
from search.services import builds, calibrating_run, jobs
from search.services.calibrating import hear_of_index, request_calibrations
from search.services.calibrating_run import ask_index, read_categories
from search.services.calibration_queries import choose_queries
from search.services.training_samples import read_items
from tests.factories import NOW, make_catalogue, make_image, store_image
from tests.search.spaces import make_space

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def one_cheap_encoder(monkeypatch):
    every = builds.list_all_encoders()
    monkeypatch.setattr(
        builds, "list_all_encoders", lambda: [e for e in every if e.name == "colour-histogram"]
    )


def run(job: Job) -> Job:
    return jobs.run_in_foreground(job=job, report=lambda row: None)


def build(catalogue, **which):
    """An index of the catalogue, built as workers do."""
    builds.request_contenders(catalogue=catalogue, now=NOW)
    for job in builds.iterate_builds(catalogue=catalogue):
        assert run(job).state == JobState.DONE
    return Index.objects.select_related("space").get(
        space__catalogue=catalogue, metric=which.get("metric", "l2")
    )


def calibrate(index: Index) -> Job:
    return run(Job.objects.get(kind="calibrate", catalogue=index.space.catalogue_id))


def photograph(catalogue, *, noise: int = 0) -> None:
    """Give every item a second view: another item's picture stands for one that looks unlike it."""
    for item in catalogue.items.all():
        item.lifestyle_sha256 = store_image(make_image(item.position + noise))
        item.save()


def test_the_indexes_of_a_network_are_calibrated_by_one_job():
    catalogue = make_catalogue(items=60)
    index = build(catalogue)
    assert [job.title for job in Job.objects.filter(kind="calibrate")] == ["Calibrate colour-histogram"]
    assert find_calibration(index) is None
    assert judge_answer(None, [0.1, 0.2], "boot").kind == "uncalibrated"
    assert calibrate(index).state == JobState.DONE
    known = find_calibration(index)
    assert known is not None
    assert known.calibration.alpha == 0.05
    assert sorted(row.index.metric for row in Calibration.objects.all()) == ["hamming", "l1", "l2"]
    row = Calibration.objects.get(index=index)
    assert (row.index_sha256, row.vectors_sha256) == (index.sha256, index.space.sha256)
    assert row.queries == 30, "items that no network learns from, each once"


def test_an_announcement_that_is_repeated_asks_for_nothing_anew():
    index = build(make_catalogue(items=40))
    calibrate(index)
    assert request_calibrations([index]) == []


def test_an_index_that_is_ready_while_its_network_is_calibrated_is_not_forgotten():
    """The job that runs may have listed its indexes already."""
    index = build(make_catalogue(items=40))
    Job.objects.filter(kind="calibrate").update(state=JobState.RUNNING)
    hear_of_index(index)
    hear_of_index(index)
    assert Job.objects.filter(kind="calibrate", state=JobState.QUEUED).count() == 1


def test_building_every_contender_asks_for_what_was_never_calibrated():
    catalogue = make_catalogue(items=40)
    build(catalogue)
    Job.objects.filter(kind="calibrate").delete()
    assert run(builds.request_build(catalogue=catalogue, now=NOW)).state == JobState.DONE
    assert Job.objects.filter(kind="calibrate", state=JobState.QUEUED).count() == 1


def test_a_calibration_that_cannot_be_asked_for_keeps_no_contender_out(monkeypatch):
    def broken():
        raise RuntimeError

    monkeypatch.setattr("search.services.calibrating.list_known_encoders", broken)
    assert build(make_catalogue(items=40)).state == BuildState.READY


def test_a_calibration_lets_what_people_wait_for_go_first():
    index = build(make_catalogue(items=40))
    job = Job.objects.get(kind="calibrate")
    other = jobs.create_job(kind="photo", arguments={"photo": 0}, key="x", title="x", catalogue=None, now=NOW)
    jobs.run_job(job_id=str(job.pk), worker="here:1")
    job.refresh_from_db()
    assert (job.state, job.attempt) == (JobState.QUEUED, 0)
    assert job.hinted_at is not None, "so that it comes again after a while, and not at once"
    jobs.cancel_job(job=other, now=NOW)
    jobs.run_job(job_id=str(job.pk), worker="here:1")
    assert find_calibration(index) is not None


def test_pictures_that_were_looked_at_before_it_was_put_off_are_not_looked_at_again(monkeypatch):
    index = build(make_catalogue(items=140))  # more queries than are looked at in one batch
    job = Job.objects.get(kind="calibrate")
    encode, looked_at = calibrating_run._load, []

    def load(queries, place):
        looked_at.append(place)
        if len(looked_at) == 20:
            jobs.create_job(kind="photo", arguments={}, key="x", title="x", catalogue=None, now=NOW)
        return encode(queries, place)

    monkeypatch.setattr(calibrating_run, "_load", load)
    jobs.run_job(job_id=str(job.pk), worker="here:1")
    assert find_calibration(index) is None
    Job.objects.filter(kind="photo").delete()
    jobs.run_job(job_id=str(job.pk), worker="here:1")
    assert find_calibration(index) is not None
    assert sorted(looked_at) == list(range(70))


def test_a_catalogue_that_was_imported_again_is_not_calibrated_by_its_old_indexes(monkeypatch):
    catalogue = make_catalogue(items=40)
    build(catalogue)
    catalogue.items.filter(position__lt=5).delete()
    catalogue.content_hash = "1" * 64
    catalogue.save()
    job = run(Job.objects.get(kind="calibrate"))
    assert (job.state, job.message) == (JobState.DONE, "Nothing is left to calibrate.")
    assert not Calibration.objects.exists()


def test_a_control_and_given_vectors_answer_no_photo_and_are_not_calibrated():
    catalogue = make_catalogue(items=20)
    given = make_space(catalogue, "mine", rows=20, family="vectors")
    control = make_space(catalogue, "lots", rows=20)
    control.is_control = True
    control.save()
    for space in (given, control):
        for index in Index.objects.filter(space=space).select_related("space"):
            index.space = space
            assert request_calibrations([index]) == []


def test_what_was_counted_over_another_index_is_void():
    catalogue = make_catalogue(items=40)
    index = build(catalogue)
    calibrate(index)
    assert find_calibration(index) is not None
    for change in ({"index_sha256": "0" * 64}, {"vectors_sha256": "0" * 64}):
        before = Calibration.objects.values(*change).get(index=index)
        Calibration.objects.filter(index=index).update(**change)
        assert find_calibration(index) is None
        Calibration.objects.filter(index=index).update(**before)
    index.state = BuildState.RETIRED
    assert find_calibration(index) is None


def test_an_index_that_is_replaced_is_calibrated_again():
    catalogue = make_catalogue(items=40)
    index = build(catalogue)
    calibrate(index)
    item = catalogue.items.first()
    item.image_sha256 = store_image(make_image(59))
    item.save()
    catalogue.content_hash = "1" * 64
    catalogue.save()
    newer = build_newest(catalogue)
    assert newer.pk != index.pk
    assert find_calibration(newer) is None
    index.refresh_from_db()
    assert find_calibration(index) is None, "it is retired"
    calibrate(newer)
    assert find_calibration(newer) is not None


def build_newest(catalogue):
    builds.request_contenders(catalogue=catalogue, now=NOW)
    for job in builds.iterate_builds(catalogue=catalogue):
        assert run(job).state == JobState.DONE
    return Index.objects.select_related("space").get(
        space__catalogue_hash=catalogue.content_hash, metric="l2", state=BuildState.READY
    )


@pytest.mark.parametrize("limits", [{}, [], None, {"alpha": 0.05}, "x"])
def test_a_damaged_calibration_says_nothing_rather_than_something_wrong(limits):
    index = build(make_catalogue(items=40))
    calibrate(index)
    Calibration.objects.filter(index=index).update(limits=limits if limits is not None else {"limits": None})
    assert find_calibration(index) is None
    verdict = judge_answer(find_calibration(index), [0.0, 1.0], "boot")
    assert (verdict.kind, verdict.words) == ("uncalibrated", "The nearest ones.")


def test_an_index_that_changes_while_it_is_calibrated_is_not_given_what_was_counted(monkeypatch):
    index = build(make_catalogue(items=40))
    settle = calibrating_run.settle

    def replaced_meanwhile(present, absent):
        Index.objects.filter(pk=index.pk).update(sha256="2" * 64)
        return settle(present, absent)

    monkeypatch.setattr(calibrating_run, "settle", replaced_meanwhile)
    job = calibrate(index)
    assert job.state == JobState.DONE
    assert not Calibration.objects.filter(index=index).exists()


def test_items_that_change_while_an_index_is_calibrated_leave_it_uncalibrated(monkeypatch):
    catalogue = make_catalogue(items=40)
    index = build(catalogue)
    settle = calibrating_run.settle

    def imported_meanwhile(present, absent):
        catalogue.content_hash = "1" * 64
        catalogue.save()
        return settle(present, absent)

    monkeypatch.setattr(calibrating_run, "settle", imported_meanwhile)
    job = calibrate(index)
    assert job.state == JobState.DONE
    assert "has changed" in job.message
    assert not Calibration.objects.exists()


def test_photos_of_items_in_use_are_asked_with_where_there_are_enough(monkeypatch):
    monkeypatch.setattr("search.services.calibration_queries.LEAST_QUERIES", 10)
    catalogue = make_catalogue(items=40)
    assert choose_queries(read_items(catalogue)).asking == Asking.CHANGED
    catalogue.items.update(group="")
    for item in catalogue.items.all():
        item.group = f"product {item.position // 4}"
        item.save()
    assert choose_queries(read_items(catalogue)).asking == Asking.OTHERS
    photograph(catalogue)
    chosen = choose_queries(read_items(catalogue))
    assert chosen.asking == Asking.PHOTOS
    sides = dict(catalogue.items.values_list("position", "split"))
    assert {sides[place] for place in chosen.places.tolist()} == {Split.EVALUATION}
    assert len(chosen) == len(set(chosen.places.tolist())) == 20


def test_the_products_own_pictures_are_not_found_when_it_is_taken_away(monkeypatch):
    """Photos that are the very catalogue pictures: there, each is found at no distance; removed, none is."""
    monkeypatch.setattr("search.services.calibration_queries.LEAST_QUERIES", 10)
    catalogue = make_catalogue(items=60)
    photograph(catalogue)
    index = build(catalogue)
    seen = {}

    def keep(present, absent):
        seen.update(present=present, absent=absent)
        return no_match.calibrate(present, absent)

    monkeypatch.setattr(calibrating_run, "settle", keep)
    assert calibrate(index).state == JobState.DONE
    assert seen["present"].right.all()
    assert np.allclose(seen["present"].distances[:, 0], 0, atol=1e-3)
    assert not seen["absent"].right.any()
    assert (seen["absent"].distances[:, 0] > 1e-3).all()


def make_known(limit=0.5, *, others=0):
    """Limits of 200 boots, and of some other things."""
    accepted = np.append(np.linspace(0.01, limit, 200), np.linspace(0.01, limit, others))
    count, names = 200 + others, np.repeat(["boot", "tie"], [200, others])
    present = no_match.Asked(np.stack([accepted, np.ones(count)], 1), names, np.ones(count, bool))
    absent = no_match.Asked(np.stack([accepted + limit, np.ones(count) * 2], 1), names, np.zeros(count, bool))
    return no_match.calibrate(present, absent, chosen="distance")


def test_what_is_said_names_the_promise_and_what_it_was_counted_on():
    known = Known(Asking.PHOTOS, make_known())
    match = judge_answer(known, [0.1, 0.9], "boot")
    assert (match.kind, match.words) == ("match", "This is it.")
    assert "at most 5 of 100 photos of things that are not here are told this" in match.promise
    assert "counted on 200 photos of items in use (boot)" in match.promise
    assert "parts" not in match.promise
    assert "not on parts of them" in judge_answer(known, [0.1, 0.9], "boot", of_part=True).promise
    nothing = judge_answer(known, [9.0, 9.1], "boot")
    assert (nothing.kind, nothing.words) == ("nothing", "Nothing like it here.")
    assert "at most 5 of 100 photos of things that are here are told this" in nothing.promise
    assert judge_answer(known, [], "boot").kind == "nothing"


def test_of_categories_with_few_queries_it_is_said_that_they_are_counted_together():
    known = Known(Asking.PHOTOS, make_known(others=99))
    hat = judge_answer(known, [9.0, 9.1], "hat")
    assert hat.kind == "nothing"
    assert "counted on 99 photos of items in use (categories with few of them)" in hat.promise
    none_left = judge_answer(Known(Asking.PHOTOS, make_known()), [0.1, 0.9], "hat")
    assert none_left.kind == "similar"
    assert "too few to count on, 0 photos of items in use (categories with few" in none_left.promise


def test_of_two_that_are_near_duplicates_one_is_the_first_and_the_other_not_the_second(monkeypatch):
    monkeypatch.setattr("search.services.calibration_queries.LEAST_QUERIES", 10)
    catalogue = make_catalogue(items=60)
    photograph(catalogue)
    first, second = catalogue.items.order_by("position")[:2]
    second.image_sha256, second.near_duplicate_of = first.image_sha256, first
    second.save()
    index = build(catalogue)
    items = read_items(catalogue)
    queries = choose_queries(items)
    [place] = np.flatnonzero(queries.places == 0)
    vectors = np.asarray(open_index(index).index.vectors.rows)[queries.places]
    present, absent = ask_index(index, items, queries, vectors, categories=read_categories(catalogue))
    near, other = present.asked.distances[place]
    assert near == 0
    assert other > 0
    assert absent.asked.distances[place, 0] > 0, "its near-duplicate is taken away with it"


def test_a_near_duplicate_of_the_picture_that_is_asked_with_is_no_other_picture_of_the_product(monkeypatch):
    monkeypatch.setattr("search.services.calibration_queries.LEAST_QUERIES", 1)
    catalogue = make_catalogue(items=60)
    catalogue.items.update(group="")
    first, second, third, fourth, *_ = catalogue.items.order_by("position")
    for item in (first, second, third):
        item.group = "product"
    fourth.near_duplicate_of, fourth.group = third, "product"
    second.near_duplicate_of = first  # of other bytes
    for item in (first, second, third, fourth):
        item.split = Split.EVALUATION
        item.save()
    index = build(catalogue)
    items = read_items(catalogue)
    queries = choose_queries(items)
    assert queries.asking == Asking.OTHERS
    assert sorted(queries.places.tolist()) == [0, 1, 2, 3]
    vectors = np.asarray(open_index(index).index.vectors.rows)[queries.places]
    present, absent = ask_index(index, items, queries, vectors, categories=read_categories(catalogue))
    answers = dict(zip(queries.places.tolist(), present.first.tolist(), strict=True))
    assert answers[0] != 1
    assert answers[1] != 0
    assert {2, 3}.isdisjoint({answers[2], answers[3]})
    assert set(absent.first.tolist()).isdisjoint({0, 1, 2, 3})
    catalogue.items.filter(pk__in=[third.pk, fourth.pk]).update(group="")
    only_copies = choose_queries(read_items(catalogue))
    assert only_copies.asking == Asking.CHANGED, "one picture and its near-duplicate are no two pictures"


def test_the_operators_page_shows_what_is_calibrated_and_what_is_not(operator):
    catalogue = make_catalogue(items=40)
    index = build(catalogue)
    page = operator.get("/operations/").content.decode()
    assert page.count("not calibrated") == 3
    calibrate(index)
    page = operator.get("/operations/").content.decode()
    assert "not calibrated" not in page
    assert "counted on 20 the items" in page
