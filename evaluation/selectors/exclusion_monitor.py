"""How much is left out of the counts, over time and by what found it: for who watches that checks work."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Sum
from django.db.models.functions import TruncDate

from evaluation.models import Player, Ranking, Ruling, Verdict
from evaluation.selectors.exclusions import Exclusion, list_exclusions, list_standing_exclusions
from evaluation.stats.vetting import State
from search.models import Catalogue

DAYS = 60
# Of all answers; above, a broken check is likelier than so much fraud.
MUCH = 0.05
BY_HAND = "by hand"


@dataclass(frozen=True)
class ExclusionDay:
    """Verdicts of one day in UTC, and how many players were left out when it ended."""

    day: date
    excluded: int
    answers: int
    restored: int
    standing: int


@dataclass(frozen=True)
class CheckStates:
    """Of the players the last rankings looked at, how many pass, fail or are unknown to one check."""

    check: str
    passed: int
    failed: int
    unknown: int


@dataclass(frozen=True)
class Exclusions:
    """``share`` is of all answers, None without any; ``found_by`` counts players by check, or by hand."""

    reasons: Sequence[Exclusion]
    players: int
    answers: int
    share: float | None
    found_by: Sequence[tuple[str, int]]
    days: Sequence[ExclusionDay]
    states: Sequence[CheckStates]

    @property
    def is_much(self) -> bool:
        return self.share is not None and self.share > MUCH


def read_exclusions() -> Exclusions:
    """Everything from verdicts and players: no vote is read."""
    reasons = list_exclusions()
    out = sum(one.judged for one in reasons)
    judged = Player.objects.aggregate(judged=Sum("judged", default=0))["judged"]
    return Exclusions(
        reasons=reasons,
        players=sum(one.players for one in reasons),
        answers=out,
        share=out / judged if judged else None,
        found_by=_count_finders(),
        days=_list_days(),
        states=_count_states(),
    )


def _count_finders() -> list[tuple[str, int]]:
    rows = list_standing_exclusions().order_by().values_list("check_name").annotate(Count("pk"))
    return sorted(((name or BY_HAND, players) for name, players in rows), key=lambda row: (-row[1], row[0]))


def _list_days() -> list[ExclusionDay]:
    """The last days with verdicts, newest first."""
    rows = Verdict.objects.annotate(day=TruncDate("made_at")).order_by("day").values_list("day", "ruling")
    by_day: dict[date, dict[str, tuple[int, int]]] = defaultdict(dict)
    for day, ruling, players, answers in rows.annotate(Count("pk"), Sum("judged")):
        by_day[day][ruling] = players, answers
    days = []
    standing = 0
    for day, verdicts in by_day.items():
        excluded, answers = verdicts.get(Ruling.EXCLUDED, (0, 0))
        restored, _ = verdicts.get(Ruling.RESTORED, (0, 0))
        standing += excluded - restored
        days.append(ExclusionDay(day, excluded, answers, restored, standing))
    return days[: -DAYS - 1 : -1]


def _count_states() -> list[CheckStates]:
    """A player counts once for each catalogue whose last ranking looked at them."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for catalogue in Catalogue.objects.all():
        newest = Ranking.objects.filter(catalogue=catalogue).order_by("-made_at")
        for row in newest.values_list("figures__vetted", flat=True).first() or ():
            for finding in row["findings"]:
                counts[finding["check"]][finding["state"]] += 1
    return [
        CheckStates(check, told[State.PASS], told[State.FAIL], told[State.UNKNOWN])
        for check, told in sorted(counts.items())
    ]
