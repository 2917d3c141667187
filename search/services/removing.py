"""Taking items out of a catalogue, and putting them back, without building anything anew.

A removed item keeps its row, its position and its vectors: pairs, deals and votes on it stay, and are counted
as before. It is left out of what searches find and of what is dealt; the next build leaves it out of the
indexes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from search import events
from search.models import BuildState, Catalogue, CatalogueState, EmbeddingSpace, Index, Item, Job
from search.selectors.catalogues import hash_content
from search.services.calibrating import request_calibrations
from search.services.jobs import JobContext, JobFailed, create_job

KIND: Final = "remove"
MOST_AT_ONCE: Final = 10_000  # keys of one job
_SHOWN: Final = 3
_STEP: Final = 500  # keys of one statement


class RemovalRefused(Exception):
    """What cannot be taken away or put back; the text says why, and the remedy."""


def request_removal(*, catalogue: Catalogue, keys: Sequence[str], now: datetime, back: bool = False) -> Job:
    """The job that takes the items with these keys away, or puts them ``back``. Raises RemovalRefused."""
    wanted = sorted(set(keys))
    if not wanted:
        raise RemovalRefused("Name the items: one key a line.")
    if any("\x00" in key for key in wanted):
        raise RemovalRefused(
            "These keys hold a character that no key has. Nothing was changed: type them anew."
        )
    if len(wanted) > MOST_AT_ONCE:
        raise RemovalRefused(f"At most {MOST_AT_ONCE:,} items at once: these are {len(wanted):,}.")
    if catalogue.state != CatalogueState.READY:
        raise RemovalRefused(f"“{catalogue.title}” is not imported yet: finish its import first.")
    known = {
        key
        for start in range(0, len(wanted), _STEP)
        for key in Item.objects.filter(
            catalogue=catalogue, key__in=wanted[start : start + _STEP]
        ).values_list("key", flat=True)
    }
    if unknown := [key for key in wanted if key not in known]:
        named = ", ".join(f"“{key[:60]}”" for key in unknown[:_SHOWN])
        more = f" and {len(unknown) - _SHOWN:,} more" if len(unknown) > _SHOWN else ""
        raise RemovalRefused(
            f"“{catalogue.title}” has no item {named}{more}. Nothing was changed: correct the keys, which "
            "are those of the source it was imported from."
        )
    what = f"{len(wanted):,} item{'s' if len(wanted) > 1 else ''}"
    digest = hashlib.sha256("\n".join(wanted).encode()).hexdigest()
    return create_job(
        kind=KIND,
        arguments={"keys": wanted, "back": back},
        key=f"{KIND}:{catalogue.pk}:{'back' if back else 'away'}:{digest[:24]}",
        title=f"Put {what} back into {catalogue.title}" if back else f"Remove {what} from {catalogue.title}",
        catalogue=catalogue,
        now=now,
        again=True,
    )


def run_removal(context: JobContext) -> None:
    """Take away, or put back, the items of ``arguments["keys"]``, all at once."""
    catalogue, keys, back = (
        context.job.catalogue,
        context.job.arguments["keys"],
        context.job.arguments["back"],
    )
    assert catalogue is not None
    with context.publish():
        catalogue = Catalogue.objects.select_for_update(no_key=True).get(pk=catalogue.pk)
        if catalogue.state != CatalogueState.READY:
            raise JobFailed(f"“{catalogue.title}” is being imported: try again after that.")
        changed = 0
        for start in range(0, len(keys), _STEP):
            named = Item.objects.filter(catalogue=catalogue, key__in=keys[start : start + _STEP])
            some = named.filter(removed_at__isnull=not back)
            changed += some.update(removed_at=None if back else context.now())
        if not back and not Item.objects.present().filter(catalogue=catalogue).exists():
            raise JobFailed("No item would be left. Remove fewer, or import something else first.")
        if changed:
            _take_note(catalogue)
    if changed:
        ready = Index.objects.filter(space__catalogue=catalogue, state=BuildState.READY)
        request_calibrations(ready.select_related("space__catalogue"))
    context.progress(len(keys), len(keys), f"{changed:,} {'put back' if back else 'removed'}")


def _take_note(catalogue: Catalogue) -> None:
    """Everything that is known of the catalogue by its hash is looked up anew; what is built still serves."""
    before = catalogue.content_hash
    catalogue.content_hash = hash_content(catalogue)
    catalogue.save(update_fields=["content_hash"])
    spaces = EmbeddingSpace.objects.filter(catalogue=catalogue, state=BuildState.READY).of_content(before)
    spaces.update(covers=catalogue.content_hash)
    events.announce_items_changed(catalogue)
    events.bump("catalogues")
    events.bump("changes")
