"""What somebody who owns the database can do, and a test must before it empties or changes tables."""

from django.db import connections

from evaluation.services.append_only import TABLES


def permit_changes(*, using: str = "default") -> None:
    """Drop the triggers; the next `post_migrate`, also that of a flush, makes them again."""
    connection = connections[using]
    with connection.cursor() as cursor:
        existing = connection.introspection.table_names(cursor)
        for table in TABLES:
            for event in ("UPDATE", "DELETE") if table in existing else ():
                on = f" ON {table}" if connection.vendor == "postgresql" else ""
                cursor.execute(f"DROP TRIGGER IF EXISTS {table}_keeps_{event}{on}")
