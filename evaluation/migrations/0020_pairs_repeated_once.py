from django.db import migrations, models

OLD = models.UniqueConstraint(
    fields=["player", "pair"],
    condition=models.Q(player__isnull=False, replaces__isnull=True),
    name="pair_dealt_once_to_a_player",
)
NEW = [
    models.UniqueConstraint(
        fields=["player", "pair"],
        condition=models.Q(player__isnull=False, replaces__isnull=True) & ~models.Q(policy="repeat"),
        name="pair_dealt_once",
    ),
    models.UniqueConstraint(
        fields=["player", "pair"],
        condition=models.Q(player__isnull=False, replaces__isnull=True, policy="repeat"),
        name="pair_repeated_once",
    ),
]


def apply(apps, schema_editor):
    _replace([OLD], NEW, apps, schema_editor)


def revert(apps, schema_editor):
    _replace(NEW, [OLD], apps, schema_editor)


def _replace(old, new, apps, schema_editor):
    """Build indexes beside the old ones, on PostgreSQL while votes go on; interrupted, it can be run again."""
    deal = apps.get_model("evaluation", "Deal")
    how = "CONCURRENTLY " if schema_editor.connection.vendor == "postgresql" else ""
    for one in new:
        schema_editor.execute(f"DROP INDEX {how}IF EXISTS {one.name}", params=None)
        create = str(one.create_sql(deal, schema_editor))
        schema_editor.execute(create.replace("UNIQUE INDEX ", f"UNIQUE INDEX {how}", 1), params=None)
    for one in old:
        schema_editor.execute(f"DROP INDEX {how}IF EXISTS {one.name}", params=None)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("evaluation", "0013_lessons_and_checks")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(apply, revert)],
            state_operations=[
                migrations.RemoveConstraint("deal", OLD.name),
                *(migrations.AddConstraint("deal", one) for one in NEW),
            ],
        )
    ]
