"""The leaderboard as it is published: a table of the same bytes wherever it is made of the same votes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from evaluation.stats.placing import place_all
from evaluation.stats.votes import Places, Votes, count_standings

COLUMNS = (
    *("catalogue", "contender", "encoder", "encoder_version", "metric", "control"),
    *("rank", "rank_low", "rank_high", "approval", "low", "high", "design_effect"),
    *("votes", "dope", "nope", "skipped", "players", "provisional"),
)
DIGITS = 6  # beyond those, another processor or another library may round otherwise


def write_table(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """A line of JSON per row, with `COLUMNS` alone and numbers rounded."""
    lines = (json.dumps({name: _round(row[name]) for name in COLUMNS}, ensure_ascii=False) for row in rows)
    return "".join(f"{line}\n" for line in lines).encode()


def _round(value: Any) -> Any:
    return round(value, DIGITS) if isinstance(value, float) else value


def rank_table(
    votes: Votes, skipped: Places, contenders: Sequence[Mapping[str, Any]], *, level: float
) -> list[dict[str, Any]]:
    """Rows of one catalogue from its raw votes, best first.

    ``contenders`` are in the order of ``votes.found`` and give the columns that are not figures; ``skipped``
    (k,) are the pairs of the skips.
    """
    skips = votes.found.T.astype(np.int64) @ np.bincount(skipped, minlength=len(votes.found))
    standings = count_standings(votes)
    rows = []
    for place in place_all(standings, level=level):
        standing, mine = standings[place.number], votes.found[votes.pair, place.number]
        interval = place.interval
        answers = standing.answers if standing else 0
        dopes = standing.yes if standing else 0
        rows.append(
            dict(contenders[place.number])
            | {
                "rank": place.rank,
                "rank_low": place.span.best,
                "rank_high": place.span.worst,
                "approval": interval.estimate if interval else None,
                "low": interval.low if interval else None,
                "high": interval.high if interval else None,
                "design_effect": standing.effect if standing else None,
                "votes": answers,
                "dope": dopes,
                "nope": answers - dopes,
                "skipped": int(skips[place.number]),
                "players": len(np.unique(votes.player[mine])),
            }
        )
    return rows
