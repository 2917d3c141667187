"""Addresses of `evaluation`: people's accounts and the operator's page."""

from django.urls import URLPattern, URLResolver, path

from evaluation.views import accounts, operations

urlpatterns: list[URLPattern | URLResolver] = [
    path("accounts/", accounts.account, name="account"),
    path("accounts/login/", accounts.SignInView.as_view(), name="login"),
    path("accounts/logout/", accounts.sign_out, name="logout"),
    path("accounts/register/", accounts.register, name="register"),
    path("accounts/my-data/", accounts.export_my_data, name="my-data"),
    path("accounts/delete/", accounts.delete_account, name="account-delete"),
    path("accounts/invitations/", accounts.list_invitations, name="invitations"),
    path("accounts/invitations/<str:token>/", accounts.invitation, name="invitation"),
    path("operations/", operations.operations, name="operations"),
    path("operations/contenders/", operations.operations_contenders, name="operations-contenders"),
    path("operations/contenders/<int:pk>/retire/", operations.contender_retire, name="contender-retire"),
]
