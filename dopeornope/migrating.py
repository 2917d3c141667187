"""Which migrations the database lacks: asked before the site serves, and where a command found no table."""

from django.db import connection
from django.db.migrations.executor import MigrationExecutor

REMEDY = "run manage.py migrate"


def find_missing_migrations() -> str:
    """In words, with the remedy; empty where all were applied. Raises DatabaseError where nothing answers."""
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return f"{len(missing)} migrations are missing: {REMEDY}" if missing else ""
