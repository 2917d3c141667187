"""Rows that change with every vote get room beside them, and lose indexes that no query needs.

PostgreSQL writes a changed row anew. In the same page that leaves the indexes alone; in another one every
index of the table gets an entry. Pages that are full already get room when the table is written anew.
"""

import django.db.models.deletion
from django.db import migrations, models

FILLED = {
    "evaluation_pair": 70,
    "evaluation_player": 70,
    "evaluation_ratertally": 70,
    "evaluation_round": 70,
    "evaluation_spread": 20,
    "evaluation_tally": 20,
}


def leave_room(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for table, percent in FILLED.items():
            schema_editor.execute(f"ALTER TABLE {table} SET (fillfactor = {percent})")


def fill_up(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for table in FILLED:
            schema_editor.execute(f"ALTER TABLE {table} RESET (fillfactor)")


class Migration(migrations.Migration):
    dependencies = [("evaluation", "0004_contender_entered_at")]

    operations = [
        migrations.RunPython(leave_room, fill_up),
        migrations.AlterField(
            "credit",
            "contender",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="credits",
                to="evaluation.contender",
            ),
        ),
        migrations.RemoveConstraint("ratertally", "rater_tally_once"),
        migrations.AddConstraint(
            "ratertally",
            models.UniqueConstraint(fields=["player", "contender"], name="rater_tally_once"),
        ),
        migrations.AlterField(
            "ratertally",
            "contender",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="rater_tallies",
                to="evaluation.contender",
            ),
        ),
        migrations.AlterField(
            "ratertally",
            "player",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="tallies",
                to="evaluation.player",
            ),
        ),
    ]
