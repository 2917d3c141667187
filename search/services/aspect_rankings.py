"""Who says what aspects are worth to a query: the newest ranking trained for its encoder, or a rule."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from search.engine.aspect_ranking import LearnedWeights, UntrainedWeights, Weigher, read_learned_weights
from search.engine.encoders.base import WeightsDamaged
from search.engine.encoders.trained import version_of
from search.engine.training.settings import ASPECT_RANKING
from search.models import Catalogue, Training
from search.selectors.trainings import published_folder
from search.services.aspect_grounds import GroundRows, name_aspects

log = logging.getLogger(__name__)


def find_weigher(*, catalogue: Catalogue, rows: GroundRows) -> Weigher:
    """The newest ranking for this version of the encoder, one of this catalogue first; else the rule.

    One that learned elsewhere serves as well: it looks at the query, and at how common what it shows is here.
    What is damaged is left out, and the log says so. Raises ``WeightsDamaged`` where the encoder's card is.
    """
    ready = Training.objects.filter(kind=ASPECT_RANKING, space=rows.encoder, ready_at__isnull=False)
    newest = ready.defer("curve").order_by("-ready_at", "-pk")
    wanted = {
        "encoder": rows.encoder,
        "encoder_version": rows.encoder_version,
        "aspects": list(name_aspects(rows)),
    }
    for training in sorted(newest, key=lambda training: training.catalogue_id != catalogue.pk):
        learned = _read(training, wanted)
        if learned is not None:
            return learned
    return UntrainedWeights()


def _read(training: Training, wanted: Mapping[str, object]) -> LearnedWeights | None:
    try:
        learned, card = read_learned_weights(published_folder(training))
    except WeightsDamaged as error:
        log.warning("The ranking “%s” weighs nothing (%s): train it again.", training.name, error)
        return None
    is_its_own = version_of(dict(card)) == training.encoder_version
    fits = all(card["architecture"].get(name) == value for name, value in wanted.items())
    return learned if is_its_own and fits else None
