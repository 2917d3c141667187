"""Vectors that users computed themselves, as an encoder of one catalogue."""

from datetime import datetime
from pathlib import Path

import numpy as np
from django.conf import settings
from django.db import transaction

from search import artifacts, events
from search.engine.encoders import EncoderInfo
from search.engine.encoders.vectors import GIVEN_FAMILY, AlignedVectors, VectorTable, read_vectors
from search.engine.errors import VectorsRejected
from search.engine.vectors import StoredVectors
from search.models import BuildState, Catalogue, EmbeddingSpace, Item, Job
from search.selectors.encoders import list_all_encoders
from search.services.indexing import request_indexes


def add_vectors(
    *, catalogue: Catalogue, name: str, path: Path, keys: Path | None, now: datetime
) -> tuple[list[Job], list[str]]:
    """Make vectors by item key the space of an encoder ``name``.

    Returns the jobs for its indexes, and what was left out, in words.

    Items without a vector take no part in that space, neither as questions nor as candidates. The same file
    given twice is one space. Raises ``VectorsRejected`` where nothing can be used, and ``DiskFull``.
    """
    if name in {info.name for info in list_all_encoders()}:
        raise VectorsRejected(f"“{name}” is an encoder of this installation: give another name.")
    table = read_vectors(path, keys)
    there = Item.objects.present().filter(catalogue=catalogue).order_by("position")
    rows = list(there.values_list("position", "key"))
    aligned = table.align([key for _, key in rows])
    items = np.array([position for position, _ in rows], dtype=np.int64)[aligned.positions]
    space = _find_space(catalogue, table.describe(name), now)
    stored = _store(space, aligned)
    artifacts.write_items(space, items, of=stored)
    with transaction.atomic():
        space.items, space.dimensions = stored.rows.shape
        space.sha256 = stored.sha256
        space.file = str(stored.path.relative_to(settings.ARTIFACTS_FOLDER))
        space.state, space.ready_at = BuildState.READY, space.ready_at or now
        space.save()
        jobs = request_indexes(space=space, now=now)
        events.bump("catalogues")
    return jobs, _list_problems(table, aligned)


def _find_space(catalogue: Catalogue, info: EncoderInfo, now: datetime) -> EmbeddingSpace:
    space, _ = EmbeddingSpace.objects.get_or_create(
        catalogue=catalogue,
        encoder=info.name,
        encoder_version=info.version,
        mask="",
        catalogue_hash=catalogue.content_hash,
        defaults={
            "title": info.title,
            "family": GIVEN_FAMILY,
            "sign_structured": info.sign_structured,
            "created_at": now,
        },
    )
    return space


def _store(space: EmbeddingSpace, aligned: AlignedVectors) -> StoredVectors:
    count, dimensions = aligned.vectors.shape
    stored = artifacts.find_vectors(space, count=count)
    if stored is not None:
        return stored
    with artifacts.begin_vectors(space, count=count, dimensions=dimensions) as store:
        store.write(np.arange(count), aligned.vectors)
        return store.finish()


def _list_problems(table: VectorTable, aligned: AlignedVectors) -> list[str]:
    return [
        *(f"The vector of “{row.key}” is left out: it {row.message}." for row in table.rejected),
        *aligned.list_problems(),
    ]
