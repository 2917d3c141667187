"""Builds: every encoder that can run, over one catalogue, under every metric."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from search import artifacts, events
from search.engine.encoders import EncoderInfo, group_by_network
from search.engine.encoders.vectors import GIVEN_FAMILY
from search.engine.errors import ArtifactDamaged
from search.models import BuildState, Catalogue, CatalogueState, EmbeddingSpace, Index, Job
from search.selectors.encoders import list_all_encoders
from search.services.calibrating import request_calibrations
from search.services.extending import request_extensions
from search.services.indexing import request_indexes
from search.services.jobs import JobContext, JobFailed, create_job

QUICKEST_FAMILY = "histograms"
BUILD_KINDS = ("embed", "extend", "index")
# What changes a little of a catalogue: what was built stays, and is brought up to date.
_CHANGING_KINDS = ("import", "remove")


def request_build(*, catalogue: Catalogue, now: datetime, after: Job | None = None) -> Job:
    """A job that plans the catalogue's contenders once ``after`` (its import) is done.

    Asked for again, it looks again: for encoders that came, and for files that were lost or damaged. There
    is one per import, because one that waited for an earlier import would not wait for this one. After an
    import or a removal that changed little, what was built stays, and only what is new is added to it.
    """
    extends = after is not None and after.kind in _CHANGING_KINDS
    return create_job(
        kind="build",
        arguments={"catalogue": catalogue.pk, "extends": extends},
        key=f"build:{catalogue.pk}:{after.pk if after else ''}",
        title=f"Plan the contenders of {catalogue.title}",
        catalogue=catalogue,
        now=now,
        after=after,
        again=True,
    )


def run_build(context: JobContext) -> None:
    """Ask for the contenders of the catalogue ``arguments["catalogue"]``."""
    catalogue = find_catalogue(pk=context.job.arguments["catalogue"])
    extended = None
    if context.job.arguments.get("extends"):
        extended = request_additions(catalogue=catalogue, now=context.now())
    jobs = request_contenders(catalogue=catalogue, now=context.now()) if extended is None else extended
    # Indexes that were there before calibrations were, or whose calibration failed.
    ready = Index.objects.filter(space__catalogue=catalogue, state=BuildState.READY)
    jobs += request_calibrations(ready.select_related("space__catalogue"))
    broken = [info for info in list_all_encoders() if info.availability == "broken"]
    left_out = [f"{info.title} is left out. {info.remedy}" for info in broken]
    context.progress(1, 1, "; ".join([f"{len(jobs)} jobs to do", *left_out]))


def request_contenders(*, catalogue: Catalogue, now: datetime, encoder: str = "") -> list[Job]:
    """Jobs for every space and index of the catalogue that is not ready and whole; of one encoder, if named.

    Named by its network, it comes with all its layers or masks.

    First come encoders that load no network, then those with short vectors, which are quick to embed and to
    search, and the control last: so the game opens early, with pairs that were looked for.
    """
    for space in catalogue.spaces.filter(catalogue_hash=catalogue.content_hash):
        _take_back_what_is_damaged(space)
    able = [
        info
        for info in list_all_encoders()
        if info.availability == "ready" and encoder in ("", info.name, info.network)
    ]
    with transaction.atomic():
        jobs: list[Job] = []
        for number, network in enumerate(sorted(group_by_network(able), key=_cost)):
            spaces = [_find_space(catalogue, info, now) for info in network]
            missing = [space for space in spaces if space.state != BuildState.READY]
            if missing:
                # A moment apart, because workers take jobs in the order in which they were made.
                at = now + timedelta(microseconds=number)
                jobs.append(_request_embedding(catalogue, missing, at))
            for space in spaces:
                jobs += request_indexes(space=space, now=now)
        given = catalogue.spaces.filter(family=GIVEN_FAMILY, catalogue_hash=catalogue.content_hash)
        # Those with a retired index were given again since: the newer vectors stand for the encoder.
        for space in given.none() if encoder else given.exclude(indexes__state=BuildState.RETIRED):
            jobs += request_indexes(space=space, now=now)
        events.bump("catalogues")
    return jobs


def request_additions(*, catalogue: Catalogue, now: datetime) -> list[Job] | None:
    """Jobs that add to the indexes there are what is new; None where the contenders are to be built instead.

    That is where nothing is built, an encoder came or is another version, or more has changed than
    `extending.SHARE`: then what was added is taken into new indexes, and the old ones serve meanwhile.
    """
    able = [info for info in list_all_encoders() if info.availability == "ready"]
    return request_extensions(catalogue=catalogue, able=able, now=now)


def find_catalogue(**which: object) -> Catalogue:
    """The catalogue that is to get contenders. Raises ``JobFailed`` where there is none that is ready."""
    catalogue = Catalogue.objects.filter(**which).first()
    if catalogue is None:
        slugs = ", ".join(Catalogue.objects.values_list("slug", flat=True)) or "none yet"
        raise JobFailed(f"There is no such catalogue; there are: {slugs}.")
    if catalogue.state != CatalogueState.READY:
        raise JobFailed(f"“{catalogue.title}” is not ready but {catalogue.state}: finish its import first.")
    return catalogue


def iterate_builds(*, catalogue: Catalogue) -> Iterator[Job]:
    """The catalogue's unfinished builds one by one, also those that the ones before have made.

    An index comes before the next embedding, so that each contender is ready as early as can be.
    """
    seen: set[UUID] = set()
    while True:
        left = catalogue.jobs.unfinished().filter(kind__in=BUILD_KINDS).exclude(pk__in=seen)
        job = left.order_by("-kind", "created_at", "id").first()
        if job is None:
            return
        seen.add(job.pk)
        yield job


def _cost(network: list[EncoderInfo]) -> tuple[bool, bool, int]:
    info = network[0]
    return info.is_control, info.family != QUICKEST_FAMILY, max(info.dimensions for info in network)


def _find_space(catalogue: Catalogue, info: EncoderInfo, now: datetime) -> EmbeddingSpace:
    space, _ = EmbeddingSpace.objects.get_or_create(
        catalogue=catalogue,
        encoder=info.name,
        encoder_version=info.version,
        mask=info.mask,
        catalogue_hash=catalogue.content_hash,
        defaults={
            "title": info.title,
            "family": info.family,
            "dimensions": info.dimensions,
            "sign_structured": info.sign_structured,
            "is_control": info.is_control,
            "created_at": now,
        },
    )
    if space.covers or space.segments:
        # The catalogue is what it was then once more: what came meanwhile has gone again.
        space.covers, space.segments = "", []
        space.save(update_fields=["covers", "segments"])
    return space


def _take_back_what_is_damaged(space: EmbeddingSpace) -> None:
    """What is marked ready but whose file is gone or damaged is to be built again.

    Given vectors cannot be: their space fails, until they are given again.
    """
    if space.state == BuildState.READY:
        try:
            artifacts.check_space(space)
        except (ArtifactDamaged, FileNotFoundError):
            space.state = BuildState.FAILED if space.family == GIVEN_FAMILY else BuildState.BUILDING
            space.save()
    # Without its vectors an index cannot be opened, but what it knows already may be whole.
    check = artifacts.open_index if space.state == BuildState.READY else artifacts.read_neighbours
    for index in Index.objects.filter(space=space, state=BuildState.READY).select_related("space"):
        try:
            check(index)
        except ArtifactDamaged:
            Index.objects.filter(pk=index.pk).update(state=BuildState.BUILDING)


def _request_embedding(catalogue: Catalogue, spaces: list[EmbeddingSpace], now: datetime) -> Job:
    names = "+".join(str(space.pk) for space in spaces)
    return create_job(
        kind="embed",
        arguments={"spaces": [space.pk for space in spaces]},
        key=f"embed:{names}",
        title="Embed with " + ", ".join(space.title for space in spaces),
        catalogue=catalogue,
        now=now,
        again=True,
    )
