"""Which spaces can be navigated, and in which of them people look for an item."""

from __future__ import annotations

from collections.abc import Sequence

from search.models import BuildState, Catalogue, EmbeddingSpace

# Of a space without masks, by the family of its encoder: what has learned to see comes first.
FAMILIES = ("trained", "vgg")


def list_ready_spaces(catalogue: Catalogue) -> list[EmbeddingSpace]:
    """Spaces that are searched in: those of older versions have no index that is ready any more.

    Over the catalogue as it is, or brought up to date with it: then games are played on what was embedded.
    """
    ready = EmbeddingSpace.objects.filter(
        catalogue=catalogue, state=BuildState.READY, indexes__state=BuildState.READY
    ).of_content(catalogue.content_hash)
    return list(ready.distinct().order_by("id"))


def list_masks(ready: Sequence[EmbeddingSpace], whole: EmbeddingSpace) -> list[EmbeddingSpace]:
    """The masked spaces of the same encoder in the same version over the same items, by aspect."""
    made = (whole.encoder_version, whole.catalogue_hash)
    masked = [one for one in ready if one.mask and (one.encoder_version, one.catalogue_hash) == made]
    own = [one for one in masked if one.encoder == f"{whole.encoder}.{one.mask}"]
    return sorted(own, key=lambda one: one.mask)


def choose_spaces(catalogue: Catalogue) -> list[EmbeddingSpace]:
    """What people play on: a whole space, followed by its masks; empty where nothing is ready.

    A conditional network's space, which has masks, comes before one of any other trained encoder, that before
    VGG's, and VGG's before all others. Of equals it is the newest. No control.
    """
    ready = list_ready_spaces(catalogue)
    boards = [[one, *list_masks(ready, one)] for one in ready if not one.mask and not one.is_control]
    return max(
        boards, key=lambda spaces: (len(spaces) > 1, -_rank_family(spaces[0]), spaces[0].pk), default=[]
    )


def list_navigable_catalogues() -> list[Catalogue]:
    """The catalogues in which people can look for an item, the oldest first."""
    return [catalogue for catalogue in Catalogue.objects.all() if choose_spaces(catalogue)]


def _rank_family(space: EmbeddingSpace) -> int:
    return FAMILIES.index(space.family) if space.family in FAMILIES else len(FAMILIES)
