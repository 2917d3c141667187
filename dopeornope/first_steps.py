"""What a first start asks for: a catalogue, its contenders, and somebody to look after them."""

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils.text import slugify

from evaluation.models import Contender, Credit
from evaluation.services.invitations import create_invitation
from search.catalogues.registry import detect_format
from search.catalogues.rows import CatalogueUnreadable, ImportOptions
from search.models import Catalogue, Role
from search.services.builds import request_build
from search.services.imports import SlugTaken, request_import
from search.tasks import hint_jobs

# Enough for a varied first impression, few enough to be drawn and embedded within a minute on two slow cores.
DEMO_ITEMS = 800
DEMO_SLUG = "wardrobe"


def request_game(*, path: Path | None, options: dict[str, Any], now: datetime) -> Catalogue:
    """Ask for the import of ``path`` (none: the demo catalogue) and for its contenders; nothing comes twice.

    Raises ``CatalogueUnreadable``.
    """
    if path is None:
        options = {**options, "items": options["items"] or DEMO_ITEMS}
        return _request(DEMO_SLUG, "wardrobe", None, options, now)
    format = detect_format(path)
    slug = slugify(path.resolve().stem)[:40] or "catalogue"
    try:
        return _request(slug, format, path, options, now)
    except SlugTaken:
        # Another folder of the same name, or this one read in another way: told apart by where and how.
        how = f"{path.resolve()}\0{options['category']}\0{options['group']}"
        return _request(f"{slug}-{hashlib.sha256(how.encode()).hexdigest()[:6]}", format, path, options, now)


@transaction.atomic
def _request(slug: str, format: str, path: Path | None, options: dict[str, Any], now: datetime) -> Catalogue:
    imported = request_import(
        format=format, path=path, slug=slug, options=ImportOptions.from_json(options), now=now
    )
    if imported.catalogue is None:
        raise CatalogueUnreadable(f"The import “{imported.title}” belongs to no catalogue.")
    build = request_build(catalogue=imported.catalogue, now=now, after=imported)
    hint_jobs([job for job in (imported, build) if not job.is_finished])
    return imported.catalogue


def is_playable(catalogue: Catalogue) -> bool:
    """Whether a pair of the catalogue can be dealt: some contender has found one."""
    active = Contender.objects.active().filter(catalogue=catalogue)
    return Credit.objects.filter(contender__in=active).exists()


def has_operator() -> bool:
    return User.objects.filter(Q(is_superuser=True) | Q(groups__name=Role.OPERATOR), is_active=True).exists()


def invite_operator(*, now: datetime) -> str:
    """The path of a link that makes the person who opens it first an operator."""
    _, token = create_invitation(role=Role.OPERATOR, note="first start", created_by=None, now=now)
    return reverse("invitation", args=[token])
