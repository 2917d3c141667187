"""Photos that people search with: taken in, kept for a day, shown to whoever has the key, dropped.

Nothing lists them. The file is the re-encoded picture, so that what a camera wrote beside the pixels (place,
time, device) is never on the disk.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from search.engine.errors import ImageRejected
from search.engine.files import write_file
from search.engine.images import NormalisedImage
from search.models import Photo
from search.selectors.photos import find_photo, not_kept, photo_path, show
from search.selectors.searches import Area, SearchRefused, ShownPhoto
from search.services.photo_room import decoder, decoding_room

KEPT: Final = timedelta(hours=24)
LONGEST: Final = timedelta(days=30)
MOST_AREAS: Final = 6
MOST_OF_ONE_HOLDER: Final = 40
MOST_OF_PROGRAMS: Final = 2000  # some 200 MB, whoever sends them
# A file without a row may be one whose row is about to be stored.
STRAY_AFTER: Final = timedelta(hours=1)
STATUS_OF: Final = {"too-large": 413, "animated-too-large": 413, "unsupported-format": 415}


async def take_photo(*, read: Callable[[], bytes], holder: UUID | None, now: datetime) -> ShownPhoto:
    """`keep_photo` for a web process: read and decoded beside the pages' thread, once there is a place."""
    image, areas = await decoding_room.do(lambda: look_at(read()))
    return await sync_to_async(store_photo)(image, areas=areas, holder=holder, now=now)


def keep_photo(*, source: bytes, holder: UUID | None, now: datetime) -> ShownPhoto:
    """Decode, re-encode and keep a photo for `KEPT`; where it lies nobody can guess.

    Raises SearchRefused with the code of `ImageRejected` (see there), and DiskFull.
    """
    image, areas = look_at(source)
    return store_photo(image, areas=areas, holder=holder, now=now)


def look_at(source: bytes) -> tuple[NormalisedImage, list[Area]]:
    """The picture, and where something seems to be on it. Raises SearchRefused."""
    try:
        image, regions = decoder.look_at(source, limit=MOST_AREAS)
    except ImageRejected as rejected:
        status = STATUS_OF.get(rejected.code, 422)
        raise SearchRefused(rejected.code, rejected.message, status=status) from rejected
    return image, [Area(one.left, one.top, one.width, one.height) for one in regions]


def store_photo(
    image: NormalisedImage, *, areas: list[Area], holder: UUID | None, now: datetime
) -> ShownPhoto:
    """Keep what `look_at` found. Of one visitor's photos the oldest go, and of all programs'.

    Raises DiskFull.
    """
    photo = Photo(
        holder=holder,
        width=image.width,
        height=image.height,
        areas=[[area.left, area.top, area.width, area.height] for area in areas],
        created_at=now,
        kept_until=now + KEPT,
    )
    path = photo_path(photo.key)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_file(path, image.data)
    photo.save()
    most = MOST_OF_PROGRAMS if holder is None else MOST_OF_ONE_HOLDER
    older = Photo.objects.filter(holder=holder).order_by("-pk").values_list("pk", flat=True)[most:]
    _drop(Photo.objects.filter(pk__in=list(older)))
    return show(photo, longest=LONGEST)


def show_photo(*, key: UUID, now: datetime) -> ShownPhoto:
    """Raises SearchRefused("no-such-photo")."""
    return show(find_photo(key, now=now), longest=LONGEST)


def keep_longer(*, key: UUID, now: datetime) -> ShownPhoto:
    """What the person agreed to: kept until `LONGEST` after it came.

    Raises SearchRefused: no-such-photo, and not-kept-longer for a program's, whose person nobody knows.
    """
    photo = find_photo(key, now=now)
    if photo.holder is None:
        raise SearchRefused(
            "not-kept-longer",
            f"A photo that a program sent is kept for {KEPT // timedelta(hours=1)} hours and no longer. "
            "Send it again then.",
            status=403,
        )
    photo.kept_until = photo.created_at + LONGEST
    # It may have been deleted, or swept, since it was looked up.
    if not Photo.objects.filter(key=key, kept_until__gt=now).update(kept_until=photo.kept_until):
        raise not_kept()
    return show(photo, longest=LONGEST)


def drop_photo(*, key: UUID) -> None:
    """Delete a photo at once, if it is there."""
    _drop(Photo.objects.filter(key=key))


def hand_over_photos(*, old: UUID, new: UUID) -> None:
    """A visitor goes on under another key: what is theirs comes along."""
    Photo.objects.filter(holder=old).update(holder=new)


def forget_photos(*, holders: Iterable[UUID]) -> int:
    """Delete the photos of visitors who want to be forgotten; how many."""
    return _drop(Photo.objects.filter(holder__in=list(holders)))


def drop_old_photos(now: datetime) -> int:
    """Delete what was kept long enough, and files that no row names; how many."""
    dropped = _drop(Photo.objects.filter(kept_until__lte=now))
    folder: Path = settings.PHOTOS_FOLDER
    known = {key.hex for key in Photo.objects.values_list("key", flat=True)}
    for path in folder.glob("*"):
        with contextlib.suppress(FileNotFoundError):  # another sweeper was quicker
            is_known = path.name.split(".")[0] in known
            if not is_known and path.stat().st_mtime < (now - STRAY_AFTER).timestamp():
                path.unlink()
                dropped += 1
    return dropped


def _drop(photos: QuerySet[Photo]) -> int:
    keys = set(photos.values_list("key", flat=True))
    photos.filter(key__in=keys).delete()  # of those the ones that still are what was to go
    keys -= set(Photo.objects.filter(key__in=keys).values_list("key", flat=True))
    # Once the rows are gone for good, nothing may serve them any more.
    transaction.on_commit(lambda: _unlink(keys))
    return len(keys)


def _unlink(keys: Iterable[UUID]) -> None:
    for key in keys:
        for path in settings.PHOTOS_FOLDER.glob(f"{key.hex}.*"):
            path.unlink(missing_ok=True)
