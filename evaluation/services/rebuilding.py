"""The leaderboard made again from a dump, on any machine and without a database."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.models import Answer, Ruling
from evaluation.services.dumps import BOARD, FORMAT, MANIFEST
from evaluation.stats.places import UNCOUNTED
from evaluation.stats.published import rank_table, write_table
from evaluation.stats.votes import Votes
from search.engine.files import sha256_of

Row = Mapping[str, Any]


class DumpDamaged(Exception):
    """The dump is not what was written; the text names the file."""


def rebuild(folder: Path) -> bytes:
    """The published table, counted from the raw votes of the dump. Raises DumpDamaged.

    What comes out is compared with the table that the dump holds: where they differ, whatever made the
    difference is named too.
    """
    manifest = _read_manifest(folder)
    contenders = [one for one in _read(folder, "contenders.jsonl") if one["state"] == "active"]
    pairs = _read(folder, "pairs.jsonl")
    said = _list_counted(folder)
    rows = []
    for catalogue in dict.fromkeys(one["catalogue"] for one in contenders):
        mine = [one for one in contenders if one["catalogue"] == catalogue]
        rows += _rank(mine, [one for one in pairs if one["catalogue"] == catalogue], said, manifest)
    table = write_table(rows)
    if table != (folder / BOARD).read_bytes():
        made = ", ".join(f"{name} {number}" for name, number in manifest["versions"].items())
        raise DumpDamaged(
            f"The votes do not give the table in {BOARD}. It was made with {made}: "
            "try these versions; with them, either the board or the votes were not as they should be."
        )
    return table


def _read_manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        files = manifest["files"].items()
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise DumpDamaged(f"{folder / MANIFEST} is missing or damaged: this is no whole dump.") from error
    if manifest.get("format") != FORMAT:
        versions = manifest.get("versions")
        made = versions.get("dopeornope") if isinstance(versions, dict) else None
        raise DumpDamaged(
            f"{MANIFEST} is of format {manifest.get('format')}; this software reads {FORMAT}. Rebuild it "
            f"with the software that wrote it{f': dopeornope {made}' if made else ''}."
        )
    for name, digest in files:
        path = folder / Path(name).name
        if not path.is_file():
            raise DumpDamaged(f"{name} is missing from the dump.")
        if sha256_of(path) != digest:
            raise DumpDamaged(
                f"{name} is not as it was written: its sha256 is another one than {MANIFEST} says."
            )
    return manifest


def _read(folder: Path, name: str) -> list[Row]:
    lines = (folder / name).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def _list_counted(folder: Path) -> list[tuple[int, int, str]]:
    """(player, pair, answer) of every vote that counts: not taken back, no check, of nobody left out."""
    last: dict[int, tuple[int, str]] = {}
    for verdict in _read(folder, "verdicts.jsonl"):
        last[verdict["player"]] = max(
            last.get(verdict["player"], (0, "")), (verdict["number"], verdict["ruling"])
        )
    out = {player for player, (_, ruling) in last.items() if ruling == Ruling.EXCLUDED}
    deals = {one["deal"]: one for one in _read(folder, "deals.jsonl")}
    counted = []
    for vote in _read(folder, "votes.jsonl"):
        deal = deals[vote["deal"]]
        if not vote["retracted"] and deal["player"] not in out and deal["policy"] not in UNCOUNTED:
            counted.append((deal["player"], deal["pair"], vote["answer"]))
    return counted


def _rank(
    contenders: Sequence[Row], pairs: Sequence[Row], said: Sequence[tuple[int, int, str]], manifest: Row
) -> list[dict[str, Any]]:
    number = {one["pair"]: place for place, one in enumerate(pairs)}
    column = {one["contender"]: place for place, one in enumerate(contenders)}
    found = np.zeros((len(pairs), len(contenders)), dtype=bool)
    for place, pair in enumerate(pairs):
        found[place, [column[finder] for finder in pair["finders"] if finder in column]] = True
    mine = [(player, number[pair], answer) for player, pair, answer in said if pair in number]
    told = [one for one in mine if one[2] != Answer.SKIP]
    questions = {key: place for place, key in enumerate(dict.fromkeys(one["question"] for one in pairs))}
    votes = Votes(
        player=np.array([player for player, _, _ in told], np.int64),
        pair=np.array([pair for _, pair, _ in told], np.int64),
        dope=np.array([answer == Answer.DOPE for _, _, answer in told], bool),
        question=np.array([questions[one["question"]] for one in pairs], np.int64),
        found=found,
    )
    skipped = np.array([pair for _, pair, answer in mine if answer == Answer.SKIP], np.int64)
    chosen = manifest["configuration"]
    rows = rank_table(votes, skipped, contenders, level=chosen["level"])
    for row in rows:
        few = row["votes"] < chosen["votes_floor"] or row["players"] < chosen["players_floor"]
        row["provisional"] = few
    return rows
