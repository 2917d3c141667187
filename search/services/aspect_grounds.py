"""A catalogue as an encoder that knows aspects sees it: through values that it tells, or through masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from django.conf import settings

from search.engine.aspect_views import AspectGround, HeadGround, MaskGround
from search.engine.encoders import trained
from search.engine.encoders.aspect_heads import read_heads
from search.engine.encoders.base import WeightsDamaged
from search.engine.encoders.trained_files import read_trained_card
from search.engine.navigation.terrain import Items, Space
from search.models import Aspect, Catalogue, EmbeddingSpace
from search.selectors.navigable_spaces import list_masks, list_ready_spaces
from search.services import compositions
from search.services.navigation_terrain import say_versions

OPEN = 8  # grounds in memory


class NoAspects(Exception):
    """An encoder that knows no aspects here; the text says why, and the remedy."""


class NothingLabelled(Exception):
    """An encoder whose aspects a catalogue labels nothing with; the text says so, and the remedy."""


@dataclass(frozen=True)
class GroundRows:
    """What a ground is opened from: the whole space, then that of each mask; none where values are told."""

    key: tuple[tuple[int, str], ...]  # the bytes: another build is another ground
    spaces: tuple[EmbeddingSpace, ...] = field(compare=False)

    @property
    def encoder(self) -> str:
        return self.spaces[0].encoder

    @property
    def encoder_version(self) -> str:
        return self.spaces[0].encoder_version

    @property
    def versions(self) -> dict[str, str]:
        """By encoder, its version and the checksum of its vectors."""
        return say_versions(self.spaces)


@dataclass(frozen=True, eq=False)
class OpenGround:
    """A ground with the items that its places are: ``items[place]`` is `Item.position`."""

    ground: AspectGround
    items: Items


def list_grounds(catalogue: Catalogue) -> list[GroundRows]:
    """What of a catalogue knows aspects: first what tells values, then masks; of equals the newest first."""
    ready = list_ready_spaces(catalogue)
    whole = [space for space in reversed(ready) if not space.mask and not space.is_control]
    telling = [_rows(space) for space in whole if _tells_values(space)]
    masked = [_rows(space, *masks) for space in whole if (masks := list_masks(ready, space))]
    return telling + masked


def find_ground(*, catalogue: Catalogue, encoder: str) -> GroundRows:
    """The newest of this encoder. Raises ``NoAspects``."""
    grounds = list_grounds(catalogue)
    found = next((rows for rows in grounds if rows.encoder == encoder), None)
    if found is None:
        known = ", ".join(rows.encoder for rows in grounds)
        remedy = f"There are: {known}." if known else "Train aspects or csn, and build contenders."
        raise NoAspects(f"“{catalogue.title}” has no space of '{encoder}' that knows aspects. {remedy}")
    return found


@lru_cache(OPEN)
def open_ground(rows: GroundRows) -> OpenGround:
    """The items as the encoder sees them; asks no database.

    Raises ``WeightsDamaged``, ``ArtifactDamaged`` and ``FileNotFoundError``.
    """
    whole, *masks = rows.spaces
    items, vectors = compositions.read_vectors(whole)
    space = Space(whole.title, vectors)
    ground: AspectGround
    if masks:
        ground = MaskGround(space, {mask.mask: _read(mask) for mask in masks})
    else:
        folder = trained.find_folder(whole.encoder, settings.TRAINED_FOLDER)
        if trained.version_of(read_trained_card(folder)) != whole.encoder_version:
            raise WeightsDamaged(f"{whole.title} was trained anew: build the contenders again.")
        ground = HeadGround(space, read_heads(folder))
    return OpenGround(ground, items)


def _rows(*spaces: EmbeddingSpace) -> GroundRows:
    return GroundRows(tuple((space.pk, space.composition) for space in spaces), spaces)


def _read(space: EmbeddingSpace) -> Space:
    return Space(space.title, compositions.read_vectors(space)[1])


def _tells_values(space: EmbeddingSpace) -> bool:
    """Whether it is of the very network of that name that is there now, and that tells values of aspects."""
    if space.family != "trained":
        return False
    try:
        card = read_trained_card(trained.find_folder(space.encoder, settings.TRAINED_FOLDER))
    except WeightsDamaged:
        return False
    return card["kind"] == "aspects" and trained.version_of(card) == space.encoder_version


def name_aspects(rows: GroundRows) -> Sequence[str]:
    """The aspects that a ground will know, without opening it. Raises ``WeightsDamaged``."""
    whole, *masks = rows.spaces
    if masks:
        return [mask.mask for mask in masks]
    card = read_trained_card(trained.find_folder(whole.encoder, settings.TRAINED_FOLDER))
    return [str(aspect["name"]) for aspect in card["aspects"]]


def list_labelled(catalogue: Catalogue, aspects: Sequence[str]) -> list[str]:
    """Those aspects that items of the catalogue are labelled with. Raises ``NothingLabelled``."""
    known = set(catalogue.aspects.filter(kind=Aspect.Kind.LABEL).values_list("name", flat=True))
    names = [name for name in aspects if name in known]
    if not names:
        raise NothingLabelled(
            f"“{catalogue.title}” labels none of the aspects that this encoder knows ({', '.join(aspects)}), "
            "so nobody knows what is relevant: train an encoder on aspects that it labels."
        )
    return names
