import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('search', '0008_photos'),
    ]

    operations = [
        migrations.CreateModel(
            name='Calibration',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('index_sha256', models.CharField(max_length=64)),
                ('vectors_sha256', models.CharField(max_length=64)),
                ('asking', models.CharField(choices=[('photos', 'photos of items in use'), ('others', 'other pictures of the same thing'), ('changed', "the items' own pictures, changed")], max_length=7)),
                ('limits', models.JSONField(help_text='By score and category: engine/no_match.py.')),
                ('alpha', models.FloatField(help_text='How often, at most, what is promised not to be said is said.')),
                ('queries', models.PositiveIntegerField(help_text='That the limits were counted from.')),
                ('created_at', models.DateTimeField()),
                ('index', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='calibration', to='search.index')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
    ]
