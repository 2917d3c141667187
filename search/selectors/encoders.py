"""The encoders of this installation."""

from dataclasses import replace

from django.conf import settings

from search.engine.encoders import EncoderInfo, list_encoders
from search.models import BuildState, EmbeddingSpace


def list_all_encoders() -> list[EncoderInfo]:
    """Every encoder with this installation's weights; those that cannot run here carry the remedy.

    Tries plug-ins, which may take minutes: for jobs and commands.
    """
    return list_encoders(weights_folder=settings.WEIGHTS_FOLDER, trained_folder=settings.TRAINED_FOLDER)


def list_known_encoders() -> list[EncoderInfo]:
    """Every encoder as far as it is known at once, for pages.

    A plug-in is listed as the last build that could use it found it, else as "untried".
    """
    infos = list_encoders(
        weights_folder=settings.WEIGHTS_FOLDER, trained_folder=settings.TRAINED_FOLDER, try_plugins=False
    )
    untried = {info.name: info for info in infos if info.availability == "untried"}
    families = {info.family for info in untried.values()}
    built = EmbeddingSpace.objects.filter(
        encoder__in=untried, family__in=families, state=BuildState.READY
    ).order_by("ready_at")
    for space in built:
        untried[space.encoder] = replace(
            untried[space.encoder],
            title=space.title,
            dimensions=space.dimensions,
            version=space.encoder_version,
            sign_structured=space.sign_structured,
            availability="ready",
            remedy="",
        )
    return [untried.get(info.name, info) for info in infos]
