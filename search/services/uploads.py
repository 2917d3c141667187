"""Files that operators send: kept whole, by content, under a name of ours. Nothing in them is ever run."""

from __future__ import annotations

import contextlib
import hashlib
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from search.engine.files import open_atomic
from search.models import Catalogue

LEFTOVER_AFTER = timedelta(days=1)


def keep_upload(*, upload: UploadedFile[bytes], suffix: str) -> Path:
    """Write the upload to the uploads folder as its sha256 plus ``suffix`` and return the path.

    The name the sender gave is not used. The same bytes sent twice are one file. Raises ``DiskFull``.
    """
    digest = hashlib.sha256()
    for chunk in upload.chunks():
        digest.update(chunk)
    kept: Path = settings.UPLOADS_FOLDER / f"{digest.hexdigest()}{suffix}"
    if kept.exists():
        kept.touch()  # or it might be taken for a leftover before a catalogue names it
    else:
        with open_atomic(kept) as file:
            for chunk in upload.chunks():
                file.write(chunk)
    return kept


def drop_upload(path: Path) -> None:
    """Delete an upload of which nothing could be made, unless a catalogue came from the same bytes."""
    if path.is_relative_to(settings.UPLOADS_FOLDER) and not Catalogue.objects.filter(source=path).exists():
        path.unlink(missing_ok=True)


def drop_leftovers(now: datetime) -> int:
    """Delete what web processes that were killed left of uploads, a day after it came; how many files."""
    used = set(Catalogue.objects.values_list("source", flat=True))
    dropped = 0
    for path in settings.UPLOADS_FOLDER.glob("*"):
        with contextlib.suppress(FileNotFoundError):  # another sweeper was quicker
            if str(path) not in used and path.stat().st_mtime < (now - LEFTOVER_AFTER).timestamp():
                path.unlink()
                dropped += 1
    return dropped
