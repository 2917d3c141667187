"""The page of webhooks: addresses that are told, what became of each telling, and what operators may do."""

from collections.abc import Callable
from http import HTTPStatus
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from search.forms.webhooks import WebhookForm
from search.models import Delivery, Role, Topic, Webhook
from search.services import webhooks as services
from search.views.access import roles_required, show_once

SHOWN = 20  # deliveries of each, the newest first


@require_http_methods(["GET", "HEAD", "POST"])
@roles_required(Role.OPERATOR)
def webhooks(request: HttpRequest) -> HttpResponseBase:
    """The form and the list. A secret is shown when it is made, on the next page and once."""
    form = WebhookForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            made = services.register_webhook(
                address=form.cleaned_data["address"],
                topics=[Topic(value) for value in form.cleaned_data["topics"]],
                made_by=request.user.get_username(),
                now=timezone.now(),
            )
        except services.WebhookRefused as refused:
            form.add_error("address", str(refused))
        else:
            show_once(request, f"The secret of {made.address}", services.tell_secret(made))
            return redirect("webhooks")
    rows = [
        {"webhook": one, "deliveries": one.deliveries.order_by("-created_at")[:SHOWN]}
        for one in Webhook.objects.all()
    ]
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "operations/webhooks.html", {"form": form, "webhooks": rows}, status=status)


@require_POST
@roles_required(Role.OPERATOR)
def webhook_change(request: HttpRequest, pk: int) -> HttpResponseBase:
    """What the buttons of one webhook do; ``do`` says which."""
    webhook, now = get_object_or_404(Webhook, pk=pk), timezone.now()
    match request.POST.get("do"):
        case "test":
            told = "A test is on its way. Load the page again in some seconds."
            _try(request, told, lambda: services.send_test(webhook=webhook, now=now))
        case "rotate":
            services.rotate_secret(webhook=webhook, now=now)
            show_once(request, f"The new secret of {webhook.address}", services.tell_secret(webhook))
            messages.info(request, "For a day everything is signed with the secret before as well.")
        case "on" | "off" as wanted:
            services.switch_webhook(webhook=webhook, on=wanted == "on", now=now)
            told = "is told again" if wanted == "on" else "is told nothing any more"
            messages.success(request, f"{webhook.address} {told}.")
        case "delete":
            webhook.delete()
            messages.success(request, f"{webhook.address} is deleted.")
        case _:
            messages.error(request, "That is not something to do with a webhook.")
    return redirect("webhooks")


@require_POST
@roles_required(Role.OPERATOR)
def delivery_replay(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    delivery = get_object_or_404(Delivery.objects.select_related("webhook"), pk=pk)
    told = "It is on its way again."
    _try(request, told, lambda: services.replay(delivery=delivery, now=timezone.now()))
    return redirect("webhooks")


def _try(request: HttpRequest, told: str, do: Callable[[], None]) -> None:
    try:
        do()
    except services.WebhookRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, told)
