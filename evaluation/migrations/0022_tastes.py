import django.db.models.deletion
from django.db import migrations, models

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

    dependencies = [
        ("evaluation", "0023_tally_evenness"),
        ("search", "0007_webhooks"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(apply, revert)],
            state_operations=[
                migrations.RemoveConstraint("deal", OLD.name),
                *(migrations.AddConstraint("deal", one) for one in NEW),
            ],
        ),
        migrations.CreateModel(
            name="Taste",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("asked_at", models.DateTimeField()),
                ("votes", models.PositiveIntegerField(default=0, help_text="That it learned from.")),
                ("picks", models.PositiveIntegerField(default=0)),
                (
                    "asked",
                    models.PositiveIntegerField(
                        default=0, help_text="Evaluation-only questions that it was asked."
                    ),
                ),
                (
                    "differing",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="Of these, for how many it finds something else than the public one.",
                    ),
                ),
                (
                    "shares",
                    models.JSONField(
                        default=dict,
                        help_text="By mask, and “” for the whole embedding: parts of a distance, on the whole.",
                    ),
                ),
                (
                    "weights",
                    models.JSONField(
                        default=dict,
                        help_text="By mask, and “” for the whole embedding, of squared distances.",
                    ),
                ),
                ("ready_at", models.DateTimeField(null=True)),
                (
                    "catalogue",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="tastes", to="search.catalogue"
                    ),
                ),
                (
                    "contender",
                    models.ForeignKey(
                        help_text="The public one that it was learned from, and is compared with.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tastes",
                        to="evaluation.contender",
                    ),
                ),
                (
                    "job",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="taste",
                        to="search.job",
                    ),
                ),
                (
                    "player",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="tastes", to="evaluation.player"
                    ),
                ),
            ],
            options={
                "ordering": ["-asked_at", "-id"],
                "constraints": [
                    models.UniqueConstraint(fields=["player", "catalogue"], name="taste_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="TastePair",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("is_private", models.BooleanField(help_text="Whether the private encoder found it.")),
                (
                    "pair",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="tastes", to="evaluation.pair"
                    ),
                ),
                (
                    "taste",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="pairs",
                        to="evaluation.taste",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=["taste", "pair"], name="taste_pair_once")
                ],
            },
        ),
    ]
