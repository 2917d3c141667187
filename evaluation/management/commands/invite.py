"""``manage.py invite ROLE``: print a link that gives one person a role, once."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.urls import reverse
from django.utils import timezone

from evaluation.services.invitations import LIFETIME, create_invitation
from evaluation.services.site_address import find_address
from search.models import Role


class Command(BaseCommand):
    help = "Print a link that makes one person an operator, analyst or annotator."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("role", choices=Role.values)
        parser.add_argument(
            "--note", default="", help="whom it is for; operators see it beside the invitation"
        )
        parser.add_argument(
            "--address",
            default=find_address(),
            help="where people reach the site (default: the first of DOPEORNOPE_ORIGINS, or where it was "
            "served last: %(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        invitation, token = create_invitation(
            role=Role(options["role"]), note=options["note"], created_by=None, now=timezone.now()
        )
        self.stdout.write(options["address"].rstrip("/") + reverse("invitation", args=[token]))
        self.stderr.write(
            f"Whoever opens it first becomes {invitation.role}. It works once, within {LIFETIME.days} days."
        )
