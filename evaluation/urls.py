"""Addresses of `evaluation`: the game, the leaderboard, people's accounts and the operator's page."""

from django.urls import URLPattern, URLResolver, path

from evaluation.views import accounts, invitations, leaderboard, operations, pages, play
from evaluation.views.calls import as_view

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
    path("privacy/", pages.privacy, name="privacy"),
    path("leaderboard/", leaderboard.page, name="leaderboard"),
    path("leaderboard/board/", leaderboard.board, name="leaderboard-board"),
    path("leaderboard/export.csv", leaderboard.export_csv, name="leaderboard-csv"),
    path("leaderboard/export.json", leaderboard.export_json, name="leaderboard-json"),
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
    path("operations/contenders/<int:pk>/retire/", operations.contender_retire, name="contender-retire"),
]
