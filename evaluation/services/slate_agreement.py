"""How people agree about whole slates, with themselves and each other, and simulated users with people."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from evaluation.models import AnnotationProject
from evaluation.selectors.annotation_picks import list_slates
from evaluation.services.agreement import Say, SpaceAgreement, compare
from evaluation.services.slate_parts import SamePerson, SlatePart, divide_slates
from evaluation.stats.agreement import NothingToCompare
from search.catalogues.slate_judgements import SlateJudgements, gather_slates, read_slate_judgements
from search.engine.navigation.choices import ChoiceModel, calibrate
from search.engine.navigation.judgements import measure_distances, shares_choosing
from search.engine.navigation.terrain import Vectors
from search.models import Catalogue
from search.services.judgements import find_items, open_views
from search.services.navigation_terrain import list_spaces, open_terrain

EXACT, NOISY = "exact", "noisy"
USUAL = 0.79  # how often a noisy user picks the nearest of slates drawn evenly, unless told


@dataclass(frozen=True)
class SlateUser:
    """One simulated user beside people; ``user`` as `simulate_navigation` names it."""

    user: str
    agreement: SpaceAgreement

    def as_json(self) -> dict[str, Any]:
        """The row under the keys that do not change, those of a file of pairs and ``user``."""
        return {"user": self.user, **self.agreement.as_json()}


@dataclass(frozen=True)
class MeasuredPart:
    """A part of the slates, and simulated users on it, best first; none where no slate has a majority."""

    part: SlatePart
    rows: list[SlateUser]

    def as_json(self) -> dict[str, Any]:
        """The part under the keys that do not change."""
        part, people = self.part, self.part.people
        return {
            "slate": part.options,
            "shown": part.shown,
            "sources": list(part.sources),
            "questions": len(part.questions),
            "human_human": people and people.agreement.mean,
            "rows": [row.as_json() for row in self.rows],
            "chance": part.chance,
            "decided": part.decided,
            "answers": part.answers,
            "unsure": part.unsure,
            "people": people
            and {
                "low": people.agreement.low,
                "high": people.agreement.high,
                "ac1": people.ac1,
                "alpha": people.alpha,
                "majority": people.majority,
                "by_people": part.by_people and asdict(part.by_people),
            },
            "again": part.again and asdict(part.again),
            "persons": [_describe_person(person) for person in part.persons],
        }


@dataclass(frozen=True)
class Survey:
    """Answers about slates, of a project or of a file, which has none; ``checksum`` is theirs."""

    judgements: SlateJudgements
    checksum: str
    project: str | None


@dataclass(frozen=True)
class SlateTable:
    """``lights`` names the views of things that were pictured several times; ``versions`` is by space."""

    catalogue: Catalogue
    survey: Survey
    lights: tuple[str, ...]
    noisy: float | None
    parts: list[MeasuredPart]
    versions: dict[str, str]

    def as_json(self) -> dict[str, Any]:
        """The table under the keys that do not change."""
        return {
            "project": self.survey.project,
            "catalogue": self.catalogue.slug,
            "questions": sum(len(one.part.questions) for one in self.parts),
            "items": len(self.survey.judgements.names),
            "lights": list(self.lights),
            "noisy": self.noisy,
            "parts": [one.as_json() for one in self.parts],
            "versions": {
                "catalogue": self.catalogue.content_hash,
                "judgements": self.survey.checksum,
                "spaces": self.versions,
                **{name: version(name) for name in ("dopeornope", "numpy", "scipy")},
            },
        }


def open_survey(project: AnnotationProject) -> Survey:
    """What people answered in a project. Raises NothingToCompare where nobody has."""
    picks = list_slates(project)
    if not picks:
        raise NothingToCompare(f"Nobody has answered in “{project.title}” yet: invite annotators.")
    rows = json.dumps([asdict(pick) for pick in picks], ensure_ascii=False)
    return Survey(gather_slates(picks), hashlib.sha256(rows.encode()).hexdigest(), project.slug)


def read_survey(path: Path) -> Survey:
    """What people answered, from a table of slates. Raises JudgementsRejected."""
    judgements, sha256 = read_slate_judgements(path)
    return Survey(judgements, sha256, None)


def measure_slates(
    survey: Survey, *, catalogue: Catalogue, spaces: Sequence[str], noisy: float | None, say: Say
) -> SlateTable:
    """People beside each other, and beside the simulated users of these spaces, or of none.

    ``noisy`` is how often the noisy user picks the nearest of slates drawn evenly; None leaves it out. In a
    space in which no exponent gives that share there is no such user. Raises NothingToCompare,
    JudgementsRejected where an item is not in the catalogue, ``NoSuchSpace`` and ArtifactDamaged.
    """
    parts = divide_slates(survey.judgements)
    if not parts:
        raise NothingToCompare("Nobody picked anything: all of them cannot tell.")
    items, lights = find_items(catalogue, survey.judgements.names)
    known = list_spaces(catalogue)
    users: list[list[SlateUser]] = [[] for _ in parts]
    for done, space in enumerate(spaces):
        say(space, done, len(spaces))
        sight = open_views(catalogue, space, items)
        for part, found in zip(parts, users, strict=True):
            if part.decided:
                found += _ask(catalogue, space, measure_distances(sight, part.questions), noisy, part)
    for found in users:
        found.sort(key=lambda user: -user.agreement.majority.mean)
    return SlateTable(
        catalogue=catalogue,
        survey=survey,
        lights=lights,
        noisy=noisy,
        parts=[MeasuredPart(*one) for one in zip(parts, users, strict=True)],
        versions={space: known[space] for space in spaces},
    )


def _ask(
    catalogue: Catalogue, space: str, squared: Vectors, noisy: float | None, part: SlatePart
) -> Iterator[SlateUser]:
    yield SlateUser(EXACT, compare(space, shares_choosing(squared), squared, part.poll))
    if noisy and (model := _calibrate(catalogue, space, noisy, part.options)):
        found = compare(space, model.chances(squared).astype(float), squared, part.poll)
        # Who picks by chance says nothing of their own that could be held against what a person said.
        yield SlateUser(f"{NOISY}:{noisy:g}", replace(found, stand_in=None))


def _calibrate(catalogue: Catalogue, space: str, agreement: float, options: int) -> ChoiceModel | None:
    terrain = open_terrain(catalogue=catalogue, space=space).terrain
    try:
        return calibrate(terrain, agreement, options)
    except ValueError:  # all lies in one place, or lots agree as often
        return None


def _describe_person(person: SamePerson) -> dict[str, Any]:
    return {
        "person": person.person,
        "answers": person.answers,
        "repeats": person.repeats,
        "same": person.same,
        "low": person.interval and person.interval.low,
        "high": person.interval and person.interval.high,
    }
