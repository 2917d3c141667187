"""Contenders enter in steps. Those that are there have entered."""

from django.db import migrations, models


def enter_all(apps, schema_editor):
    contenders = apps.get_model("evaluation", "Contender").objects.using(schema_editor.connection.alias)
    contenders.update(entered_at=models.F("created_at"))


class Migration(migrations.Migration):
    dependencies = [("evaluation", "0003_seal")]

    operations = [
        migrations.AddField(
            "contender",
            "entered_at",
            models.DateTimeField(
                help_text="When all its pairs were credited; before that it is on no board.", null=True
            ),
        ),
        migrations.RunPython(enter_all, migrations.RunPython.noop),
    ]
