"""The encoders of this installation."""

from django.conf import settings

from search.engine.encoders import EncoderInfo, list_encoders


def list_all_encoders() -> list[EncoderInfo]:
    """Every encoder with this installation's weights; those that cannot run here carry the remedy."""
    return list_encoders(weights_folder=settings.WEIGHTS_FOLDER)
