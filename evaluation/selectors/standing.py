"""What votes depend on: the deals they name, and what is counted so far of the pairs behind these."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from evaluation.models.holders import is_held
from evaluation.models.statements import Row, Statement, execute, moment
from evaluation.stats.places import UNCOUNTED


@dataclass
class StandingRound:
    """A round as far as its votes depend on it."""

    pk: str
    holder: str
    player: int | None
    judged: int
    revealed: bool
    _asked: dict[uuid.UUID, bool] = field(default_factory=dict)

    def is_held_by(self, key: uuid.UUID) -> bool:
        """Whether it was opened for this key; a ballot asks that several times."""
        if key not in self._asked:
            self._asked[key] = is_held(key, self.pk, self.holder)
        return self._asked[key]


@dataclass(frozen=True)
class StandingPair:
    """A pair, its counted answers, and the contenders that found it."""

    pk: int
    category: int | None
    dopes: int
    nopes: int
    finders: list[int]


@dataclass
class StandingDeal:
    """A deal as far as its vote depends on it; ``answer`` is the stored one, empty where there is none.

    ``counts``: a vote on it counts for its pair, and who found that; False of a check, and where
    a private encoder is compared.
    """

    pair: StandingPair
    player: int | None
    expired: bool
    answer: str
    round: StandingRound
    counts: bool = True


@dataclass
class StandingPlayer:
    """A player as far as votes depend on them; votes of an excluded one are stored and not counted."""

    pk: int
    judged: int
    excluded: bool = False


@dataclass
class Standing:
    """Deals by id, the players whose rounds they are of, and (dopes, nopes) by (contender, player)."""

    deals: dict[str, StandingDeal] = field(default_factory=dict)
    players: dict[int, StandingPlayer] = field(default_factory=dict)
    raters: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)


def read_standing(deals: Sequence[str], *, now: datetime) -> Standing:
    """The deals of these ids, as far as there are any.

    Counts stay what they are read as while the reader has the turn (`take_turn`).
    """
    return gather_standing(execute(ask_standing(deals, now=now)))


def ask_standing(deals: Sequence[str], *, now: datetime) -> Statement:
    """What asks for it, for who has more to say to the database in the same message."""
    return Statement(
        "SELECT d.id, d.player_id, d.policy, d.expires_at <= %s, v.answer,"
        # Nobody holds the round of a player who was forgotten, also where it was being opened meanwhile.
        " r.id, CASE WHEN o.forgotten_at IS NULL THEN r.holder ELSE '' END, r.player_id,"
        " r.judged, r.revealed_at IS NOT NULL, o.judged, o.is_excluded,"
        " p.id, p.category_id, p.dopes, p.nopes, c.contender_id,"
        # No join: planned while the table is empty, it may look up by one of the two alone, for ever.
        " (SELECT t.dopes || ' ' || t.nopes FROM evaluation_ratertally t"
        " WHERE t.player_id = d.player_id AND t.contender_id = c.contender_id)"
        " FROM evaluation_deal d JOIN evaluation_round r ON r.id = d.round_id"
        " JOIN evaluation_pair p ON p.id = d.pair_id"
        " LEFT JOIN evaluation_vote v ON v.deal_id = d.id"
        " LEFT JOIN evaluation_player o ON o.id = r.player_id"
        " LEFT JOIN evaluation_credit c ON c.pair_id = d.pair_id"
        " WHERE d.id = ANY(%s)",
        [moment(now), list(deals)],
    )


def gather_standing(rows: Iterable[Row]) -> Standing:
    """Of the rows that `ask_standing` gives."""
    standing = Standing()
    rounds: dict[str, StandingRound] = {}
    pairs: dict[int, StandingPair] = {}
    for (
        pk, player, policy, expired, answer, round_id, holder, owner, judged, revealed, judged_by_owner,
        excluded, pair_id, category, dopes, nopes, contender, rated,
    ) in rows:  # fmt: skip
        if round_id not in rounds:
            rounds[round_id] = StandingRound(round_id, holder, owner, judged, bool(revealed))
            if owner is not None:
                standing.players[owner] = StandingPlayer(owner, judged_by_owner, bool(excluded))
        if pair_id not in pairs:
            pairs[pair_id] = StandingPair(pair_id, category, dopes, nopes, [])
        pair = pairs[pair_id]
        if pk not in standing.deals:
            standing.deals[pk] = StandingDeal(
                pair, player, bool(expired), answer or "", rounds[round_id], counts=policy not in UNCOUNTED
            )
        if contender is not None:
            if contender not in pair.finders:
                pair.finders.append(contender)
            if rated is not None:
                rated_dopes, rated_nopes = map(int, rated.split())
                standing.raters[contender, player] = (rated_dopes, rated_nopes)
    return standing
