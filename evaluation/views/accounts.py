"""Signing in and out, registering, and what a person can ask about their own data."""

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.contrib.auth import login, logout
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.forms import BaseForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from evaluation.forms import DeleteAccountForm, RegistrationForm, SignInForm
from evaluation.models import Player
from evaluation.services import accounts
from evaluation.services.limits import network_of
from evaluation.services.players import forget_account
from evaluation.views.player_cookie import delete_player_cookie, read_player_key, set_player_cookie
from search.services.webhooks import forget_maker

PASSWORDS = ("password", "password1", "password2")


def sign_in(request: HttpRequest, user: User, response: HttpResponseBase) -> HttpResponseBase:
    """Start a new session for ``user`` and let this browser's votes be theirs."""
    key = read_player_key(request)
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    player = accounts.link_player(user=user, key=key, now=timezone.now())
    set_player_cookie(response, player.key)
    return response


class SignInView(auth_views.LoginView):
    """Django's sign-in, with guessing limited: too many failures are answered 429 for a while."""

    template_name = "accounts/login.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def post(self, request: HttpRequest, *args: str, **kwargs: Any) -> HttpResponse:
        wait = accounts.find_sign_in_wait(
            name=request.POST.get("username", ""), network=_network(request), now=timezone.now()
        )
        if not wait:
            return super().post(request, *args, **kwargs)
        form = SignInForm(request, initial={"username": request.POST.get("username", "")})
        messages.error(request, "Too many tries with a wrong password. Wait a few minutes, then try again.")
        response = self.render_to_response(self.get_context_data(form=form))
        response.status_code = HTTPStatus.TOO_MANY_REQUESTS
        response["Retry-After"] = str(int(wait.total_seconds()) + 1)
        return response

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        user = form.get_user()
        assert isinstance(user, User)
        accounts.clear_failed_sign_ins(name=user.username, network=_network(self.request))
        response = redirect(self.get_success_url())
        sign_in(self.request, user, response)
        return response

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        accounts.record_failed_sign_in(
            name=self.request.POST.get("username", ""), network=_network(self.request), now=timezone.now()
        )
        response = super().form_invalid(form)
        response.status_code = HTTPStatus.UNPROCESSABLE_ENTITY
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"next": self.get_redirect_url()}


@require_POST
def sign_out(request: HttpRequest) -> HttpResponseBase:
    """End the session; the next person at this browser must not vote as the one who left."""
    response = redirect("home")
    key = read_player_key(request)
    if key is not None and Player.objects.filter(key=key, user__isnull=False).exists():
        delete_player_cookie(response)
    logout(request)
    return response


@sensitive_post_parameters(*PASSWORDS)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def register(request: HttpRequest) -> HttpResponseBase:
    if request.user.is_authenticated:
        return redirect("account")
    form = RegistrationForm(request.POST) if request.method == "POST" else RegistrationForm()
    user = save_account(form)
    if user is not None:
        return sign_in(request, user, redirect("account"))
    key = read_player_key(request)
    keeps_votes = key is not None and Player.objects.filter(key=key, user=None).exists()
    context = {"form": form, "keeps_votes": keeps_votes}
    return render(request, "accounts/register.html", context, status=form_status(form))


@never_cache
@require_safe
@login_required
def account(request: HttpRequest) -> HttpResponseBase:
    assert isinstance(request.user, User)
    players = request.user.players.all()
    context = {
        "votes": sum(player.judged for player in players),
        "rounds": sum(player.rounds.filter(judged__gt=0).count() for player in players),
        "roles": sorted(request.user.groups.values_list("name", flat=True)),
        "form": DeleteAccountForm(user=request.user),
    }
    return render(request, "accounts/account.html", context)


@never_cache
@require_safe
def export_my_data(request: HttpRequest) -> HttpResponseBase:
    """Everything stored about whoever asks: their account, or this browser's anonymous player."""
    key = read_player_key(request)
    player = Player.objects.filter(key=key).first() if key else None
    if isinstance(request.user, User):
        data = accounts.export_account(user=request.user)
    elif player is not None and player.user is None:
        data = {"account": None, "players": [accounts.export_player(player=player)]}
    else:
        raise Http404("Nothing is stored about you: no vote was given in this browser.")
    response = JsonResponse(data, json_dumps_params={"indent": 1})
    response["Content-Disposition"] = 'attachment; filename="dope-or-nope-my-data.json"'
    return response


@sensitive_post_parameters(*PASSWORDS)
@require_POST
@login_required
def delete_account(request: HttpRequest) -> HttpResponseBase:
    """Forget the user: the account goes, and nothing leads from the votes back to the person."""
    user = request.user
    assert isinstance(user, User)
    form = DeleteAccountForm(request.POST, user=user)
    if not form.is_valid():
        messages.error(request, "That was not your password. Nothing has been deleted.")
        return redirect("account")
    with transaction.atomic():
        forget_account(user=user, now=timezone.now())
        forget_maker(user.username)
        logout(request)
        user.delete()
    messages.success(request, "Your account is gone, and nothing leads from your votes back to you.")
    response = redirect("home")
    delete_player_cookie(response)
    return response


def save_account(form: RegistrationForm) -> User | None:
    """The new user; None, with the reason on the form, where there can be none."""
    if not form.is_valid():
        return None
    try:
        with transaction.atomic():
            user: User = form.save()
            return user
    except IntegrityError:  # The same name was taken between the form's look and the row.
        form.add_error("username", "A user with that username already exists.")
        return None


def form_status(form: BaseForm | None) -> int:
    return HTTPStatus.UNPROCESSABLE_ENTITY if form is not None and form.errors else HTTPStatus.OK


def _network(request: HttpRequest) -> str:
    return network_of(request.META.get("REMOTE_ADDR", "")).hex()
