"""Votes: each spends one deal of its player, once, and is counted in the same transaction."""

import uuid
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus

from evaluation.models import Answer, Modality, Player, Round, Vote
from evaluation.models.statements import (
    Statement,
    as_uuid,
    execute,
    fetch,
    increase,
    insert,
    moment,
    take_turn,
    uuid_parameter,
)
from evaluation.selectors.standing import (
    Standing,
    StandingDeal,
    StandingPlayer,
    ask_standing,
    gather_standing,
)
from evaluation.services.counts import Change, plan_counts
from evaluation.stats.places import TASTE
from search import events

LONGEST_DWELL_MS = 24 * 60 * 60 * 1000


@dataclass(frozen=True)
class CastVote:
    """An answer as the deck sent it, already checked for its form."""

    deal: str
    answer: Answer
    dwell_ms: int
    modality: Modality


@dataclass(frozen=True)
class Ballot:
    """The votes of one request, all under one player's key."""

    key: uuid.UUID
    votes: Sequence[CastVote]


@dataclass(frozen=True)
class VoteResult:
    """What became of one vote. ``answer`` is the stored one, empty where there is none.

    ``is_new``: stored by this request, not before; nobody is told.
    """

    deal: str
    status: HTTPStatus
    answer: str = ""
    message: str = ""
    is_new: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class BallotResult:
    """Results in the order of the votes; ``judged`` places of the round of the last known deal."""

    results: list[VoteResult]
    judged: int
    streak: int

    @property
    def stored(self) -> int:
        """How many of the votes were stored anew."""
        return sum(result.is_new for result in self.results)


UNKNOWN = "This pair was not dealt to you."
EXPIRED = "This pair was dealt too long ago."
SEEN = "You judged this pair before."
ANSWERED = "This pair was already answered “{}”."


def cast_votes(ballots: Sequence[Ballot], *, now: datetime) -> list[BallotResult]:
    """Store and count what is new, and answer for every vote; call it in a transaction.

    Replaying is harmless: the same answer gets the same result, another one is refused. Ballots of several
    players share every statement, so a busy moment costs little more than a quiet one.
    """
    urn = _Urn.open(ballots, now=now)
    results = [[urn.take(ballot.key, vote) for vote in ballot.votes] for ballot in ballots]
    urn.count()
    return [
        BallotResult(answers, urn.judged_in_round_of(ballot), urn.streak_of(ballot.key))
        for ballot, answers in zip(ballots, results, strict=True)
    ]


@dataclass
class _Urn:
    """One transaction's view of the deals that its ballots name."""

    now: datetime
    standing: Standing
    players: Mapping[uuid.UUID, StandingPlayer]
    fresh: list[tuple[str, CastVote]] = field(default_factory=list)

    @classmethod
    def open(cls, ballots: Sequence[Ballot], *, now: datetime) -> "_Urn":
        named = sorted({vote.deal for ballot in ballots for vote in ballot.votes})
        asked = ask_standing(named, now=now)
        standing = gather_standing(execute(take_turn(), asked))
        welcomed = _welcome(ballots, standing, now=now)
        if welcomed:
            standing = gather_standing(execute(*welcomed, asked))
        return cls(now, standing, _find_players(ballots, standing))

    def take(self, key: uuid.UUID, cast: CastVote) -> VoteResult:
        deal = _find_deal(self.standing, key, cast)
        if deal is None:
            return VoteResult(cast.deal, HTTPStatus.NOT_FOUND, message=UNKNOWN)
        if deal.answer:
            if deal.answer == cast.answer:
                return VoteResult(cast.deal, HTTPStatus.OK, answer=deal.answer)
            message = ANSWERED.format(deal.answer)
            return VoteResult(cast.deal, HTTPStatus.CONFLICT, answer=deal.answer, message=message)
        # A round given up is revealed when it is a day old; deals made late in it would outlive that.
        if deal.expired or deal.round.revealed:
            return VoteResult(cast.deal, HTTPStatus.GONE, message=EXPIRED)
        if deal.player is None:
            return VoteResult(cast.deal, HTTPStatus.CONFLICT, message=SEEN)
        deal.answer = cast.answer.value
        self.fresh.append((cast.deal, cast))
        return VoteResult(cast.deal, HTTPStatus.OK, answer=deal.answer, is_new=True)

    def count(self) -> None:
        if not self.fresh:
            return
        cast_at = moment(self.now)
        stored = insert(
            Vote,
            ("deal_id", "answer", "dwell_ms", "modality", "cast_at"),
            [(pk, cast.answer.value, cast.dwell_ms, cast.modality.value, cast_at) for pk, cast in self.fresh],
        )
        changes = []
        rounds: Counter[str] = Counter()
        judged: Counter[int] = Counter()
        for pk, cast in self.fresh:
            deal = self.standing.deals[pk]
            assert deal.player is not None, "a deal without a player takes no vote"
            player = self.standing.players[deal.player]
            if deal.counts and not player.excluded:
                changes.append(Change(deal.pair, deal.player, cast.answer))
            rounds[deal.round.pk] += 1
            judged[deal.player] += 1
            deal.round.judged += 1
            player.judged += 1
        execute(
            stored,
            *plan_counts(changes, self.standing.raters),
            *plan_judged(rounds, judged),
            Statement(events.RAISE, ["leaderboard"]),
        )
        events.announce_after_commit()

    def judged_in_round_of(self, ballot: Ballot) -> int:
        """Places spent in the round of the ballot's last deal that is the player's own."""
        for cast in reversed(ballot.votes):
            deal = _find_deal(self.standing, ballot.key, cast)
            if deal is not None:
                return deal.round.judged
        return 0

    def streak_of(self, key: uuid.UUID) -> int:
        player = self.players.get(key)
        return player.judged if player else 0


def plan_judged(rounds: Mapping[str, int], players: Mapping[int, int]) -> list[Statement | None]:
    """What raises (or lowers, by negative numbers) how many pairs were judged in rounds and by players."""
    return [
        increase(Round, ["id"], ["judged"], {pk: [by] for pk, by in rounds.items()}),
        increase(Player, ["id"], ["judged"], {pk: [by] for pk, by in players.items()}),
    ]


def _welcome(ballots: Sequence[Ballot], standing: Standing, *, now: datetime) -> list[Statement | None]:
    """What gives first-time voters a row and the deals of the round they vote in; empty where nobody is."""
    claims: dict[str, uuid.UUID] = {}
    for ballot in ballots:
        for cast in ballot.votes:
            deal = _find_deal(standing, ballot.key, cast)
            if deal is None or deal.answer or deal.expired or deal.round.revealed:
                continue
            if deal.player is None or deal.round.player is None:
                claims[deal.round.pk] = ballot.key
    welcomed = insert(
        Player,
        ("key", "judged", "created_at"),
        [(uuid_parameter(key), 0, moment(now)) for key in sorted(set(claims.values()))],
        "ON CONFLICT (key) DO NOTHING",
    )
    if welcomed is None:
        return []
    return [welcomed, *(step for round_id, key in sorted(claims.items()) for step in _claim(round_id, key))]


def _claim(round_id: str, key: uuid.UUID) -> list[Statement]:
    """Make a round the player's. Pairs the player has from another deal stay nobody's."""
    player = "(SELECT id FROM evaluation_player WHERE key = %s)"
    has = f"SELECT pair_id FROM evaluation_deal WHERE player_id = {player} AND policy <> '{TASTE}'"
    named = uuid_parameter(key)
    return [
        Statement(f"UPDATE evaluation_round SET player_id = {player} WHERE id = %s", [named, round_id]),
        Statement(
            f"UPDATE evaluation_deal SET player_id = {player}"
            f" WHERE round_id = %s AND player_id IS NULL AND pair_id NOT IN ({has})",
            [named, round_id, named],
        ),
    ]


def _find_deal(standing: Standing, key: uuid.UUID, cast: CastVote) -> StandingDeal | None:
    """The deal of a vote, where it was handed out under this key."""
    deal = standing.deals.get(cast.deal)
    return deal if deal and deal.round.is_held_by(key) else None


def _find_players(ballots: Sequence[Ballot], standing: Standing) -> dict[uuid.UUID, StandingPlayer]:
    """Who voted, by key: known from the rounds, except where a ballot names no deal of its player's."""
    players: dict[uuid.UUID, StandingPlayer] = {}
    for ballot in ballots:
        for cast in ballot.votes:
            deal = _find_deal(standing, ballot.key, cast)
            if deal and deal.round.player is not None:
                players[ballot.key] = standing.players[deal.round.player]
    elsewhere = {ballot.key for ballot in ballots} - set(players)
    return players | _read_players(elsewhere) if elsewhere else players


def _read_players(keys: Collection[uuid.UUID]) -> dict[uuid.UUID, StandingPlayer]:
    rows = fetch(
        "SELECT key, id, judged FROM evaluation_player WHERE key = ANY(%s)",
        [uuid_parameter(key) for key in sorted(keys)],
    )
    return {key: StandingPlayer(pk, judged) for raw, pk, judged in rows if (key := as_uuid(raw))}
