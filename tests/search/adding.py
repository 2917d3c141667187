"""Items that are added to, or taken out of, the catalogue "shop" of `ITEMS` photos, by the real jobs."""

from dataclasses import replace
from pathlib import Path

from search.models import Catalogue, Job, JobState
from search.selectors.searches import Wish
from search.services import builds
from search.services.removing import request_removal
from tests.catalogues.sources import picture, write
from tests.factories import NOW
from tests.search.importing import bring, request, run
from tests.search.searching import answer_now, positions

ITEMS = 60


def add(source: Path, *numbers: int) -> Catalogue:
    """Import the source with more pictures, and do what is asked for after it."""
    write(source, {f"a/new-{number:04d}.png": picture(number) for number in numbers})
    job = run(request("folder", source))
    assert job.state == JobState.DONE, job.reason
    return finish(builds.request_build(catalogue=job.catalogue, now=NOW, after=job))


def remove(catalogue: Catalogue, *keys: str, back: bool = False) -> Catalogue:
    job = run(request_removal(catalogue=catalogue, keys=keys, now=NOW, back=back))
    assert job.state == JobState.DONE, job.reason
    return finish(builds.request_build(catalogue=catalogue, now=NOW, after=job))


def finish(planned: Job) -> Catalogue:
    assert run(planned).state == JobState.DONE
    for job in builds.iterate_builds(catalogue=planned.catalogue):
        ended = run(job)
        assert ended.state == JobState.DONE, ended.reason
    return Catalogue.objects.get(pk=planned.catalogue.pk)


def find(item: int, **wish: object) -> list[int]:
    """Positions on all pages."""
    first = answer_now(Wish(catalogue="shop", item=item, **wish), now=NOW)
    pages = [answer_now(replace(first.wish, page=page), now=NOW) for page in range(1, first.pages + 1)]
    return [position for page in pages for position in positions(page)]


def ask_to_add(source: Path, *numbers: int) -> list[Job]:
    """The jobs that would add more pictures of the source, not yet done."""
    write(source, {f"a/new-{number:04d}.png": picture(number) for number in numbers})
    builds.request_build(catalogue=bring("folder", source), now=NOW)
    added = builds.request_additions(catalogue=Catalogue.objects.get(), now=NOW)
    assert added
    return added
