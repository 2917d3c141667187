"""Case 12: votes are never changed; where somebody manages all the same, the seals say what and where."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from evaluation.models import Answer, Deal, Pair, Player, Retraction, Seal, Vote
from evaluation.services import seals
from evaluation.services.append_only import forbid_changes
from evaluation.services.players import forget_holder
from evaluation.services.retractions import undo_vote
from evaluation.services.seals import find_broken_seal, seal_settled
from tests.append_only import permit_changes
from tests.evaluation.decks import cast, deal_to
from tests.factories import NOW, make_catalogue, make_contenders

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(days=1)


def play(key: uuid.UUID, *, hours: float, seed: int = 0) -> list[str]:
    """Ten votes and one taken back, so many hours after NOW; returns the deals, sorted."""
    now = NOW + timedelta(hours=hours)
    deals = [deal.pk for deal in deal_to(key, now=now, count=10, seed=seed).deals]
    cast(key, dict.fromkeys(deals[:-1], "dope"), now=now)
    cast(key, {deals[-1]: "nope"}, now=now + timedelta(seconds=1))
    with transaction.atomic():
        undo_vote(key=key, deal_id=deals[-1], now=now + timedelta(seconds=2))
    return sorted(deals)


@pytest.fixture
def sealed() -> list[list[str]]:
    """Votes of three players, hours apart, under a chain of seals; the deals of each."""
    make_contenders(make_catalogue(items=120, with_images=False))
    deals = [play(uuid.uuid4(), hours=3 * turn, seed=turn) for turn in range(3)]
    for hour in range(10):
        seal_settled(NOW + timedelta(hours=hour))
    seal_settled(LATER)
    assert Seal.objects.count() > 3
    assert find_broken_seal() is None
    return deals


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE evaluation_vote SET answer = 'nope'",
        "DELETE FROM evaluation_vote",
        "UPDATE evaluation_retraction SET retracted_at = retracted_at",
        "DELETE FROM evaluation_retraction",
        "UPDATE evaluation_seal SET mac = ''",
        "DELETE FROM evaluation_seal",
    ],
)
def test_12_the_database_refuses_to_change_or_delete_what_was_said(sealed, statement):
    table = statement.split()[1] if statement.startswith("UPDATE") else statement.split()[2]
    with pytest.raises(DatabaseError, match=f"{table} is append-only"), transaction.atomic():
        connection.cursor().execute(statement)
    assert Vote.objects.count() == 30
    assert find_broken_seal() is None


def test_12_the_triggers_come_back_with_the_next_migration(sealed):
    permit_changes()
    forbid_changes(using="default")
    forbid_changes(using="default")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Vote.objects.update(answer=Answer.NOPE)


def change_answer(deal: str) -> None:
    Vote.objects.filter(pk=deal).update(answer=Answer.SKIP)


def change_deal(deal: str) -> None:
    Deal.objects.filter(pk=deal).update(propensity=0.001)


def change_player(deal: str) -> None:
    Deal.objects.filter(pk=deal).update(player=Player.objects.create(created_at=NOW))


def change_pair(deal: str) -> None:
    Pair.objects.filter(deals=deal).update(words="in blue")


@pytest.mark.parametrize("change", [change_answer, change_deal, change_player, change_pair])
def test_12_a_change_under_a_seal_is_named(sealed, change):
    permit_changes()
    # Of a pair that was dealt once: a pair that changes also breaks older seals it lies under.
    deal = next(deal for deal in sealed[1] if Deal.objects.filter(pair__deals=deal).count() == 1)
    change(deal)
    broken = find_broken_seal()
    assert broken is not None
    assert Seal.objects.filter(rows__has_key=f"vote {deal}").first().number == broken.seal
    assert f"vote {deal}" in broken.changed
    assert not broken.missing and not broken.added


def test_12_missing_and_added_rows_are_named(sealed):
    permit_changes()
    undone = Retraction.objects.get(vote__in=sealed[2]).pk
    Retraction.objects.filter(pk=undone).delete()
    broken = find_broken_seal()
    assert broken is not None
    assert broken.missing == [f"retraction {undone}"]

    late = uuid.uuid4()
    [deal] = deal_to(late, now=NOW, count=1, seed=9).deals
    cast(late, {deal.pk: "dope"}, now=NOW)
    broken = find_broken_seal()
    assert broken is not None, "the first seal that does not verify is named"
    assert broken.added == [f"vote {deal.pk}"]
    assert not broken.missing and not broken.changed


def test_12_a_seal_made_to_fit_is_found_by_its_own_key_and_by_the_next(sealed):
    permit_changes()
    first = Seal.objects.filter(number=1)
    first.update(rows={})
    assert "was changed itself" in find_broken_seal().reason
    first.delete()
    assert (find_broken_seal().seal, find_broken_seal().reason) == (1, "is missing: the next one is 2")


def test_12_a_chain_cut_off_or_made_anew_does_not_hold_the_head_kept_elsewhere(sealed, capsys):
    call_command("check_seals", head=True)
    head = capsys.readouterr().out.strip()
    call_command("check_seals", "--expect", head)
    last = int(head.split()[0])
    permit_changes()
    Seal.objects.filter(number=last).delete()
    call_command("check_seals")
    with pytest.raises(CommandError, match=f"Seal {last} is missing: the chain ends with"):
        call_command("check_seals", "--expect", head)
    Vote.objects.filter(pk=sealed[0][0]).update(answer=Answer.SKIP)
    Seal.objects.all().delete()
    seal_settled(LATER)
    while Seal.objects.count() < last:
        seal_settled(LATER + timedelta(hours=Seal.objects.count()))
    with pytest.raises(CommandError, match="is not the one that was noted"):
        call_command("check_seals", "--expect", head)


def test_12_the_command_names_seal_and_rows(sealed, capsys):
    permit_changes()
    change_answer(sealed[0][0])
    with pytest.raises(CommandError, match="Seal 1 covers rows that are not as they were"):
        call_command("check_seals")
    assert capsys.readouterr().err.splitlines() == [f"changed: vote {sealed[0][0]}"]


def test_forgetting_a_player_breaks_no_seal(sealed):
    for player in Player.objects.all():
        assert forget_holder(key=player.key, now=LATER)
    assert find_broken_seal() is None


def test_what_may_still_be_added_to_is_not_sealed():
    make_contenders(make_catalogue(items=120, with_images=False))
    play(uuid.uuid4(), hours=0)
    assert seal_settled(NOW + timedelta(hours=2)) == 0
    assert seal_settled(NOW + timedelta(hours=3)) == 1
    assert seal_settled(NOW + timedelta(hours=3)) == 0, "a second sweeper finds nothing to do"


def test_a_crowded_hour_becomes_several_seals_and_every_row_is_under_one(monkeypatch):
    monkeypatch.setattr(seals, "MOST_ROWS", 7)
    make_contenders(make_catalogue(items=120, with_images=False))
    for turn in range(4):
        play(uuid.uuid4(), hours=turn / 60, seed=turn)
    assert seal_settled(LATER) == Seal.objects.count() > 4
    rows: list[Any] = [name for seal in Seal.objects.all() for name in seal.rows]
    assert len(rows) == len(set(rows)) == Vote.objects.count() + Retraction.objects.count() == 44
    assert find_broken_seal() is None
