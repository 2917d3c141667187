"""The Celery application. The truth about jobs is in the database; Celery only carries hints."""

import os

from celery import Celery
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dopeornope.settings")
TRANSPORT_ALIASES["filesystem"] = "dopeornope.broker:Transport"

app = Celery("dopeornope")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
