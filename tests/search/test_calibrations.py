"""Calibrations: what index they are of, when they are asked for, when they count, and what is then said."""

import pytest

from search.models import (
    BuildState,
    Calibration,
    Index,
    Job,
    JobState,
)
from search.selectors.calibrations import find_calibration, judge_answer
from search.services import builds, calibrating_run, jobs
from search.services.calibrating import hear_of_index, request_calibrations
from tests.factories import NOW, make_catalogue, make_image, store_image
from tests.search.calibrating import build, calibrate, run
from tests.search.spaces import make_space

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("one_cheap_encoder")]


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


def test_the_operators_page_shows_what_is_calibrated_and_what_is_not(operator):
    catalogue = make_catalogue(items=40)
    index = build(catalogue)
    page = operator.get("/operations/").content.decode()
    assert page.count("not calibrated") == 3
    calibrate(index)
    page = operator.get("/operations/").content.decode()
    assert "not calibrated" not in page
    assert "counted on 20 the items" in page
