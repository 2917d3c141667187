"""Per contender and category the sums by which every pair counts alike, made of the counts of pairs."""

from collections import defaultdict

from django.db import migrations, models

UNIT = 2**30


def count_pairs(apps, schema_editor):
    """See `Tally`: pairs with answers, and the sums of d / n and 1 / n over them, in units of 1 / 2^30."""
    alias = schema_editor.connection.alias
    credits = apps.get_model("evaluation", "Credit").objects.using(alias)
    tallies = apps.get_model("evaluation", "Tally").objects.using(alias)
    sums = defaultdict(lambda: [0, 0, 0])
    rows = credits.values_list("contender_id", "pair__category_id", "pair__dopes", "pair__nopes")
    for contender, category, dopes, nopes in rows.iterator():
        answers = dopes + nopes
        if answers:
            total = sums[contender, category]
            total[0] += 1
            total[1] += dopes * UNIT // answers
            total[2] += UNIT // answers
    for (contender, category), (pairs, shares, inverses) in sums.items():
        rows = tallies.filter(contender=contender, category=category)
        rows.update(pairs=pairs, shares=shares, inverses=inverses)


class Migration(migrations.Migration):
    dependencies = [("evaluation", "0021_contender_gave_lessons")]

    operations = [
        migrations.AddField("tally", "pairs", models.PositiveIntegerField(default=0)),
        migrations.AddField("tally", "shares", models.PositiveBigIntegerField(default=0)),
        migrations.AddField("tally", "inverses", models.PositiveBigIntegerField(default=0)),
        migrations.RunPython(count_pairs, migrations.RunPython.noop),
    ]
