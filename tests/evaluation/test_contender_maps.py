"""A contender's page leads analysts to the maps of its encoder under its metric, and players to none."""

import pytest
from django.test import Client

from evaluation.models import Contender
from tests.factories import make_catalogue, make_contenders
from tests.operators import sign_in
from tests.search.mapped import make_map

pytestmark = pytest.mark.django_db


def test_maps_are_linked_for_analysts_alone():
    catalogue = make_catalogue()
    make_contenders(catalogue, count=2, with_control=False)
    by_l1, by_l2 = Contender.objects.order_by("metric")
    layout = make_map(catalogue, encoder="thimble-transfer", version="2")
    link = f'href="/maps/{layout.pk}/"'
    analyst = sign_in("analyst")
    assert link in analyst.get(f"/leaderboard/contenders/{by_l2.pk}/").content.decode()
    assert link not in analyst.get(f"/leaderboard/contenders/{by_l1.pk}/").content.decode()
    assert "/maps/" not in Client().get(f"/leaderboard/contenders/{by_l2.pk}/").content.decode()
    layout.space.sha256 = "1" * 64
    layout.space.save()
    assert link not in analyst.get(f"/leaderboard/contenders/{by_l2.pk}/").content.decode(), "outdated"
