"""What an encoder makes of a photo: in this process where it can run here, else by a worker.

A worker leaves its vectors in a file beside the photo, which goes when the photo goes. The network that it
had to load is exported by that, so the next photo is looked at here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import numpy as np
from django.conf import settings
from django.db import transaction

from search import events
from search.engine.arrays import read_arrays, write_arrays
from search.engine.encoders import create_joint_encoder, list_encoders
from search.engine.encoders.base import EncoderError, Picture, Vectors
from search.engine.encoders.photo_encoders import EncoderVersion, RefusesPhotos, open_here
from search.engine.errors import ArtifactDamaged, ImageRejected
from search.engine.images import load_picture
from search.engine.regions import crop_region
from search.models import EmbeddingSpace, Job, Photo
from search.selectors.photos import find_photo, not_kept, photo_path
from search.selectors.searches import Area, SearchRefused
from search.services.jobs import JobContext, JobFailed, create_job

KIND: Final = "photo"
MOST_LOOKS: Final = 4  # at one photo at once
AGAIN_S: Final = 10
LATE_AFTER: Final = timedelta(seconds=45)


@dataclass(frozen=True)
class Glance:
    """A photo, or an area of it, as one encoder is to see it."""

    key: UUID
    area: Area | None
    made: EncoderVersion

    @property
    def digest(self) -> str:
        """Tells this glance from others at the same photo."""
        return hashlib.sha256(repr((self.area, self.made.network, self.made.version)).encode()).hexdigest()[
            :16
        ]

    @property
    def path(self) -> Path:
        """Where a worker leaves the vectors."""
        return photo_path(self.key).with_suffix(f".{self.digest}.safetensors")


def look(glance: Glance) -> Mapping[str, Vectors]:
    """Vectors (d,) by encoder, of the network's whole encoder and its masks.

    Raises SearchRefused, RefusesPhotos, and NeedsWorker where a worker has to look first.
    """
    found = _read(glance)
    if found is None:
        encode = open_here(glance.made, cache_folder=settings.HOME / "exported")
        found = encode(read_picture(glance.key, glance.area))
    if glance.made.encoder not in found:
        raise RefusesPhotos(f"“{glance.made.encoder}” made nothing of this photo. Search from an item.")
    return found


def read_picture(key: UUID, area: Area | None) -> Picture:
    """The photo, or an area of it. Raises SearchRefused: bad-area, no-such-photo."""
    try:
        picture = load_picture(photo_path(key))
        if area is None:
            return picture
        return crop_region(picture, left=area.left, top=area.top, width=area.width, height=area.height)
    except FileNotFoundError as error:
        raise not_kept() from error
    except ImageRejected as rejected:
        if rejected.code == "bad-box":
            raise SearchRefused("bad-area", rejected.message, status=422) from rejected
        raise not_kept() from rejected  # damaged; its own words name the path, which holds the key


def find_look(glance: Glance) -> Job | None:
    """The job by which a worker looks, or has looked."""
    photo = Photo.objects.filter(key=glance.key).first()
    return Job.objects.filter(idempotency_key=_job_key(photo, glance)).first() if photo else None


def request_look(glance: Glance, *, now: datetime) -> Job:
    """The job by which a worker looks. Its arguments name the photo by a number, not by its key.

    Raises SearchRefused: no-such-photo, and busy where workers look at that many parts of it already.
    """
    photo = find_photo(glance.key, now=now)
    others = Job.objects.unfinished().filter(kind=KIND, idempotency_key__startswith=f"{KIND}:{photo.pk}:")
    if others.exclude(idempotency_key=_job_key(photo, glance)).count() >= MOST_LOOKS:
        raise SearchRefused(
            "busy",
            f"Workers look at {MOST_LOOKS} other parts of this photo. Try again in {AGAIN_S} seconds.",
            status=503,
            retry_after_s=AGAIN_S,
        )
    area = glance.area
    return create_job(
        kind=KIND,
        arguments={
            "photo": photo.pk,
            "area": [area.left, area.top, area.width, area.height] if area else None,
            "encoder": glance.made.encoder,
            "version": glance.made.version,
            "family": glance.made.family,
            "mask": glance.made.mask,
        },
        key=_job_key(photo, glance),
        title=f"Look at a photo with {glance.made.network}",
        catalogue=None,
        now=now,
        again=True,
    )


def run_look(context: JobContext) -> None:
    """Look at the photo ``arguments["photo"]``; one that was deleted meanwhile is not looked at."""
    asked: dict[str, Any] = context.job.arguments
    photo = Photo.objects.filter(pk=asked["photo"]).first()
    if photo is None:
        return
    made = EncoderVersion(asked["encoder"], asked["version"], asked["family"], asked["mask"])
    area = Area(*asked["area"]) if asked["area"] else None
    glance = Glance(photo.key, area, made)
    if _read(glance) is not None:
        return
    context.progress(0, 1, "photos")
    try:
        # On the CPU, so that the network is exported and kept, and web processes can run it from then on.
        encoder = create_joint_encoder(
            _list_network(made),
            "cpu",
            weights_folder=settings.WEIGHTS_FOLDER,
            trained_folder=settings.TRAINED_FOLDER,
            cache_folder=settings.HOME / "exported",
        )
        if encoder.infos[0].version != made.version:
            raise JobFailed(
                f"“{made.encoder}” has changed since its catalogue was embedded: build the contenders again."
            )
        found = encoder.encode([read_picture(photo.key, area)])
    except (EncoderError, SearchRefused) as error:
        raise JobFailed(str(error)) from error
    vectors = {name: np.asarray(rows[0], np.float32) for name, rows in found.items()}
    _require_fitting(vectors, made)
    write_arrays(glance.path, vectors, {"kind": "photo"})
    if not Photo.objects.filter(pk=photo.pk).exists():
        glance.path.unlink(missing_ok=True)
    context.progress(1, 1, "photos")


def _list_network(made: EncoderVersion) -> list[str]:
    """The encoder and all that share its pass, so that masks are at hand as well."""
    infos = list_encoders(weights_folder=settings.WEIGHTS_FOLDER, trained_folder=settings.TRAINED_FOLDER)
    network = next((info.network for info in infos if info.name == made.encoder), None)
    return [info.name for info in infos if info.network == network] if network else [made.encoder]


def _require_fitting(vectors: Mapping[str, Vectors], made: EncoderVersion) -> None:
    """Raises JobFailed for what no index of this encoder can be searched with."""
    own = vectors.get(made.encoder)
    if own is None or not np.isfinite(own).all():
        raise JobFailed(f"“{made.encoder}” made no vector of finite numbers of this photo.")
    spaces = EmbeddingSpace.objects.filter(encoder=made.encoder, encoder_version=made.version)
    widths = set(spaces.filter(dimensions__gt=0).values_list("dimensions", flat=True))
    if widths and own.size not in widths:
        raise JobFailed(
            f"“{made.encoder}” made {own.size} numbers of this photo, and another number of each item: "
            "build the contenders again."
        )


def drop_old_looks(now: datetime) -> int:
    """Delete the finished jobs of photos that are gone; how many."""
    kept = set(Photo.objects.values_list("pk", flat=True))
    finished = Job.objects.filter(kind=KIND).exclude(pk__in=Job.objects.unfinished().values("pk"))
    rows = finished.values_list("pk", "arguments__photo")
    gone = [job for job, photo in rows if photo not in kept]
    if not gone:
        return 0
    with transaction.atomic():
        finished.filter(pk__in=gone).delete()
        events.bump("jobs")
    return len(gone)


def _job_key(photo: Photo, glance: Glance) -> str:
    return f"{KIND}:{photo.pk}:{glance.digest}"


def _read(glance: Glance) -> Mapping[str, Vectors] | None:
    try:
        arrays, _ = read_arrays(glance.path)
    except (FileNotFoundError, ArtifactDamaged):
        return None
    return arrays
