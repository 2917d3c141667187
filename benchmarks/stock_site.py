"""Prints sittings, each with its player's cookie, as JSON, after stocking the database of the settings.

DOPEORNOPE_HOME=... DOPEORNOPE_DATABASE=... python -m benchmarks.stock_site SITTINGS [--pictures]
"""

import argparse
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
from tests.factories import give_extras, make_catalogue, make_contenders  # noqa: E402

ITEMS = 4000  # half of them are questions
CONTENDERS = 12


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sittings", type=int)
    parser.add_argument("--pictures", action="store_true", help="with a file for every picture")
    options = parser.parse_args()
    call_command("migrate", verbosity=0)
    catalogue = make_catalogue(items=ITEMS, categories=10, slug="bench", with_images=options.pictures)
    for contender in make_contenders(catalogue, count=CONTENDERS)[:2]:
        give_extras(contender)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # as every database does now and then by itself
    keys = [uuid.uuid4() for _ in range(options.sittings)]
    json.dump([(sign_sitting(key), sign_cookie(key)) for key in keys], sys.stdout)


if __name__ == "__main__":
    main()
