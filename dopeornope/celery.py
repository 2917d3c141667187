"""The Celery application. The truth about jobs is in the database; Celery only carries hints."""

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dopeornope.settings")
TRANSPORT_ALIASES["filesystem"] = "dopeornope.file_broker:Transport"
TRANSPORT_ALIASES["redis"] = TRANSPORT_ALIASES["rediss"] = "dopeornope.redis_broker:Transport"

app = Celery("dopeornope")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_our_logging(**_: Any) -> None:
    """Where somebody listens Celery sets up no logging of its own: that of the settings stands."""
