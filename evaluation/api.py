"""`/api/`: the leaderboard and the contenders, for everybody."""

from datetime import datetime
from typing import Annotated

from django.db.models import Count
from django.http import HttpRequest
from ninja import Query, Router, Schema
from ninja.errors import HttpError

from evaluation.models import Contender
from evaluation.selectors.board import Board, Filters, UnknownFilter, check_filters, read_board
from search.api import LATER, Invalid, Problem


class StandingOut(Schema):
    """One contender's standing; shares are 0 to 1, null before the first vote."""

    contender: int
    rank: int | None
    rank_low: int
    rank_high: int
    title: str
    encoder: str
    encoder_version: str
    metric: str
    family: str
    catalogue: str
    approval: float | None
    low: float | None
    high: float | None
    votes: int
    dope: int
    nope: int
    skipped: int
    players: int
    design_effect: float | None
    provisional: bool
    control: bool


class ExclusionOut(Schema):
    """Players whose votes are left out for one reason, and how many pairs they judged, skips included."""

    reason: str
    players: int
    judged: int


class BoardOut(Schema):
    """The leaderboard, best first within each catalogue, and how to read it."""

    revision: int
    votes: int
    floor: int
    players_floor: int
    exclusions: list[ExclusionOut]
    level: float
    method: str
    rows: list[StandingOut]


class ContenderOut(Schema):
    """What competes: an embedding space under a metric. Retired ones stay listed."""

    id: int
    title: str
    kind: str
    catalogue: str
    encoder: str
    encoder_version: str
    metric: str
    family: str
    is_control: bool
    pairs: int
    created_at: datetime
    retired_at: datetime | None

    @staticmethod
    def resolve_catalogue(contender: Contender) -> str:
        return contender.catalogue.slug


Text = Annotated[str, Query(max_length=200)]

leaderboard = Router(tags=["leaderboard"])
contenders = Router(tags=["contenders"])


@leaderboard.get(
    "/",
    response={200: BoardOut, 400: Problem, 422: Invalid, **LATER},
    summary="Approval with intervals and rank ranges",
)
def get_leaderboard(
    request: HttpRequest, catalogue: Text = "", encoder: Text = "", metric: Text = "", category: Text = ""
) -> Board:
    """Filters narrow the rows; rank ranges compare the rows given, within one catalogue."""
    try:
        filters, _ = check_filters(Filters(catalogue, encoder, metric, category))
    except UnknownFilter as unknown:
        raise HttpError(400, str(unknown)) from unknown
    return read_board(filters)


@contenders.get("/", response={200: list[ContenderOut], **LATER}, summary="All contenders, oldest first")
def list_contenders(request: HttpRequest) -> list[Contender]:
    entered = Contender.objects.filter(entered_at__isnull=False)
    # Read here: what the database raises while answers are validated would be taken for a wrong answer.
    return list(entered.select_related("catalogue").annotate(pairs=Count("credits")))
