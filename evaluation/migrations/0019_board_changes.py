"""What became of contenders is kept as it happens. What happened before is read off the contenders."""

import django.db.models.deletion
from django.db import migrations, models


def tell_the_past(apps, schema_editor):
    """Entered and retired, as far as a contender still says so; replaced where another entered just then."""
    alias = schema_editor.connection.alias
    contenders = apps.get_model("evaluation", "Contender").objects.using(alias)
    changes = apps.get_model("evaluation", "BoardChange").objects.using(alias)
    for one in contenders.exclude(entered_at=None).order_by("entered_at", "pk"):
        changes.create(contender=one, kind="entered", at=one.entered_at)
        if one.retired_at is None:
            continue
        successor = contenders.filter(
            catalogue=one.catalogue_id, encoder=one.encoder, metric=one.metric, entered_at=one.retired_at
        ).first()
        changes.create(
            contender=one, kind="replaced" if successor else "retired", by=successor, at=one.retired_at
        )


class Migration(migrations.Migration):
    dependencies = [("evaluation", "0012_rankings")]

    operations = [
        migrations.CreateModel(
            "BoardChange",
            [
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("entered", "Entered"),
                            ("replaced", "another version took its place"),
                            ("retired", "Retired"),
                            ("returned", "stands for its encoder again"),
                        ],
                        max_length=8,
                    ),
                ),
                ("at", models.DateTimeField(db_index=True)),
                (
                    "by",
                    models.ForeignKey(
                        help_text="Who took its place.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="evaluation.contender",
                    ),
                ),
                (
                    "contender",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="changes",
                        to="evaluation.contender",
                    ),
                ),
            ],
        ),
        migrations.RunPython(tell_the_past, migrations.RunPython.noop),
    ]
