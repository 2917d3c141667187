"""The newest ranking of each catalogue, in the words that the leaderboard's page shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from evaluation.models import Contender, Ranking
from search.models import Catalogue


@dataclass(frozen=True)
class RankedRow:
    """One contender: ``share`` is that of dopes by propensity, of which ranks are; the rest the model's.

    Shares are 0 to 1, ``effect`` is in logits; None where there are no votes, or the model could not tell.
    """

    contender: int
    title: str
    rank_low: int
    rank_high: int
    share: float | None
    approval: float | None
    low: float | None
    high: float | None
    effect: float | None
    slices: Sequence[RankedSlice]
    weeks: Sequence[RankedSlice]


@dataclass(frozen=True)
class RankedSlice:
    """A contender in one slice: a category, a value of an aspect, or a week, named by its Monday.

    ``approval`` None: there are not enough votes.
    """

    category: str
    votes: int
    approval: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class ShownRanking:
    """``lead``: who leads, on how few votes and players that hangs; blank where nothing could change it."""

    catalogue: str
    made_at: datetime
    votes: int
    players: int
    rows: Sequence[RankedRow]
    lead: str
    notes: Sequence[str]


def list_rankings(catalogue: str = "") -> Sequence[ShownRanking]:
    """The newest ranking of this catalogue, or of each, the oldest catalogue first."""
    catalogues = Catalogue.objects.order_by("created_at", "pk")
    if catalogue:
        catalogues = catalogues.filter(slug=catalogue)
    shown = (_show_newest(one) for one in catalogues)
    return [ranking for ranking in shown if ranking is not None]


def find_newest(catalogue: Catalogue, *, brief: bool = False) -> Ranking | None:
    """``brief``: its figures, which are long, are left in the database."""
    rankings = Ranking.objects.filter(catalogue=catalogue).order_by("-made_at")
    return (rankings.defer("figures") if brief else rankings).first()


def find_led(catalogue: Catalogue) -> Ranking | None:
    """The newest ranking in which somebody leads: one of votes."""
    return Ranking.objects.filter(catalogue=catalogue, votes__gt=0).order_by("-made_at").first()


def find_leader(ranking: Ranking) -> int | None:
    """Who stands first where it is shown, if it knows a share of anybody's."""
    rows = ranking.figures["rows"]
    return rows[0]["contender"] if rows and rows[0]["share"] is not None else None


def _show_newest(catalogue: Catalogue) -> ShownRanking | None:
    """Of its figures, which are long, only what is shown is read; None where it rests on no votes."""
    parts = (f"figures__{name}" for name in ("rows", "lead", "slices", "weeks", "notes"))
    newest = Ranking.objects.filter(catalogue=catalogue).order_by("-made_at")
    ranking = newest.values_list("made_at", "votes", "players", *parts).first()
    if ranking is None or not ranking[1]:
        return None
    made_at, votes, players, rows, lead, slices, weeks, notes = ranking
    titles = dict(Contender.objects.filter(catalogue=catalogue).values_list("pk", "title"))
    return ShownRanking(
        catalogue=catalogue.title,
        made_at=made_at,
        votes=votes,
        players=players,
        rows=[
            show_row(row, titles.get(row["contender"], f"contender {row['contender']}"), slices, weeks or ())
            for row in rows  # rankings of the first versions have no weeks
        ],
        lead=_tell(lead, titles),
        notes=notes,
    )


def show_row(
    row: Mapping[str, Any],
    title: str,
    slices: Sequence[Mapping[str, Any]],
    weeks: Sequence[Mapping[str, Any]],
) -> RankedRow:
    """A row of a ranking's figures, with its own part of the slices by category and by week."""
    names = ("rank_low", "rank_high", "share", "approval", "low", "high", "effect")
    return RankedRow(
        contender=row["contender"],
        title=title,
        slices=list_slices(row["contender"], slices),
        weeks=list_slices(row["contender"], weeks),
        **{name: row[name] for name in names},
    )


def list_slices(contender: int, slices: Sequence[Mapping[str, Any]]) -> list[RankedSlice]:
    """The contender's part of the slices, by category, value of an aspect or week, in their order."""
    return [
        RankedSlice(part["category"], one["votes"], one["approval"], one["low"], one["high"])
        for part in slices
        for one in part["rows"]
        if one["contender"] == contender
    ]


def _tell(lead: dict[str, Any] | None, titles: dict[int, str]) -> str:
    if lead is None:
        return ""
    leader, rival = titles.get(lead["leader"], "?"), titles.get(lead["rival"], "?")
    votes, low, high = lead["votes"], lead["players_low"], lead["players_high"]
    told = (
        f"By plain share of all votes, pairs dealt often counting more, {leader} leads."
        f" Without {votes} of the votes {rival} would"
    )
    if low is None:
        return f"{told}; no players could go so that somebody else does."
    people = "1 player" if high == 1 else f"{low} players" if high == low else f"at least {low} players"
    return f"{told}; it takes {people} to go before somebody else does."
