"""Calibrating: the job that counts how far the answers of an index can be believed.

Asked for whenever an index is announced, and so after every build, retraining or replacement.
"""

from search.models import BuildState, Index, Job
from search.selectors.calibrations import find_calibration
from search.selectors.clock import read_clock
from search.services.jobs import JobContext, create_job

KIND = "calibrate"
GIVEN_VECTORS = "vectors"  # the family of spaces that no encoder here can look at a photo for


def request_calibration(index: Index) -> Job | None:
    """The job for an index that answers photos and has no calibration that counts; None for others."""
    space = index.space
    if space.is_control or space.family == GIVEN_VECTORS or index.state != BuildState.READY:
        return None
    if find_calibration(index) is not None:
        return None
    return create_job(
        kind=KIND,
        arguments={"index": index.pk},
        key=f"calibrate:{index.pk}:{index.sha256[:16]}",
        title=f"Calibrate {space.title} by {index.get_metric_display()}",
        catalogue=space.catalogue,
        now=read_clock(),
        again=True,
    )


def hear_of_index(index: Index) -> None:
    """Subscriber to finished indexes."""
    request_calibration(index)


def run_calibration(context: JobContext) -> None:
    """Calibrate the index ``arguments["index"]`` and publish that."""
    # It imports torch, which web processes do without.
    from search.services import calibrating_run

    calibrating_run.run(context)
