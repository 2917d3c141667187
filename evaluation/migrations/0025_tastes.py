import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("evaluation", "0024_pairs_compared_once"),
        ("search", "0007_webhooks"),
    ]

    operations = [
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
        migrations.CreateModel(
            name="SparePair",
            fields=[
                (
                    "pair",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="spare",
                        serialize=False,
                        to="evaluation.pair",
                    ),
                ),
                ("since", models.DateTimeField()),
            ],
        ),
    ]
