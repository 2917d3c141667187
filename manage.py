#!/usr/bin/env python
"""Django's command line for this project."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import DatabaseError

from dopeornope.migrating import find_missing_migrations


def explain(error: DatabaseError) -> str:
    """What a person can do about it; empty where nothing is known."""
    try:
        return find_missing_migrations()
    except DatabaseError:
        return f"The database does not answer: {error}".strip()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dopeornope.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    except DatabaseError as error:
        if reason := explain(error):
            sys.exit(reason)
        raise
