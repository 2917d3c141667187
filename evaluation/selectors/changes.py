"""The public change log: contenders that came, changed, left or took charge, catalogues that came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, QuerySet, Value

from evaluation.models import BoardChange, Contender, Promotion
from search.models import Catalogue, CatalogueState

CATALOGUE = "catalogue"
BOARD = {
    BoardChange.Kind.ENTERED.value: "joined the board",
    BoardChange.Kind.REPLACED.value: "left the board: another version took its place",
    BoardChange.Kind.RETIRED.value: "was retired: no votes are asked for it any more, those it has stay",
    BoardChange.Kind.RETURNED.value: "stands on the board again",
}
CHARGE = {
    Promotion.Kind.APPOINTED.value: "was put in charge: it is taught next, and challengers have to beat it",
    Promotion.Kind.PROMOTED.value: "won blind, and is in charge now",
    Promotion.Kind.ROLLED_BACK.value: "is in charge again: the one after it was rolled back",
}
WORDS = {CATALOGUE: "was added", **BOARD, **CHARGE}


@dataclass(frozen=True)
class Change:
    """``contender`` is None where a catalogue came; ``by`` is the version that took its place."""

    pk: int
    at: datetime
    kind: str
    catalogue: Catalogue
    contender: Contender | None = None
    by: Contender | None = None

    @property
    def subject(self) -> str:
        """What it is about, as a person names it."""
        if self.contender is None:
            return f"The catalogue {self.catalogue.title}"
        return f"{self.contender.title}, version {self.contender.encoder_version},"

    @property
    def told(self) -> str:
        """One sentence."""
        by = f": version {self.by.encoder_version}" if self.by else ""
        return f"{self.subject} {WORDS[self.kind]}{by}."


def select_changes() -> QuerySet[Any, tuple[datetime, str, int]]:
    """(when, kind, number of its row) of all that may be told, newest first; slice it before it is read."""
    board = BoardChange.objects.annotate(what=F("kind")).order_by().values_list("at", "what", "pk")
    charge = Promotion.objects.annotate(what=F("kind")).order_by().values_list("made_at", "what", "pk")
    ready = Catalogue.objects.filter(state=CatalogueState.READY).annotate(what=Value(CATALOGUE)).order_by()
    rows = board.union(charge, ready.values_list("created_at", "what", "pk"), all=True)
    return rows.order_by("-at", "-pk")


def read_changes(rows: Sequence[tuple[datetime, str, int]]) -> list[Change]:
    """These rows of `select_changes` with what they are about."""
    kept = BoardChange.objects.select_related("contender__catalogue", "by")
    board = kept.in_bulk([pk for _, kind, pk in rows if kind in BOARD])
    made = Promotion.objects.select_related("contender__catalogue")
    charge = made.in_bulk([pk for _, kind, pk in rows if kind in CHARGE])
    catalogues = Catalogue.objects.in_bulk([pk for _, kind, pk in rows if kind == CATALOGUE])
    return [
        _tell_board(board[pk])
        if kind in BOARD
        else _tell_charge(charge[pk])
        if kind in CHARGE
        else Change(pk, at, kind, catalogues[pk])
        for at, kind, pk in rows
    ]


def list_changes_of(contender: Contender) -> list[Change]:
    """Of one contender, oldest first."""
    board = contender.changes.select_related("contender__catalogue", "by").order_by("at", "pk")
    charge = contender.promotions.select_related("contender__catalogue").order_by("number")
    told = [*(_tell_board(row) for row in board), *(_tell_charge(row) for row in charge)]
    return sorted(told, key=lambda change: change.at)


def _tell_board(row: BoardChange) -> Change:
    return Change(row.pk, row.at, row.kind, row.contender.catalogue, row.contender, row.by)


def _tell_charge(row: Promotion) -> Change:
    """Without who decided: that is a name."""
    return Change(row.pk, row.made_at, row.kind, row.contender.catalogue, row.contender)
