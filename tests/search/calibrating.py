"""A catalogue that is built, photographed and calibrated: what the tests of calibrations start from."""

from search.models import Index, Job, JobState
from search.services import builds, jobs
from tests.factories import NOW, make_image, store_image


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
