"""What analysts take away: votes, players and games, and a page that says what is in each table."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from evaluation.selectors.board import Row
from evaluation.selectors.game_results import PolicyRow
from evaluation.selectors.game_tables import GameRow, list_games
from evaluation.selectors.player_tables import PlayerRow, list_players
from evaluation.selectors.vote_exports import VoteRow, list_votes
from search.models import Catalogue, Role, Scope
from search.selectors.roles import has_role
from search.selectors.table_files import FORMATS, Table, list_columns
from search.views.access import roles_required
from search.views.tables import answer_table, stream_table


@dataclass(frozen=True)
class Export:
    """A table on the page; ``route`` is its address without the suffix, ``roles`` who may have it.

    A program needs a token with the ``scope``; without one the table is everybody's.
    """

    title: str
    text: str
    route: str
    of: type
    scope: Scope | None = None
    roles: Sequence[Role] = (Role.OPERATOR, Role.ANALYST)

    @property
    def columns(self) -> Sequence[str]:
        return list(list_columns(self.of))


EXPORTS = (
    Export(
        "Votes",
        "Each vote, also those that are undone or left out, with the contenders that found its pair. For "
        "analysts alone: who knows it should not play on these pairs.",
        "/operations/exports/votes",
        VoteRow,
        Scope.READ_VOTES,
        roles=(Role.ANALYST,),
    ),
    Export(
        "Players",
        "What each check says of each player, and why some are left out. Players go by numbers.",
        "/operations/exports/players",
        PlayerRow,
        Scope.READ_PLAYERS,
    ),
    Export(
        "Games",
        "Each navigation game that is over, with its policy and how it was drawn. Races and daily puzzles "
        "come in once they are over for all.",
        "/operations/exports/games",
        GameRow,
        Scope.READ_GAMES,
    ),
    Export("Leaderboard", "One row per contender.", "/leaderboard/export", Row),
    Export(
        "Navigation", "One row per policy, space and size of slate.", "/find/leaderboard/export", PolicyRow
    ),
)


@require_safe
@roles_required(Role.OPERATOR, Role.ANALYST)
def page(request: HttpRequest) -> HttpResponseBase:
    allowed = [export for export in EXPORTS if has_role(request.user, *export.roles)]
    return render(request, "operations/exports.html", {"exports": allowed, "formats": FORMATS})


@require_safe
@roles_required(Role.ANALYST, scope=Scope.READ_VOTES)
def votes(request: HttpRequest, suffix: str) -> HttpResponseBase:
    """Every vote, or those of ``?catalogue=``, however many there are."""
    slug = request.GET.get("catalogue", "")
    if slug and not Catalogue.objects.filter(slug=slug).exists():
        text = f"There is no catalogue “{slug[:60]}”."
        return HttpResponse(text, status=HTTPStatus.BAD_REQUEST, content_type="text/plain; charset=utf-8")
    table = Table(VoteRow, list_votes(catalogue=slug))
    return stream_table(request, table, name="dope-or-nope-votes", suffix=suffix)


@require_safe
@roles_required(Role.OPERATOR, Role.ANALYST, scope=Scope.READ_PLAYERS)
def players(request: HttpRequest, suffix: str) -> HttpResponseBase:
    return answer_table(Table(PlayerRow, list_players()), name="dope-or-nope-players", suffix=suffix)


@require_safe
@roles_required(Role.OPERATOR, Role.ANALYST, scope=Scope.READ_GAMES)
def games(request: HttpRequest, suffix: str) -> HttpResponseBase:
    table = Table(GameRow, list_games(now=timezone.now()))
    return stream_table(request, table, name="dope-or-nope-games", suffix=suffix)
