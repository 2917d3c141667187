"""Sessions leave nothing behind once they have run out."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session

from evaluation.services.expiry import delete_ended_sessions

pytestmark = pytest.mark.django_db


def test_sessions_end(client):
    client.session.save()
    ends = Session.objects.get().expire_date
    assert delete_ended_sessions(ends - timedelta(seconds=1)) == 0
    assert delete_ended_sessions(ends + timedelta(seconds=1)) == 1
