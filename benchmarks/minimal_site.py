"""What a good engineer would otherwise write: one Django view that stores one row, served by gunicorn.

Nothing else: no middleware, no sign-in, no deal to spend, no counts. The database and its promises are those
of the product (the same variable, the same pragmas), and connections are kept.

    DOPEORNOPE_DATABASE=... BENCH_SQLITE=FILE gunicorn --workers 2 benchmarks.minimal_site:application
"""

import json
import os
from pathlib import Path

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path

from dopeornope.env import Environment

settings.configure(
    SECRET_KEY="of a benchmark on loopback",
    ALLOWED_HOSTS=["127.0.0.1"],
    DATABASES={
        "default": {
            **Environment().database("DATABASE", Path(os.environ.get("BENCH_SQLITE", "unused"))),
            "CONN_MAX_AGE": None,
        }
    },
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()

from django.db import connection, models  # noqa: E402  # needs the settings above
from django.utils import timezone  # noqa: E402


class MinimalVote(models.Model):
    deal = models.CharField(max_length=32)
    answer = models.CharField(max_length=4)
    dwell_ms = models.PositiveIntegerField()
    cast_at = models.DateTimeField()

    class Meta:
        app_label = "benchmarks"

    def __str__(self) -> str:
        return self.answer


def vote(request: HttpRequest) -> JsonResponse:
    body = json.loads(request.body)
    row = MinimalVote.objects.create(
        deal=body["deal"], answer=body["answer"], dwell_ms=body["dwell_ms"], cast_at=timezone.now()
    )
    response = JsonResponse({"id": row.pk})
    response["Content-Length"] = len(response.content)  # what Django's middleware would add
    return response


def make_table() -> None:
    with connection.schema_editor() as editor:
        editor.create_model(MinimalVote)


urlpatterns = [path("vote/", vote)]
application = get_wsgi_application()
