"""Invitations: operators make links, people accept them."""

from datetime import datetime
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from evaluation.forms import InvitationForm, RegistrationForm
from evaluation.models import Invitation
from evaluation.services import invitations
from evaluation.views.accounts import PASSWORDS, form_status, save_account, sign_in
from search.models import Role
from search.views.access import roles_required


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@roles_required(Role.OPERATOR)
def list_invitations(request: HttpRequest) -> HttpResponseBase:
    """Operators make links and see what became of earlier ones. A link is shown once, here."""
    assert isinstance(request.user, User)
    form = InvitationForm(request.POST) if request.method == "POST" else InvitationForm()
    fresh: dict[int, str] = {}
    if form.is_valid():
        made, token = invitations.create_invitation(
            role=Role(form.cleaned_data["role"]),
            note=form.cleaned_data["note"],
            created_by=request.user,
            now=timezone.now(),
        )
        fresh[made.pk] = request.build_absolute_uri(reverse("invitation", args=[token]))
        form = InvitationForm()
    rows = [
        _invitation_row(invitation, url=fresh.get(invitation.pk, ""))
        for invitation in Invitation.objects.select_related("accepted_by")[:100]
    ]
    context = {"form": form, "invitations": rows}
    return render(request, "accounts/invitations.html", context, status=form_status(form))


@sensitive_post_parameters(*PASSWORDS)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def accept_invitation(request: HttpRequest, token: str) -> HttpResponseBase:
    """Accept an invitation, with a new account or, when signed in, with one's own."""
    now = timezone.now()
    form = None if request.user.is_authenticated else RegistrationForm(request.POST or None)
    try:
        invitation = invitations.find_invitation(token=token, now=now)
        member = _accept(request, token, form, now=now) if request.method == "POST" else None
    except invitations.InvitationUnusable as reason:
        unusable = {"invitation": None, "message": str(reason)}
        return render(request, "accounts/invitation.html", unusable, status=HTTPStatus.GONE)
    if member is not None:
        messages.success(request, f"Welcome. You are an {invitation.role} now.")
        response = redirect("operations" if invitation.role in (Role.OPERATOR, Role.ANALYST) else "home")
        return response if form is None else sign_in(request, member, response)
    described = {"role": invitation.role, "role_label": invitation.role, "expires": invitation.expires_at}
    context = {"form": form, "invitation": described}
    return render(request, "accounts/invitation.html", context, status=form_status(form))


@transaction.atomic
def _accept(request: HttpRequest, token: str, form: RegistrationForm | None, *, now: datetime) -> User | None:
    """Whoever has the role now; a link that was spent meanwhile takes the new account with it."""
    member = save_account(form) if form is not None else request.user
    if not isinstance(member, User):
        return None
    invitations.accept_invitation(token=token, user=member, now=now)
    return member


def _invitation_row(invitation: Invitation, *, url: str) -> dict[str, Any]:
    by = invitation.accepted_by
    return {
        "role_label": invitation.role,
        "note": invitation.note,
        "url": url,
        "created": invitation.created_at,
        "expires": invitation.expires_at,
        "used": invitation.accepted_at is not None,
        "expired": invitation.expires_at <= timezone.now(),
        "used_by": by.username if by else "somebody who left",
    }
