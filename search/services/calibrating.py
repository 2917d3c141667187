"""Calibrating: the job that counts how far the answers of indexes can be believed.

Asked for whenever an index is announced, and so after every build, retraining or replacement, and once more
by each build. There is one job per network: its masks and layers look at a photo in one pass.
"""

import logging
from collections.abc import Iterable

from search.engine.encoders.vectors import GIVEN_FAMILY
from search.models import BuildState, Catalogue, Index, Job, JobState
from search.pgvector.errors import NotLoaded, VectorsAway
from search.selectors.calibrations import find_calibration
from search.selectors.clock import read_clock
from search.selectors.encoders import list_known_encoders
from search.services.jobs import JobContext, create_job
from search.services.vectors_server import AWAY

KIND = "calibrate"

log = logging.getLogger(__name__)


def request_calibrations(indexes: Iterable[Index]) -> list[Job]:
    """Jobs for those of the indexes that answer photos and have no calibration that counts."""
    uncalibrated = [index for index in indexes if needs_calibration(index)]
    network_of = {info.name: info.network for info in list_known_encoders()} if uncalibrated else {}
    wanted = {
        (index.space.catalogue, network_of.get(index.space.encoder, index.space.encoder))
        for index in uncalibrated
    }
    return [
        _request(catalogue, network)
        for catalogue, network in sorted(wanted, key=lambda one: (one[0].pk, one[1]))
    ]


def needs_calibration(index: Index) -> bool:
    space = index.space
    is_asked = not space.is_control and space.family != GIVEN_FAMILY and index.state == BuildState.READY
    return is_asked and find_calibration(index) is None


def hear_of_index(index: Index) -> None:
    """To finished indexes. What goes wrong keeps no contender out: the next build asks again."""
    try:
        request_calibrations([index])
    except Exception:
        log.exception("no calibration of %s could be asked for", index)


def run_calibration(context: JobContext) -> None:
    """Calibrate the indexes of the network ``arguments["network"]`` over ``arguments["catalogue"]``."""
    # It imports torch, which web processes do without.
    from search.services import calibrating_run

    try:
        calibrating_run.run(context)
    except (NotLoaded, VectorsAway):
        context.put_off(AWAY)


def _request(catalogue: Catalogue, network: str) -> Job:
    key = f"calibrate:{catalogue.pk}:{network[:150]}"
    running = Job.objects.filter(idempotency_key=key, state=JobState.RUNNING).first()
    if running is not None:
        # It may have listed its indexes before this one was ready.
        key = f"{key}:{running.fence}"
    return create_job(
        kind=KIND,
        arguments={"catalogue": catalogue.pk, "network": network},
        key=key,
        title=f"Calibrate {network}",
        catalogue=catalogue,
        now=read_clock(),
        again=True,
    )
