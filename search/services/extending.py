"""Adding to what is built: new items become a segment beside each index, which itself stays as it is.

Searches find them as soon as the job is done; contenders are asked about them from the next build on, which
also takes the segments into new indexes. Only the new pictures are looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, cast

import numpy as np
from django.db import transaction

from search import artifacts, events
from search.engine.encoders import EncoderInfo, group_by_network
from search.engine.encoders.base import EncoderError, Vectors
from search.engine.encoders.vectors import GIVEN_FAMILY
from search.engine.errors import ArtifactDamaged
from search.engine.metrics import Metric
from search.engine.segments import Composition, Segment, list_changes
from search.models import BuildState, Catalogue, EmbeddingSpace, Index, Item, Job
from search.services import compositions
from search.services.calibrating import request_calibrations
from search.services.embedding import Picture, encode_ahead, open_encoder
from search.services.jobs import JobContext, JobFailed, create_job

KIND: Final = "extend"
SHARE: Final = 0.1  # of the items that were indexed: when more have come and gone, all is built anew
CHANGED: Final = "The catalogue has changed meanwhile: this begins anew in a minute, or with the next build."


def request_extensions(
    *, catalogue: Catalogue, able: Sequence[EncoderInfo], now: datetime
) -> list[Job] | None:
    """Jobs that bring what searches find up to date; None where the contenders are to be built or looked at.

    ``able``: the encoders that can run.
    """
    serving = list_serving(catalogue)
    own = {(space.encoder, space.encoder_version): space for space in serving if space.family != GIVEN_FAMILY}
    if not own or own.keys() != {(info.name, info.version) for info in able}:
        return None
    unfinished = Index.objects.filter(space__in=own.values()).exclude(state=BuildState.READY)
    if unfinished.exists():
        return None  # a metric that was not built yet, or was retired, would never be
    if all(space.catalogue_hash == catalogue.content_hash for space in own.values()):
        return None  # nothing has changed: a build looks whether all is whole
    present = _read_present(catalogue)
    try:
        for space in own.values():
            _check(space)
        if not all(_is_little(space, present) for space in own.values()):
            return None
    except ArtifactDamaged:
        return None
    with transaction.atomic():
        # Vectors that people brought lack the new items until they are brought again.
        given = [space.pk for space in serving if space.family == GIVEN_FAMILY]
        EmbeddingSpace.objects.filter(pk__in=given).update(covers=catalogue.content_hash)
        events.bump("catalogues")
        return [
            _request([own[info.name, info.version] for info in network], catalogue, now)
            for network in group_by_network(able)
        ]


def list_serving(catalogue: Catalogue) -> list[EmbeddingSpace]:
    """The spaces of a catalogue that are searched in."""
    ready = EmbeddingSpace.objects.filter(
        catalogue=catalogue, state=BuildState.READY, indexes__state=BuildState.READY
    )
    return list(ready.distinct().order_by("pk"))


def run_extension(context: JobContext) -> None:
    """Add what is new to the spaces ``arguments["spaces"]``, layers of one network."""
    spaces = list(
        EmbeddingSpace.objects.filter(pk__in=context.job.arguments["spaces"]).select_related("catalogue")
    )
    catalogue = spaces[0].catalogue
    images = dict(Item.objects.filter(catalogue=catalogue).values_list("position", "image_sha256"))
    present = _read_present(catalogue)
    try:
        missing = {space: _find_missing(space, present) for space in spaces}
        new = sorted(set().union(*(items.tolist() for items in missing.values())))
        made = _encode(context, spaces, [Picture(position, images[position]) for position in new])
        segments: dict[EmbeddingSpace, dict[str, str | int]] = {}
        for space, items in missing.items():
            if len(items):
                rows = np.searchsorted(new, items)
                segment = _make_segment(space, items, made[space.encoder][rows], images, present)
                segments[space] = compositions.write_segment(space, segment)
    except EncoderError as error:
        raise JobFailed(str(error)) from error
    except ArtifactDamaged as error:
        raise JobFailed(f"{error} They are built again by Operations, Build contenders.") from error
    if not _publish(context, spaces, segments):
        context.put_off(CHANGED)
    indexes = Index.objects.filter(space__in=spaces, state=BuildState.READY)
    request_calibrations(indexes.select_related("space__catalogue"))


def _request(spaces: Sequence[EmbeddingSpace], catalogue: Catalogue, now: datetime) -> Job:
    names = "+".join(str(space.pk) for space in spaces)
    return create_job(
        kind=KIND,
        arguments={"spaces": [space.pk for space in spaces]},
        key=f"{KIND}:{catalogue.content_hash[:24]}:{names}",
        title="Add new items for " + ", ".join(space.title for space in spaces),
        catalogue=catalogue,
        now=now,
        again=True,
    )


def _read_present(catalogue: Catalogue) -> artifacts.Positions:
    """`Item.position` of all items that are there, ascending; without those of an import that goes on."""
    settled = Item.objects.filter(catalogue=catalogue, position__lt=catalogue.settled_items)
    items = settled.present().order_by("position")
    return np.fromiter(items.values_list("position", flat=True).iterator(chunk_size=5000), np.int64)


def _check(space: EmbeddingSpace) -> None:
    """Read every byte anew of what is to be added to. Raises ArtifactDamaged."""
    artifacts.check_space(space)
    for index in space.indexes.filter(state=BuildState.READY).select_related("space"):
        artifacts.open_index(index)


def _is_little(space: EmbeddingSpace, present: artifacts.Positions) -> bool:
    """Whether few came and went since the space was embedded, and those that came stand at the end."""
    known = compositions.read_items(space)
    new, gone = np.setdiff1d(present, known), np.setdiff1d(known, present)
    added = len(known) - space.items
    is_behind = not len(new) or not len(known) or new[0] > known[-1]
    return is_behind and added + len(new) + len(gone) <= SHARE * space.items


def _find_missing(space: EmbeddingSpace, present: artifacts.Positions) -> artifacts.Positions:
    """Positions, ascending. Raises ``JobFailed`` where they do not stand behind what the space has."""
    known = compositions.read_items(space)
    missing = np.setdiff1d(present, known)
    if len(missing) and len(known) and missing[0] < known[-1]:
        raise JobFailed(f"An item that {space.title} never had was put back: build the contenders again.")
    return missing


def _encode(
    context: JobContext, spaces: Sequence[EmbeddingSpace], pictures: Sequence[Picture]
) -> Mapping[str, Vectors]:
    """By encoder the vectors (n, d) of n pictures."""
    if not pictures:
        return {}
    made: dict[str, list[Vectors]] = {space.encoder: [] for space in spaces}
    done = 0
    for rows, by_encoder in encode_ahead(open_encoder(spaces), pictures, range(len(pictures))):
        for name, vectors in by_encoder.items():
            made[name].append(vectors)
        done += len(rows)
        context.progress(done, len(pictures), "new images")
    return {name: np.concatenate(vectors) for name, vectors in made.items()}


def _make_segment(
    space: EmbeddingSpace,
    items: artifacts.Positions,
    vectors: Vectors,
    images: Mapping[int, str],
    present: artifacts.Positions,
) -> Segment:
    """The new items with the lists of neighbours that they make or change, by each metric that is served."""
    before = compositions.open_segments(space)
    everything = np.concatenate([compositions.read_items(space), items])
    identity = np.array([images[position] for position in everything.tolist()])
    gone = np.flatnonzero(~np.isin(everything, present))
    later = [*(one.vectors for one in before), vectors]
    listed = {}
    for index in space.indexes.filter(state=BuildState.READY).select_related("space"):
        built, metric = artifacts.open_index(index).index, cast(Metric, index.metric)
        listed[metric] = list_changes(
            Composition(built, np.concatenate(later), metric, built.centre),
            compositions.read_neighbours(index),
            everything,
            [built.vectors.rows, *later],
            identity,
            gone=gone,
        )
    return Segment(items, vectors, listed)


def _publish(
    context: JobContext,
    spaces: Sequence[EmbeddingSpace],
    segments: Mapping[EmbeddingSpace, dict[str, str | int]],
) -> bool:
    """All at once; nothing, and False, where the catalogue or a space has changed since they were read."""
    before = spaces[0].catalogue
    with context.publish():
        # Whoever changes the hash holds this row, so nobody changes it while spaces are said to cover it.
        catalogue = Catalogue.objects.select_for_update(no_key=True).get(pk=before.pk)
        rows = {space: EmbeddingSpace.objects.select_for_update().get(pk=space.pk) for space in spaces}
        if catalogue.content_hash != before.content_hash or any(
            (now.sha256, now.segments) != (space.sha256, space.segments) for space, now in rows.items()
        ):
            return False
        for space, now in rows.items():
            if now.state != BuildState.READY:
                raise JobFailed(f"{space.title} is being built again: import once more after that.")
            if space in segments:
                now.segments = [*now.segments, segments[space]]
            now.covers = catalogue.content_hash
            now.save(update_fields=["segments", "covers"])
        events.bump("catalogues")
        events.bump("changes")
    return True
