"""What the checks say of players, worked out with the nightly ranking: it takes a look at every vote."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from evaluation.selectors.checked import Checked
from evaluation.selectors.vote_columns import VoteColumns
from evaluation.stats.vetting import (
    Check,
    Finding,
    State,
    check_catches,
    check_haste,
    check_repeats,
    judge,
    not_run,
)
from evaluation.stats.vetting_crowd import Crowd, check_agreement, check_favour, gather
from evaluation.stats.votes import Places

MOST_KEPT = 200
# Of one player, the latest: enough to tell, and what is drawn for a check grows with them.
MOST_ANSWERS = 1_000


def vet_players(columns: VoteColumns, checked: Mapping[int, Checked] | None = None) -> list[dict[str, Any]]:
    """Players with their findings, as they are kept: those who fail first, then those with most answers.

    ``checked`` by player; None where nobody could look: then these checks did not run.
    """
    crowd = gather(columns.votes)
    rows = [
        _vet(columns, crowd, checked, number, places) for number, places in _by_player(columns.votes.player)
    ]
    rows.sort(key=lambda row: (row["state"] != State.FAIL, -row["answers"], row["player"]))
    return rows[:MOST_KEPT]


def _by_player(player: Places) -> Iterator[tuple[int, Places]]:
    """Each player's number and the places of their votes, oldest first."""
    order = np.argsort(player, kind="stable")
    numbers, first = np.unique(player[order], return_index=True)
    return zip(numbers.tolist(), np.split(order, first[1:]), strict=True)


def _vet(
    columns: VoteColumns,
    crowd: Crowd,
    checked: Mapping[int, Checked] | None,
    number: int,
    places: Places,
) -> dict[str, Any]:
    latest = places[-MOST_ANSWERS:]
    pair, dope = columns.votes.pair[latest], columns.votes.dope[latest]
    skipped = columns.skipped[columns.skippers == number][-MOST_ANSWERS:]
    player = int(columns.players[number])
    findings = [
        *_check_known(None if checked is None else checked.get(player, Checked())),
        check_haste(columns.dwell_ms[latest]),
        check_agreement(crowd, pair, dope),
        check_favour(crowd, pair, dope, skipped),
    ]
    return {
        "player": player,
        "answers": len(places),
        "approval": float(columns.votes.dope[places].mean()),
        "seconds": float(np.median(columns.dwell_ms[places])) / 1000,
        "state": judge(findings).value,
        "findings": [_tell(one) for one in findings],
    }


def _check_known(checked: Checked | None) -> list[Finding]:
    if checked is None:
        return [not_run(check, "not looked at") for check in (Check.CATCHES, Check.REPEATS)]
    return [
        check_catches(checked.wrong, checked.shown),
        check_repeats(checked.changed, checked.repeated),
    ]


def _tell(finding: Finding) -> dict[str, str]:
    return {"check": finding.check.value, "state": finding.state.value, "reason": finding.reason}
