"""Kept photos, for whoever has their key."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings

from search.models import Photo
from search.selectors.searches import Area, SearchRefused, ShownPhoto


def photo_path(key: UUID) -> Path:
    """Where the photo with this key is kept, whether it is there or not."""
    folder: Path = settings.PHOTOS_FOLDER
    return folder / f"{key.hex}.webp"


def find_photo(key: UUID, *, now: datetime) -> Photo:
    """Raises SearchRefused("no-such-photo") for one that is gone or was kept long enough."""
    photo = Photo.objects.filter(key=key, kept_until__gt=now).first()
    if photo is None or not photo_path(key).is_file():
        raise not_kept()
    return photo


def not_kept() -> SearchRefused:
    """What is said of a photo that is gone, whatever became of it."""
    return SearchRefused(
        "no-such-photo", "This photo is not kept any more. Take or choose it again.", status=404
    )


def list_photos_of(holder: UUID) -> list[dict[str, Any]]:
    """What is kept of a visitor's photos, for the visitor: each key opens the photo itself."""
    own = Photo.objects.filter(holder=holder).order_by("pk")
    return [dict(row) for row in own.values("key", "width", "height", "created_at", "kept_until")]


def show(photo: Photo, *, longest: timedelta) -> ShownPhoto:
    """A photo as its owner sees it. What a program sent is nobody's, who could agree to more."""
    return ShownPhoto(
        key=photo.key,
        width=photo.width,
        height=photo.height,
        areas=[Area(*area) for area in photo.areas],
        kept_until=photo.kept_until,
        longest=photo.kept_until if photo.holder is None else photo.created_at + longest,
    )
