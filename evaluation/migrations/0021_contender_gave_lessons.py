from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("evaluation", "0020_pairs_repeated_once")]

    operations = [
        migrations.AddField(
            model_name="contender",
            name="gave_lessons",
            field=models.BooleanField(
                default=False,
                help_text="Whether lessons were made of what it found, and checks where none were.",
            ),
        ),
    ]
