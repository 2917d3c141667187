"""What people said and were shown is added to, never changed or deleted: the database refuses it by triggers.

Made after every migration and not by one: where SQLite changes a table it makes a new one, without triggers.
"""

from typing import Any, Final

from django.db import connections

from evaluation.models import (
    Annotation,
    AnnotationRetraction,
    GoldSet,
    Move,
    Promotion,
    Retraction,
    Seal,
    Slate,
    Verdict,
    Vote,
)

SPOKEN: Final = (
    *(Vote, Retraction, Seal, Slate, Move, Annotation, AnnotationRetraction, Verdict),
    *(GoldSet, Promotion),
)
TABLES: Final = tuple(model._meta.db_table for model in SPOKEN)
REASON: Final = "is append-only: its rows are what people said or were shown; it is taken back by another row"

SQLITE: Final = """
CREATE TRIGGER IF NOT EXISTS {table}_keeps_{event} BEFORE {event} ON {table}
BEGIN SELECT RAISE(ABORT, '{table} {reason}'); END
"""
POSTGRESQL_FUNCTION: Final = """
CREATE OR REPLACE FUNCTION evaluation_refuse_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '% {reason}', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation'; END $$
"""
POSTGRESQL: Final = """
CREATE OR REPLACE TRIGGER {table}_keeps_{event} BEFORE {event} ON {table}
FOR EACH ROW EXECUTE FUNCTION evaluation_refuse_change()
"""


def forbid_changes(*, using: str, **signal: Any) -> None:
    """Make the triggers that are not there; called after each migration of the app."""
    connection = connections[using]
    trigger = SQLITE
    with connection.cursor() as cursor:
        existing = connection.introspection.table_names(cursor)
        if connection.vendor == "postgresql":
            cursor.execute(POSTGRESQL_FUNCTION.format(reason=REASON))
            trigger = POSTGRESQL
        for table in TABLES:
            for event in ("UPDATE", "DELETE") if table in existing else ():
                cursor.execute(trigger.format(table=table, event=event, reason=REASON))
