"""What may be trained: a wish, checked before any work starts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from django.conf import settings as site
from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db.models import Count

from search.engine.detectors import DetectorMissing, detector_file
from search.engine.encoders.base import WeightsDamaged
from search.engine.errors import TripletsRejected
from search.engine.training.settings import ASPECT_RANKING, DETECTOR, ENCODERS, SETTINGS_OF, SiameseSettings
from search.engine.training.typed_settings import BadSetting, Settings
from search.engine.triplet_files import TripletFiles, find_triplet_files
from search.engine.weight_headers import check_safetensors
from search.models import Aspect, Catalogue, CatalogueState, Label, Split, Training
from search.selectors.encoders import list_known_encoders
from search.services.aspect_grounds import (
    NoAspects,
    NothingLabelled,
    find_ground,
    list_labelled,
    name_aspects,
)
from search.services.navigation_terrain import NoSuchSpace, list_versions
from search.services.training_triplets import check_published
from search.services.weight_checksums import checksum_of

LONGEST_NAME = 60
LONGEST_ENCODER = 100  # as columns hold it


class TrainingRefused(Exception):
    """Nothing is trained; the text says why, and the remedy.

    ``about``: the part of the wish that it is about, by its name in `Wish`; blank where there is no one part.
    """

    def __init__(self, text: str, *, about: str = "") -> None:
        super().__init__(text)
        self.about = about


@dataclass(frozen=True)
class Wish:
    """What is to be trained, as a form or a command line says it; ``settings`` as text by name.

    With ``triplets``, a folder of published files, ``aspects`` name their conditions; all where empty.
    ``space`` is what a ranker plays or ranks in, and needed by no other kind.
    """

    kind: str
    name: str
    catalogue: Catalogue
    aspects: tuple[str, ...] = ()
    settings: Mapping[str, str] | None = None
    weights: Path | None = None
    device: str = "auto"
    triplets: Path | None = None
    space: str = ""


def read_settings(wish: Wish) -> Settings:
    """The settings of a wish. Raises ``TrainingRefused`` for a kind or a setting that there is not."""
    if wish.kind not in SETTINGS_OF:
        raise TrainingRefused(
            f"There is no kind “{wish.kind}” of training. There are: {', '.join(SETTINGS_OF)}.", about="kind"
        )
    try:
        return SETTINGS_OF[wish.kind].read(wish.settings or {})
    except BadSetting as error:
        raise TrainingRefused(str(error), about="settings") from error


def check_name(name: str) -> None:
    """Refuse what cannot be a name, and another encoder's. Raises ``TrainingRefused``."""
    try:
        validate_slug(name)
    except ValidationError as error:
        raise TrainingRefused(
            f"“{name}” is no name: use letters, digits, hyphens and underscores.", about="name"
        ) from error
    if len(name) > LONGEST_NAME:
        raise TrainingRefused(
            f"The name is longer than {LONGEST_NAME} characters: choose a shorter one.", about="name"
        )
    own = set(Training.objects.values_list("name", flat=True))
    taken = {info.name for info in list_known_encoders()} | {info.network for info in list_known_encoders()}
    if name in taken and name not in own:
        raise TrainingRefused(
            f"“{name}” is an encoder of this installation: choose another name.", about="name"
        )


def check_wish(wish: Wish) -> tuple[Wish, TripletFiles | None]:
    """Refuse what cannot be learned. Raises ``TrainingRefused``.

    Returns the wish and the triplet files it is about, if any; their conditions are then its aspects.
    """
    catalogue = wish.catalogue
    if catalogue.state != CatalogueState.READY:
        raise TrainingRefused(
            f"“{catalogue.title}” is not ready but {catalogue.state}: finish its import first.",
            about="catalogue",
        )
    if wish.kind not in ENCODERS:
        _check_ranker(wish)
        return wish, None
    if wish.space:
        raise TrainingRefused(
            f"{wish.kind} learns from pictures, in no space: name none, or train dqn or aspect-ranking.",
            about="space",
        )
    if wish.triplets is None:
        aspects = _list_aspects(wish)
        for name in aspects:
            _check_aspect(catalogue, name)
        _check_mask_names(wish, aspects)
        if wish.kind == "siamese":
            _check_views(catalogue)
            _check_detector(wish)
        return wish, None
    files = _check_triplets(wish, wish.triplets)
    _check_mask_names(wish, files.conditions)
    return replace(wish, aspects=files.conditions), files


def _check_ranker(wish: Wish) -> None:
    """What a ranker learns from is games or queries in a space, and nothing else."""
    learned_from = "queries" if wish.kind == ASPECT_RANKING else "games"
    for name in ("aspects", "weights", "triplets"):
        if getattr(wish, name):
            raise TrainingRefused(f"{wish.kind} learns from {learned_from}: give no {name}.", about=name)
    try:
        list_versions(catalogue=wish.catalogue, space=wish.space)
        if wish.kind == ASPECT_RANKING:
            rows = find_ground(catalogue=wish.catalogue, encoder=wish.space)
            list_labelled(wish.catalogue, name_aspects(rows))
    except (NoSuchSpace, NoAspects, NothingLabelled, WeightsDamaged) as error:
        raise TrainingRefused(str(error), about="space") from error


def _check_mask_names(wish: Wish, aspects: Sequence[str]) -> None:
    for name in aspects if wish.kind == "csn" else ():
        if len(f"{wish.name}.{name}") > LONGEST_ENCODER:
            raise TrainingRefused(
                f"“{wish.name}.{name}”, as the encoder of this aspect's mask would be called, is longer "
                f"than {LONGEST_ENCODER} characters: choose a shorter name.",
                about="name",
            )


def _check_triplets(wish: Wish, folder: Path) -> TripletFiles:
    if wish.kind != "csn":
        raise TrainingRefused(
            f"{wish.kind} does not learn from triplets: name no folder of them, or train csn.",
            about="triplets",
        )
    try:
        files = find_triplet_files(folder, wish.aspects)
        check_published(wish.catalogue, files)
    except TripletsRejected as error:
        raise TrainingRefused(str(error), about="triplets") from error
    return files


def _list_aspects(wish: Wish) -> list[str]:
    """The aspects that are named, or the category."""
    labels = wish.catalogue.aspects.filter(kind=Aspect.Kind.LABEL)
    known = list(labels.values_list("name", flat=True))
    there_are = f"“{wish.catalogue.title}” has: {', '.join(known) or 'none'}."
    for name in wish.aspects:
        if name not in known:
            raise TrainingRefused(f"There is no aspect “{name}” to learn. {there_are}", about="aspects")
        if wish.aspects.count(name) > 1:
            raise TrainingRefused(f"The aspect “{name}” is named twice: name it once.", about="aspects")
    category = list(labels.filter(is_category=True).values_list("name", flat=True))
    if not wish.aspects and not category:
        raise TrainingRefused(
            f"The catalogue has no category: import it with --category, or name aspects. {there_are}",
            about="aspects",
        )
    if wish.kind in ("transfer", "siamese") and len(wish.aspects) > 1:
        raise TrainingRefused(
            f"{wish.kind} learns one aspect, not {len(wish.aspects)}: name one.", about="aspects"
        )
    return list(wish.aspects) or category


def _check_views(catalogue: Catalogue) -> None:
    """Trainable items need a second view, or several pictures of one product: one of them may be it."""
    seen = catalogue.items.exclude(lifestyle_sha256="")
    if not seen.exists():
        groups = catalogue.items.filter(split=Split.TRAINABLE).exclude(group="").values("group")
        if groups.annotate(pictures=Count("pk")).filter(pictures__gte=2).exists():
            return
        raise TrainingRefused(
            f"“{catalogue.title}” has no lifestyle photos, from which siamese learns: import a catalogue "
            "whose items have a second view, or with --group, the column of what several pictures show.",
            about="kind",
        )
    if not seen.filter(split=Split.TRAINABLE).exists():
        raise TrainingRefused(
            f"In “{catalogue.title}” no trainable item has a lifestyle photo, from which siamese learns: "
            "import more items, or train another kind.",
            about="kind",
        )


def _check_detector(wish: Wish) -> None:
    settings = read_settings(wish)
    if isinstance(settings, SiameseSettings) and settings.sight == DETECTOR:
        try:
            detector_file(site.WEIGHTS_FOLDER)
        except DetectorMissing as error:
            raise TrainingRefused(f"{error} Set sight to regions, or off.", about="settings") from error


def _check_aspect(catalogue: Catalogue, name: str) -> None:
    """An aspect can be learned where two values have two trainable items each, which have no other value."""
    labels = Label.objects.filter(
        item__catalogue=catalogue,
        item__split=Split.TRAINABLE,
        attribute__aspect__name=name,
        attribute__aspect__catalogue=catalogue,
    ).exclude(source=Label.Source.PREDICTED)
    found: dict[int, str | None] = {}
    for item, value in labels.values_list("item_id", "attribute__value").iterator(chunk_size=5000):
        found[item] = value if found.get(item, value) == value else None
    counts = Counter(value for value in found.values() if value is not None)
    if len(counts) < 2:
        only = f"one value only (“{next(iter(counts))}”)" if counts else "no value"
        raise TrainingRefused(
            f"Nothing can be learned of “{name}”: the trainable items have {only}. Name another aspect.",
            about="aspects",
        )
    if sum(count >= 2 for count in counts.values()) < 2:
        raise TrainingRefused(
            f"Nothing can be learned of “{name}”: fewer than two of its values have two trainable items. "
            "Import more items, or name another aspect.",
            about="aspects",
        )


def check_weights(weights: Path | None) -> str:
    """The sha256 of the backbone's weights; blank without any. Raises ``TrainingRefused``."""
    if weights is None:
        return ""
    try:
        check_safetensors(weights)
        return checksum_of(weights)
    except WeightsDamaged as error:
        raise TrainingRefused(str(error), about="weights") from error
