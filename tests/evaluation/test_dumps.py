"""The dump gives the published table again, byte for byte, says what was changed, and names nobody."""

import hashlib
import json
import uuid
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from evaluation.models import Answer, Player, Vote
from evaluation.selectors.board import Filters, read_board
from evaluation.services.dumps import DumpRefused, write_dump
from evaluation.services.rebuilding import DumpDamaged, rebuild
from evaluation.services.retractions import undo_vote
from evaluation.services.verdicts import Grounds, exclude_player, restore_player
from tests.evaluation.decks import cast, deal_to
from tests.factories import NOW, make_catalogue, make_contenders

pytestmark = pytest.mark.django_db


@pytest.fixture
def players() -> list[Player]:
    """People who voted, one of them left out, one left out and counted again, one who took a vote back."""
    make_contenders(make_catalogue(items=60, with_images=False), count=3)
    rng = np.random.default_rng(0)
    keys = [uuid.uuid4() for _ in range(6)]
    for seed, key in enumerate(keys):
        hand = deal_to(key, now=NOW, count=10, seed=seed)
        for deal in hand.deals:
            answer = rng.choice([Answer.DOPE, Answer.NOPE, Answer.SKIP], p=[0.5, 0.4, 0.1])
            cast(key, {deal.pk: str(answer)}, now=NOW)
    players = [Player.objects.get(key=key) for key in keys]
    for player in players[:2]:
        exclude_player(player.pk, Grounds("looked at", by="ada lovelace"), now=NOW)
    restore_player(players[1].pk, Grounds("looked at again", by="ada lovelace"), now=NOW)
    last = Vote.objects.filter(deal__player=players[2]).order_by("deal__place").last()
    assert last is not None
    undo_vote(key=keys[2], deal_id=last.pk, now=NOW)
    return players


@pytest.fixture
def folder(players: list[Player], tmp_path: Path) -> Path:
    folder = tmp_path / "dump"
    write_dump(folder, now=NOW, rng=np.random.default_rng(1))
    return folder


def test_the_votes_of_a_dump_give_its_table_byte_for_byte(folder: Path) -> None:
    table = rebuild(folder)
    assert table == (folder / "board.jsonl").read_bytes()
    rows = [json.loads(line) for line in table.decode().splitlines()]
    shown = read_board(Filters()).rows
    assert [row["contender"] for row in rows] == [row.contender for row in shown]
    assert [row["dope"] for row in rows] == [row.dope for row in shown]
    assert sum(row["votes"] for row in rows) > 0


@pytest.mark.parametrize("name", ["votes.jsonl", "deals.jsonl", "board.jsonl", "verdicts.jsonl"])
def test_one_changed_byte_is_found_and_its_file_named(folder: Path, name: str) -> None:
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(data)
    with pytest.raises(DumpDamaged, match=name):
        rebuild(folder)


def test_a_dump_that_is_not_whole_is_refused(folder: Path) -> None:
    (folder / "pairs.jsonl").unlink()
    with pytest.raises(DumpDamaged, match=r"pairs\.jsonl is missing"):
        rebuild(folder)
    (folder / "manifest.json").write_text("{")
    with pytest.raises(DumpDamaged, match="no whole dump"):
        rebuild(folder)


@pytest.mark.parametrize("older", [1, 2])
@pytest.mark.parametrize(
    ("versions", "which"), [({"dopeornope": "0.0.9"}, ": dopeornope 0.0.9"), ({}, ""), (None, "")]
)
def test_a_dump_whose_figures_meant_something_else_says_what_reads_it(
    folder: Path, older: int, versions: dict[str, str] | None, which: str
) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"format": older, "versions": versions}))
    with pytest.raises(DumpDamaged) as refused:
        rebuild(folder)
    assert f"of format {older}; this software reads 3" in str(refused.value)
    assert str(refused.value).endswith(f"Rebuild it with the software that wrote it{which}.")


def test_votes_made_up_beside_the_table_are_noticed(folder: Path) -> None:
    """Somebody changed a vote, and the sum in the manifest with it."""
    votes = (folder / "votes.jsonl").read_text().replace('"nope"', '"dope"')
    (folder / "votes.jsonl").write_text(votes)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["votes.jsonl"] = hashlib.sha256(votes.encode()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(DumpDamaged, match="do not give the table"):
        rebuild(folder)


def test_nobody_can_be_told_from_it(folder: Path, players: list[Player]) -> None:
    text = "".join(path.read_text() for path in folder.iterdir())
    for player in players:
        assert str(player.key) not in text and player.key.hex not in text
    assert "lovelace" not in text
    assert not any(pk in text for pk in Vote.objects.values_list("pk", flat=True))


def test_it_is_written_to_an_empty_folder_only(folder: Path) -> None:
    with pytest.raises(DumpRefused, match="not an empty folder"):
        write_dump(folder, now=NOW, rng=np.random.default_rng(1))


def test_both_commands(players: list[Player], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("dump_evaluation", out=tmp_path / "out")
    capsys.readouterr()
    call_command("rebuild_leaderboard", tmp_path / "out")
    assert capsys.readouterr().out.encode() == (tmp_path / "out" / "board.jsonl").read_bytes()
    with pytest.raises(CommandError, match="no whole dump"):
        call_command("rebuild_leaderboard", tmp_path)


def test_without_a_vote_the_table_has_no_ranks(tmp_path: Path) -> None:
    make_contenders(make_catalogue(items=40, with_images=False), count=2)
    write_dump(tmp_path / "dump", now=NOW, rng=np.random.default_rng(1))
    assert all(json.loads(line)["rank"] is None for line in rebuild(tmp_path / "dump").splitlines())
