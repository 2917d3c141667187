"""Sealing settled votes, and checking that they still are what was sealed.

Triggers stop mistakes; whoever owns the database can drop them. A seal is a keyed fingerprint, bound to the
one before it, so a change of sealed rows shows, and shows where. See docs/decisions/seals.md.
"""

import hmac
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.utils.crypto import salted_hmac

from evaluation.models import Retraction, Seal, Vote

# Longer than any transaction, and than clocks differ: nothing is added any more to what is older.
SETTLED_AFTER: Final = timedelta(hours=2)
MOST_ROWS: Final = 5_000
MOST_SEALS_AT_ONCE: Final = 20
BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
# What gives a vote its meaning and stays when its player is forgotten.
VOTE_FIELDS: Final = (
    *("pk", "answer", "dwell_ms", "modality", "cast_at", "deal__round_id", "deal__player_id"),
    *("deal__pair_id", "deal__pair__question_id", "deal__pair__words", "deal__pair__candidate_id"),
    *("deal__place", "deal__side", "deal__policy", "deal__policy_version", "deal__propensity"),
    *("deal__replaces_id", "deal__issued_at"),
)
RETRACTION_FIELDS: Final = ("pk", "retracted_at")
Rows = dict[str, str]


@dataclass(frozen=True)
class Broken:
    """The first seal that does not verify. Without rows it is the seal itself, or its place in the chain."""

    seal: int
    reason: str
    missing: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)


def seal_settled(now: datetime) -> int:
    """Seal the whole hours that have settled; returns how many seals were made."""
    settled = (now - SETTLED_AFTER).replace(minute=0, second=0, microsecond=0)
    last = Seal.objects.order_by("number").last()
    if last is None and not Vote.objects.filter(cast_at__lt=settled).exists():
        return 0
    made = 0
    while made < MOST_SEALS_AT_ONCE and (last is None or last.until < settled):
        last = _seal_next(last, settled=settled, now=now)
        made += 1
    return made


def find_broken_seal(*, head: tuple[int, str] | None = None) -> Broken | None:
    """Verify the whole chain; None where everything is as it was sealed.

    ``head``, number and mac of a seal noted elsewhere earlier, must be in the chain: that shows a chain that
    was cut off or made anew.
    """
    number, mac, until = 0, "", BEGINNING
    for seal in Seal.objects.order_by("number").iterator(chunk_size=1):
        if broken := _check_link(seal, number + 1, mac, until) or _check_rows(seal):
            return broken
        number, mac, until = seal.number, seal.mac, seal.until
        if head is not None and number == head[0] and mac != head[1]:
            return Broken(
                number, "is not the one that was noted: the chain was made anew from here or before"
            )
    if head is not None and number < head[0]:
        return Broken(head[0], f"is missing: the chain ends with seal {number}")
    return None


@transaction.atomic
def _seal_next(last: Seal | None, *, settled: datetime, now: datetime) -> Seal:
    since = last.until if last else BEGINNING
    until = _find_end(since, settled)
    seal = Seal(
        number=last.number + 1 if last else 1,
        since=since,
        until=until,
        rows=_read_rows(since, until),
        previous=last.mac if last else "",
        sealed_at=now,
    )
    seal.mac = _sign(seal)
    seal.save(force_insert=True)
    return seal


def _find_end(since: datetime, settled: datetime) -> datetime:
    """Where a seal of ``MOST_ROWS`` ends; all rows of one moment stay together."""
    times = Vote.objects.filter(cast_at__gte=since, cast_at__lt=settled).order_by("cast_at")
    after = times.values_list("cast_at", flat=True)[MOST_ROWS : MOST_ROWS + 1].first()
    if after is None:
        return settled
    return after if after > times[0].cast_at else min(settled, after + timedelta(microseconds=1))


def _check_link(seal: Seal, number: int, previous: str, since: datetime) -> Broken | None:
    if seal.number != number:
        return Broken(number, f"is missing: the next one is {seal.number}")
    if (seal.previous, seal.since) != (previous, since):
        return Broken(number, "does not follow the one before it")
    if not hmac.compare_digest(seal.mac, _sign(seal)):
        return Broken(number, "was changed itself, or made with another DOPEORNOPE_SECRET_KEY")
    return None


def _check_rows(seal: Seal) -> Broken | None:
    sealed, found = seal.rows, _read_rows(seal.since, seal.until)
    if sealed == found:
        return None
    return Broken(
        seal.number,
        "covers rows that are not as they were",
        missing=sorted(sealed.keys() - found.keys()),
        changed=sorted(name for name in sealed.keys() & found.keys() if sealed[name] != found[name]),
        added=sorted(found.keys() - sealed.keys()),
    )


def _read_rows(since: datetime, until: datetime) -> Rows:
    """Fingerprints of what was said in this span of time, by row."""
    votes = Vote.objects.filter(cast_at__gte=since, cast_at__lt=until).values_list(*VOTE_FIELDS)
    retractions = Retraction.objects.filter(retracted_at__gte=since, retracted_at__lt=until)
    return {
        name: _fingerprint(row)
        for name, row in (
            *(_name("vote", row) for row in votes.iterator()),
            *(_name("retraction", row) for row in retractions.values_list(*RETRACTION_FIELDS).iterator()),
        )
    }


def _name(kind: str, row: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    return f"{kind} {row[0]}", (kind, *row)


def _fingerprint(row: tuple[Any, ...]) -> str:
    """64 bits are enough, because nobody without the key can try."""
    return _mac([_plain(value) for value in row])[:16]


def _plain(value: Any) -> Any:
    # The same moment reads the same from either database.
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value


def _sign(seal: Seal) -> str:
    return _mac([seal.number, _plain(seal.since), _plain(seal.until), seal.previous, seal.rows])


def _mac(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return salted_hmac("evaluation.seals", text, algorithm="sha256").hexdigest()
