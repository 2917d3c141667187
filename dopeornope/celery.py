"""The Celery application. The truth about jobs is in the database; Celery only carries hints."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dopeornope.settings")

app = Celery("dopeornope")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
