"""The studies there are, by name, in the order in which they are printed."""

from evaluation.stats.simulated.coverage import COVERAGE
from evaluation.stats.simulated.dealing import DEALING
from evaluation.stats.simulated.loop import LOOP, LOOP_EQUAL, LOOP_MILDER
from evaluation.stats.simulated.material import MATERIAL
from evaluation.stats.simulated.mixed import MIXED, MIXED_TIME
from evaluation.stats.simulated.rigging import RIGGING
from evaluation.stats.simulated.separation import SEPARATION
from evaluation.stats.simulated.study import Study
from evaluation.stats.simulated.watching import WATCHING
from evaluation.stats.simulated.winner import WINNER

STUDIES: dict[str, Study] = {
    study.name: study
    for study in (
        *(COVERAGE, WATCHING, DEALING, WINNER, SEPARATION, RIGGING, MIXED, MIXED_TIME),
        *(LOOP, LOOP_MILDER, LOOP_EQUAL, MATERIAL),
    )
}
