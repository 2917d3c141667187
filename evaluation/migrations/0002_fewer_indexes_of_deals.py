"""Indexes that no query uses, and that every deal and vote had to keep up.

Django gives each text key on PostgreSQL a second index for LIKE; ids here are only ever looked up whole.
"""

from django.db import migrations

TABLES = ("evaluation_round", "evaluation_deal", "evaluation_vote", "evaluation_retraction")


def drop_indexes_for_like(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname FROM pg_indexes WHERE schemaname = current_schema()"
            " AND tablename = ANY(%s) AND indexdef LIKE '%%varchar_pattern_ops%%'",
            [list(TABLES)],
        )
        names = [name for (name,) in cursor.fetchall()]
    for name in names:
        schema_editor.execute(f'DROP INDEX "{name}"')


class Migration(migrations.Migration):
    dependencies = [("evaluation", "0001_initial")]

    operations = [
        migrations.RemoveIndex("deal", "deal_by_expiry"),
        migrations.RunPython(drop_indexes_for_like, migrations.RunPython.noop),
    ]
