"""How well simulated users answer as people do, on questions that people answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.stats import agreement as stats
from evaluation.stats.agreement_answers import StandIn, alternative_annotator_test, two_way_interval
from evaluation.stats.agreement_curves import CurvePoint, curve
from evaluation.stats.intervals import Interval
from search.catalogues.judgements import Answers, Judgements
from search.engine.bootstrap import Estimate, estimate_share
from search.engine.navigation.judgements import measure_distances, shares_choosing
from search.models import Catalogue
from search.services.judgements import JudgedCatalogue, open_judged, open_sight
from search.services.navigation_terrain import NoSuchSpace, list_spaces

ALL = "all"
OPTIONS = 2
WIDEST = 1000.0  # margin: the nearest option may lie in the very place of the reference
Floats = NDArray[np.float64]
Say = Callable[[str, int, int], None]  # what is done, spaces done, spaces in all


@dataclass(frozen=True)
class Poll:
    """n questions of k options: ``references`` (n,) names what each is about, ``votes`` (n, k) count people.

    ``answers`` where it is known who gave them; everybody answers a question at most once.
    """

    references: NDArray[np.int64]
    votes: NDArray[np.int64]
    answers: Answers | None


@dataclass(frozen=True)
class People:
    """How people agree among themselves; ``majority``: how often one answers as most of the others do."""

    agreement: Estimate
    ac1: float
    alpha: float
    majority: float


@dataclass(frozen=True)
class SpaceAgreement:
    """One simulated user beside people.

    ``majority``: the share of questions with a majority in which the user chose as most people did; ``ac1``
    and ``alpha`` are of these answers. ``person``: how likely a person drawn by lot chose as the user did, to
    be held against how people agree with each other: on the same questions, which two or more answered.
    ``margins``: agreement with the majority by how much farther the second option is than the first (d2/d1);
    ``clarity``: by the majority's lead as a share of the answers. ``by_people`` and ``stand_in`` where it is
    known who answered; ``person`` where two did.
    """

    space: str
    majority: Estimate
    person: Estimate | None
    ac1: float
    alpha: float
    margins: list[CurvePoint]
    clarity: list[CurvePoint]
    by_people: Interval | None
    stand_in: StandIn | None

    def as_json(self) -> dict[str, Any]:
        """The row under the keys that do not change; ``agreement`` is with the majority."""
        return {
            "space": self.space,
            "agreement": self.majority.mean,
            "low": self.majority.low,
            "high": self.majority.high,
            "ac1": self.ac1,
            "alpha": self.alpha,
            "person": self.person and self.person.mean,
            "person_low": self.person and self.person.low,
            "person_high": self.person and self.person.high,
            "margins": [asdict(point) for point in self.margins],
            "clarity": [asdict(point) for point in self.clarity],
            "by_people": self.by_people and asdict(self.by_people),
            "stand_in": self.stand_in and asdict(self.stand_in),
        }


@dataclass(frozen=True)
class AgreementTable:
    """Best first. ``decided``: questions that have a majority."""

    judged: JudgedCatalogue
    people: People
    decided: int
    rows: list[SpaceAgreement]
    versions: dict[str, str]

    def as_json(self) -> dict[str, Any]:
        """The table under the keys that do not change."""
        judgements, people = self.judged.judgements, self.people
        return {
            "questions": len(judgements),
            "human_human": people.agreement.mean,
            "rows": [row.as_json() for row in self.rows],
            "chance": stats.chance(OPTIONS),
            "decided": self.decided,
            "people": {
                "low": people.agreement.low,
                "high": people.agreement.high,
                "ac1": people.ac1,
                "alpha": people.alpha,
                "majority": people.majority,
            },
            "answers": int(judgements.votes.sum()),
            "items": len(judgements.names),
            "lights": list(self.judged.lights),
            "catalogue": self.judged.catalogue.slug,
            "versions": {
                "catalogue": self.judged.catalogue.content_hash,
                "judgements": judgements.sha256,
                "spaces": self.versions,
                **{name: version(name) for name in ("dopeornope", "numpy", "scipy")},
            },
        }


def measure_agreement(*, catalogue: Catalogue, path: Path, space: str, say: Say) -> AgreementTable:
    """Compare one space's exact user with people, or every ready space's and every mask's (`ALL`).

    Raises ``NoSuchSpace``, JudgementsRejected, NothingToCompare and ArtifactDamaged.
    """
    judged = open_judged(catalogue=catalogue, path=path)
    poll = as_poll(judged.judgements)
    people = describe_people(poll)
    known = list_spaces(catalogue)
    wanted = choose_spaces(catalogue, space)
    rows = []
    for done, name in enumerate(wanted):
        say(name, done, len(wanted))
        distances = measure_distances(open_sight(judged, name), judged.judgements.triplets)
        rows.append(compare(name, shares_choosing(distances), distances, poll))
    rows.sort(key=lambda row: -row.majority.mean)
    decided = int((stats.majorities(poll.votes) != stats.NOBODY).sum())
    return AgreementTable(judged, people, decided, rows, {name: known[name] for name in wanted})


def as_poll(judgements: Judgements) -> Poll:
    """The questions of a table of judgements, of two options each."""
    return Poll(judgements.triplets[:, 0], judgements.votes, judgements.answers)


def choose_spaces(catalogue: Catalogue, space: str) -> list[str]:
    """The space of a name, or all that are ready with `ALL`. Raises ``NoSuchSpace`` where there is none."""
    wanted = list(list_spaces(catalogue)) if space == ALL else [space]
    if not wanted:
        raise NoSuchSpace(f"“{catalogue.title}” has no space that is ready: build its contenders.")
    return wanted


def describe_people(poll: Poll) -> People:
    """How people agree among themselves. Raises NothingToCompare."""
    votes = poll.votes
    found = stats.measure(stats.in_every_order(votes))
    pairs = stats.pairs_in_agreement(votes)
    paired = ~np.isnan(pairs)
    if (stats.majorities(votes) == stats.NOBODY).all():
        raise stats.NothingToCompare("No question has a majority: ask more people.")
    return People(
        agreement=estimate_share(pairs[None, paired], poll.references[paired]),
        ac1=found.ac1,
        alpha=found.alpha,
        majority=float(np.nanmean(stats.shares_with_the_others(votes))),
    )


def compare(name: str, chosen: Floats, distances: NDArray[np.floating], poll: Poll) -> SpaceAgreement:
    """A user who chooses each option so often, ``chosen`` (n, k), beside what people chose.

    ``distances`` (n, k, squared) are those by which it chooses. Whoever chooses by lot is right so often as
    the lot falls on what people chose, wherever its choices are counted. Raises NothingToCompare.
    """
    votes, references = poll.votes, poll.references
    several = votes.sum(axis=1) > 1
    most = stats.majorities(votes)
    decided = most != stats.NOBODY
    right = np.take_along_axis(chosen[decided], most[decided, None], axis=1)[:, 0]
    shares = votes[decided].max(axis=1) / votes[decided].sum(axis=1)
    coefficients = stats.measure_pairs(right, votes.shape[1])
    person = stats.shares_agreeing(votes[several], chosen[several])
    return SpaceAgreement(
        space=name,
        majority=estimate_share(right[None], references[decided]),
        person=estimate_share(person[None], references[several]) if several.any() else None,
        ac1=coefficients.ac1,
        alpha=coefficients.alpha,
        margins=curve(_measure_margins(distances[decided]), right),
        clarity=curve(2 * shares - 1, right),
        by_people=_interval_by_people(chosen, poll),
        stand_in=_test_stand_in(chosen, poll),
    )


def _measure_margins(distances: NDArray[np.floating]) -> Floats:
    """How many times as far the second nearest is as the nearest, at most `WIDEST`; 1 where both are here."""
    near, far = np.sort(np.sqrt(distances.astype(float)), axis=1)[:, :2].T
    ratios = np.divide(far, np.maximum(near, far / WIDEST), out=np.ones_like(far), where=far > 0)
    return np.asarray(ratios)


def _interval_by_people(chosen: Floats, poll: Poll) -> Interval | None:
    answers = poll.answers
    if answers is None:
        return None
    right = chosen[answers.questions, answers.options]
    return two_way_interval(right, answers.people, poll.references[answers.questions])


def _test_stand_in(chosen: Floats, poll: Poll) -> StandIn | None:
    answers = poll.answers
    if answers is None:
        return None
    return alternative_annotator_test(
        chosen[answers.questions], answers.options, answers.people, answers.questions
    )
