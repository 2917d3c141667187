"""The reproducible dump: everything the leaderboard rests on, as files, without anybody's personal data.

Players and deals are numbers made for this dump alone, in an order that says nothing; times are days. Whoever
has the folder can make the published table again (`rebuild`), and sees whether a byte of it was changed.

It says who found which pair, and those pairs are still dealt: give it to who reviews, not to who plays.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
from django.db import transaction
from django.db.models import QuerySet

from evaluation.models import Catch, Contender, Credit, Deal, Pair, Player, Verdict, Vote
from evaluation.selectors.board import (
    LEVEL,
    METHOD,
    PLAYERS_FLOOR,
    VOTES_FLOOR,
    Filters,
    read_board,
)
from evaluation.services.turns import wait_for_turn
from evaluation.stats.places import TASTE
from evaluation.stats.published import write_table
from search.engine.files import write_file
from search.models import Split

FORMAT: Final = 3  # 1: approval was the plain share; 2: its intervals counted unequal numbers twice
MANIFEST, BOARD = "manifest.json", "board.jsonl"
VERSIONS = ("dopeornope", "numpy", "scipy")
Rows = Iterable[Mapping[str, Any]]
Key = TypeVar("Key")


class DumpRefused(Exception):
    """The dump cannot be written there; the text says why."""


def write_dump(folder: Path, *, now: datetime, rng: np.random.Generator) -> dict[str, Any]:
    """Write the dump into an empty or new folder; the manifest, which is written last, is returned.

    Votes wait meanwhile, so that all files tell of one moment. Raises DumpRefused, DiskFull.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DumpRefused(f"{folder} is not an empty folder. Name another one, or empty it.")
    with transaction.atomic():
        wait_for_turn()
        numbers = _draw_numbers(Player.objects.values_list("pk", flat=True), rng)
        spent = _list_spent().values_list("pk", flat=True)
        deals = _draw_numbers(spent, rng)
        tables: dict[str, bytes] = {
            BOARD: write_table(asdict(row) for row in read_board(Filters()).rows),
            "contenders.jsonl": _write(_list_contenders()),
            "pairs.jsonl": _write(_list_pairs()),
            "deals.jsonl": _write(_list_deals(deals, numbers)),
            "votes.jsonl": _write(_list_votes(deals)),
            "verdicts.jsonl": _write(_list_verdicts(numbers)),
        }
    manifest = {
        "format": FORMAT,
        "made_on": f"{now:%Y-%m-%d}",
        "configuration": {
            "level": LEVEL,
            "votes_floor": VOTES_FLOOR,
            "players_floor": PLAYERS_FLOOR,
            "method": METHOD,
        },
        "versions": {name: version(name) for name in VERSIONS},
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in tables.items()},
    }
    for name, data in tables.items():
        write_file(folder / name, data)
    write_file(folder / MANIFEST, json.dumps(manifest, indent=1).encode() + b"\n")
    return manifest


def _draw_numbers(keys: Iterable[Key], rng: np.random.Generator) -> dict[Key, int]:
    """A number for each, drawn: neither which came first nor which is which can be told from it."""
    known = list(keys)
    return dict(zip(known, (rng.permutation(len(known)) + 1).tolist(), strict=True))


def _write(rows: Rows) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def _list_contenders() -> Iterator[dict[str, Any]]:
    """In the order of the board, retired ones included: votes on what they found are in the dump as well."""
    order = ("catalogue__created_at", "catalogue_id", "pk")
    for one in Contender.objects.select_related("catalogue").order_by(*order):
        yield {
            "contender": one.pk,
            "catalogue": one.catalogue.slug,
            "catalogue_hash": one.catalogue.content_hash,
            "title": one.title,
            "encoder": one.encoder,
            "encoder_version": one.encoder_version,
            "metric": one.metric,
            "control": one.is_control,
            "state": one.state,
        }


def _list_spent() -> QuerySet[Deal]:
    """Deals that were voted on, but for those on which private encoders are compared."""
    return Deal.objects.filter(vote__isnull=False).exclude(policy=TASTE)


def _list_pairs() -> Iterator[dict[str, Any]]:
    """But for what private encoders alone found, which is dealt to their players alone."""
    finders: dict[int, list[int]] = {}
    for pair, contender in Credit.objects.order_by("pair", "contender").values_list(
        "pair_id", "contender_id"
    ):
        finders.setdefault(pair, []).append(contender)
    names = (
        *("pk", "catalogue__slug", "question__key", "words", "candidate__key"),
        *("category__value", "split"),
    )
    catches = set(Catch.objects.values_list("pk", flat=True))
    for pk, catalogue, question, words, candidate, category, split in Pair.objects.order_by("pk").values_list(
        *names
    ):
        if split == Split.EVALUATION and pk not in finders and pk not in catches:
            continue
        yield {
            "pair": pk,
            "catalogue": catalogue,
            "question": question,
            "words": words,
            "candidate": candidate,
            "category": category,
            "split": split,
            "finders": finders.get(pk, []),
        }


def _list_deals(deals: Mapping[str, int], players: Mapping[int, int]) -> Iterator[dict[str, Any]]:
    """Those that were voted on: what is still out, or was never answered, says nothing about the board.

    Checks are among them, marked by their policy.
    """
    names = ("pk", "pair_id", "player_id", "place", "side", "policy", "policy_version", "propensity")
    rows = _list_spent().values(*names).iterator()
    yield from sorted(
        (
            {
                "deal": deals[row.pop("pk")],
                "pair": row.pop("pair_id"),
                "player": players[row.pop("player_id")],
                **row,
            }
            for row in rows
        ),
        key=lambda row: row["deal"],
    )


def _list_votes(deals: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    names = ("pk", "answer", "dwell_ms", "modality", "cast_at", "retraction")
    votes = Vote.objects.exclude(deal__policy=TASTE)
    rows = (
        {
            "deal": deals[pk],
            "answer": answer,
            "dwell_ms": dwell,
            "modality": modality,
            "day": f"{cast_at:%Y-%m-%d}",
            "retracted": retraction is not None,
        }
        for pk, answer, dwell, modality, cast_at, retraction in votes.values_list(*names).iterator()
    )
    yield from sorted(rows, key=lambda row: row["deal"])


def _list_verdicts(numbers: Mapping[int, int]) -> Iterator[dict[str, Any]]:
    """Without who decided: that is somebody's name."""
    for one in Verdict.objects.order_by("pk"):
        yield {
            "player": numbers[one.player_id],
            "number": one.number,
            "ruling": one.ruling,
            "reason": one.reason,
            "check": one.check_name,
            "evidence": one.evidence,
            "day": f"{one.made_at:%Y-%m-%d}",
        }
