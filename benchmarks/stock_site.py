"""Prints sittings, each with its player's cookie, as JSON, after stocking the database of the settings.

DOPEORNOPE_HOME=... DOPEORNOPE_DATABASE=... python -m benchmarks.stock_site SITTINGS
"""

import json
import os
import sys
import uuid

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dopeornope.settings")
django.setup()

from django.core.management import call_command  # noqa: E402  # needs the apps
from django.db import connection  # noqa: E402

from evaluation.views.player_cookie import sign_cookie, sign_sitting  # noqa: E402
from tests.factories import make_catalogue, make_contenders  # noqa: E402

ITEMS = 4000  # half of them are questions
CONTENDERS = 12


def main() -> None:
    call_command("migrate", verbosity=0)
    catalogue = make_catalogue(items=ITEMS, categories=10, slug="bench", with_images=False)
    make_contenders(catalogue, count=CONTENDERS)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # as every database does now and then by itself
    keys = [uuid.uuid4() for _ in range(int(sys.argv[1]))]
    json.dump([(sign_sitting(key), sign_cookie(key)) for key in keys], sys.stdout)


if __name__ == "__main__":
    main()
