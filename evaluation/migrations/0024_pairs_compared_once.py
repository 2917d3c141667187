from django.db import migrations, models
from django.db.migrations.exceptions import IrreversibleError

STANDS = models.Q(player__isnull=False, replaces__isnull=True)
OLD = models.UniqueConstraint(
    fields=["player", "pair"], condition=STANDS & ~models.Q(policy="repeat"), name="pair_dealt_once"
)
NEW = [
    models.UniqueConstraint(
        fields=["player", "pair"],
        condition=STANDS & ~models.Q(policy__in=["repeat", "taste"]),
        name="pair_dealt_to_count_once",
    ),
    models.UniqueConstraint(
        fields=["player", "pair"],
        condition=models.Q(player__isnull=False, replaces__isnull=True, policy="taste"),
        name="pair_compared_once",
    ),
]


def apply(apps, schema_editor):
    _replace([OLD], NEW, apps, schema_editor)


def revert(apps, schema_editor):
    """Raises IrreversibleError, before anything is changed, where the old index would not hold."""
    deals = apps.get_model("evaluation", "Deal").objects.using(schema_editor.connection.alias)
    dealt = deals.filter(STANDS).exclude(policy="repeat").order_by()
    if dealt.values("player", "pair").annotate(times=models.Count("pk")).filter(times__gt=1).exists():
        raise IrreversibleError(
            "Some players were dealt a pair to compare their private encoder and again to count. The schema "
            "of before allows that once: restore a backup from before to go back."
        )
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

    dependencies = [("evaluation", "0023_tally_evenness")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(apply, revert)],
            state_operations=[
                migrations.RemoveConstraint("deal", OLD.name),
                *(migrations.AddConstraint("deal", one) for one in NEW),
            ],
        ),
    ]
