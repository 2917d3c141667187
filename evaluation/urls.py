"""Addresses of `evaluation`: the games, the leaderboards, people's accounts and the operator's page."""

from collections.abc import Callable

from django.http import HttpResponseBase
from django.urls import URLPattern, URLResolver, path

from evaluation.views import (
    accounts,
    annotation,
    annotation_results,
    changes,
    contenders,
    exports,
    head_to_head,
    invitations,
    leaderboard,
    lineage,
    monitors,
    navigation,
    navigation_board,
    operations,
    pages,
    play,
    races,
    retrainings,
    tastes,
    verdicts,
)
from evaluation.views.calls import as_view
from search.selectors.table_files import FORMATS


def _tables(route: str, view: Callable[..., HttpResponseBase], name: str) -> list[URLPattern]:
    """An address for each format: of a route "a/b" and a name "c", a/b.csv is named "c-csv"."""
    return [
        path(f"{route}.{suffix}", view, {"suffix": suffix}, name=f"{name}-{suffix}") for suffix in FORMATS
    ]


urlpatterns: list[URLPattern | URLResolver] = [
    path("", pages.home, name="home"),
    path("catalogues/", pages.catalogues, name="catalogues"),
    path("play/", pages.play, name="play"),
    path("play/deals/", as_view(play.deals), name="play-deals"),
    path("play/votes/", as_view(play.votes), name="play-votes"),
    path("play/votes/<str:deal>/", as_view(play.vote), name="play-vote"),
    path("play/undo/", as_view(play.undo), name="play-undo"),
    path("play/forget/", pages.forget, name="play-forget"),
    path("play/rounds/<slug:round_id>/", pages.round_summary, name="play-round"),
    path("play/<slug:slug>/", pages.play, name="play-catalogue"),
    path("taste/", tastes.page, name="taste"),
    path("taste/learn/", tastes.learn, name="taste-learn"),
    path("taste/delete/", tastes.delete, name="taste-delete"),
    path("find/", navigation.start, name="find"),
    path("find/begin/", navigation.begin, name="find-begin"),
    path("find/daily/", navigation.daily, name="find-daily"),
    path("find/daily/begin/", navigation.begin_daily, name="find-daily-begin"),
    path("find/games/<slug:game_id>/", navigation.game, name="find-game"),
    path("find/games/<slug:game_id>/moves/", navigation.move, name="find-move"),
    path("find/races/", races.new, name="find-races"),
    path("find/races/open/", races.begin, name="find-race-open"),
    path("find/races/<slug:code>/", races.room, name="find-race"),
    path("find/races/<slug:code>/standing/", races.standing, name="find-race-standing"),
    path("find/races/<slug:code>/join/", races.join, name="find-race-join"),
    path("find/races/<slug:code>/start/", races.start, name="find-race-start"),
    path("find/races/<slug:code>/leave/", races.leave, name="find-race-leave"),
    path("find/races/<slug:code>/rematch/", races.rematch, name="find-race-rematch"),
    path("find/leaderboard/", navigation_board.page, name="find-leaderboard"),
    *_tables("find/leaderboard/export", navigation_board.export_table, "find-leaderboard"),
    path("find/leaderboard/export.json", navigation_board.export_json, name="find-leaderboard-json"),
    path("privacy/", pages.privacy, name="privacy"),
    path("annotate/", annotation.projects, name="annotate"),
    path("annotate/<slug:slug>/", annotation.question, name="annotate-project"),
    path("annotate/<slug:slug>/answer/", annotation.take_answer, name="annotate-answer"),
    path("annotate/<slug:slug>/undo/", annotation.undo_answer, name="annotate-undo"),
    path("annotate/<slug:slug>/close/", annotation.close, name="annotate-close"),
    path("annotate/<slug:slug>/reopen/", annotation.reopen, name="annotate-reopen"),
    *_tables("annotate/<slug:slug>/export", annotation_results.export_pairs, "annotate"),
    *_tables("annotate/<slug:slug>/slates", annotation_results.export_slates, "annotate-slates"),
    path("annotate/<slug:slug>/agreement/", annotation_results.agreement, name="annotate-agreement"),
    path("leaderboard/", leaderboard.page, name="leaderboard"),
    path("leaderboard/board/", leaderboard.board, name="leaderboard-board"),
    *_tables("leaderboard/export", leaderboard.export_table, "leaderboard"),
    *_tables("leaderboard/slices", leaderboard.export_slices, "leaderboard-slices"),
    path("leaderboard/export.json", leaderboard.export_json, name="leaderboard-json"),
    path("leaderboard/changes/", changes.page, name="changes"),
    path("leaderboard/changes/log/", changes.log, name="changes-log"),
    path("leaderboard/changes/feed.atom", changes.feed, name="changes-feed"),
    path("leaderboard/changes/changes.json", changes.export_json, name="changes-json"),
    path("leaderboard/contenders/<int:pk>/", contenders.page, name="contender"),
    path("leaderboard/contenders/<int:pk>/standing/", contenders.standing, name="contender-standing"),
    path("leaderboard/contenders/<int:pk>/pairs/", contenders.pairs, name="contender-pairs"),
    path("leaderboard/head-to-head/", head_to_head.page, name="head-to-head"),
    path("leaderboard/head-to-head/figures/", head_to_head.figures, name="head-to-head-figures"),
    path("leaderboard/head-to-head/pairs/", head_to_head.pairs, name="head-to-head-pairs"),
    path("accounts/", accounts.account, name="account"),
    path("accounts/login/", accounts.SignInView.as_view(), name="login"),
    path("accounts/logout/", accounts.sign_out, name="logout"),
    path("accounts/register/", accounts.register, name="register"),
    path("accounts/my-data/", accounts.export_my_data, name="my-data"),
    path("accounts/delete/", accounts.delete_account, name="account-delete"),
    path("accounts/invitations/", invitations.list_invitations, name="invitations"),
    path("accounts/invitations/<str:token>/", invitations.accept_invitation, name="invitation"),
    path("operations/", operations.operations, name="operations"),
    path("operations/contenders/", operations.operations_contenders, name="operations-contenders"),
    path("operations/exports/", exports.page, name="exports"),
    *_tables("operations/exports/votes", exports.votes, "export-votes"),
    *_tables("operations/exports/players", exports.players, "export-players"),
    *_tables("operations/exports/games", exports.games, "export-games"),
    path("operations/exposure/", monitors.exposure, name="exposure"),
    path("operations/exposure/figures/", monitors.exposure_figures, name="exposure-figures"),
    path("operations/exclusions/", monitors.exclusions, name="exclusions"),
    path("operations/exclusions/figures/", monitors.exclusions_figures, name="exclusions-figures"),
    path("operations/players/", verdicts.players, name="players"),
    path("operations/players/<int:pk>/verdict/", verdicts.judge_player, name="player-verdict"),
    path("operations/contenders/<int:pk>/retire/", operations.contender_retire, name="contender-retire"),
    path("operations/retraining/", retrainings.retrainings, name="retrainings"),
    path("operations/retraining/start/", retrainings.retraining_start, name="retraining-start"),
    path("operations/retraining/appoint/", retrainings.encoder_appoint, name="encoder-appoint"),
    path("operations/retraining/roll-back/", retrainings.encoder_roll_back, name="encoder-roll-back"),
    path("operations/retraining/taught/", lineage.taught, name="taught"),
    path("operations/retraining/<int:pk>/", lineage.lineage, name="lineage"),
    *_tables("operations/retraining/<int:pk>/lessons", lineage.lessons, "lineage"),
    path(
        "operations/retraining/<int:pk>/compare/", retrainings.retraining_compare, name="retraining-compare"
    ),
    path(
        "operations/retraining/<int:pk>/promote/", retrainings.retraining_promote, name="retraining-promote"
    ),
]
