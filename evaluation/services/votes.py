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
    increase,
    insert,
    moment,
    take_turn,
    uuid_parameter,
)
from evaluation.services.counts import Change, count_changes
from evaluation.services.deals import is_held
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
    """What became of one vote. ``answer`` is the stored one, empty where there is none."""

    deal: str
    status: HTTPStatus
    answer: str = ""
    message: str = ""


@dataclass(frozen=True)
class BallotResult:
    """Results in the order of the votes; ``judged`` places of the round of the last known deal."""

    results: list[VoteResult]
    judged: int
    streak: int


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
class _Round:
    """A round as far as its votes depend on it."""

    pk: str
    holder: str
    player: int | None
    judged: int
    revealed: bool


@dataclass
class _Dealt:
    """A deal as far as its vote depends on it; ``answer`` is the stored one, empty where there is none."""

    pair: int
    player: int | None
    expired: bool
    answer: str
    round: _Round


@dataclass
class _Player:
    pk: int
    judged: int


@dataclass
class _Urn:
    """One transaction's view of the deals that its ballots name."""

    now: datetime
    deals: Mapping[str, _Dealt]
    players: dict[uuid.UUID, _Player]
    fresh: list[tuple[str, CastVote]] = field(default_factory=list)

    @classmethod
    def open(cls, ballots: Sequence[Ballot], *, now: datetime) -> "_Urn":
        named = sorted({vote.deal for ballot in ballots for vote in ballot.votes})
        urn = cls(now, _read_deals(named, now=now), _read_players({ballot.key for ballot in ballots}))
        urn._welcome(ballots)
        return urn

    def take(self, key: uuid.UUID, cast: CastVote) -> VoteResult:
        deal = self.deals.get(cast.deal)
        if deal is None or not is_held(key, deal.round.pk, deal.round.holder):
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
        return VoteResult(cast.deal, HTTPStatus.OK, answer=deal.answer)

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
        players = {player.pk: player for player in self.players.values()}
        rounds: Counter[str] = Counter()
        for pk, cast in self.fresh:
            deal = self.deals[pk]
            assert deal.player is not None, "a deal without a player takes no vote"
            changes.append(Change(deal.pair, deal.player, cast.answer))
            rounds[deal.round.pk] += 1
            deal.round.judged += 1
            players[deal.player].judged += 1
        judged = count_judged(rounds, Counter(change.player for change in changes))
        count_changes(changes, before=[stored], beside=judged)
        events.bump("leaderboard")

    def judged_in_round_of(self, ballot: Ballot) -> int:
        """Places spent in the round of the ballot's last deal that is the player's own."""
        for cast in reversed(ballot.votes):
            deal = self.deals.get(cast.deal)
            if deal is not None and is_held(ballot.key, deal.round.pk, deal.round.holder):
                return deal.round.judged
        return 0

    def streak_of(self, key: uuid.UUID) -> int:
        return self.players[key].judged if key in self.players else 0

    def _welcome(self, ballots: Sequence[Ballot]) -> None:
        """Give first-time voters a row and the deals of the round they vote in."""
        claims: dict[str, uuid.UUID] = {}
        for ballot in ballots:
            for cast in ballot.votes:
                deal = self.deals.get(cast.deal)
                if deal is None or deal.expired or deal.answer or deal.round.player is not None:
                    continue
                if is_held(ballot.key, deal.round.pk, deal.round.holder):
                    claims[deal.round.pk] = ballot.key
        newcomers = sorted(set(claims.values()) - set(self.players))
        welcomed = insert(
            Player,
            ("key", "judged", "created_at"),
            [(uuid_parameter(key), 0, moment(self.now)) for key in newcomers],
            "ON CONFLICT (key) DO NOTHING",
        )
        if newcomers:
            self.players |= _read_players(newcomers, after=[welcomed])
        for round_id, key in sorted(claims.items()):
            self._claim(round_id, self.players[key].pk)

    def _claim(self, round_id: str, player: int) -> None:
        """Make a round the player's. Pairs the player got elsewhere meanwhile stay nobody's."""
        elsewhere = "SELECT pair_id FROM evaluation_deal WHERE player_id = %s AND round_id <> %s"
        claimed = execute(
            Statement("UPDATE evaluation_round SET player_id = %s WHERE id = %s", [player, round_id]),
            Statement(
                "UPDATE evaluation_deal SET player_id = %s"
                f" WHERE round_id = %s AND player_id IS NULL AND pair_id NOT IN ({elsewhere})",
                [player, round_id, player, round_id],
            ),
            Statement(
                "SELECT id FROM evaluation_deal WHERE round_id = %s AND player_id = %s", [round_id, player]
            ),
        )
        mine = {pk for (pk,) in claimed}
        for pk, deal in self.deals.items():
            if deal.round.pk == round_id:
                deal.round.player = player
                deal.player = player if pk in mine else None


def count_judged(rounds: Mapping[str, int], players: Mapping[int, int]) -> list[Statement | None]:
    """Raises (or lowers, by negative numbers) how many pairs were judged in rounds and by players."""
    return [
        increase(Round, ["id"], ["judged"], {pk: [by] for pk, by in rounds.items()}),
        increase(Player, ["id"], ["judged"], {pk: [by] for pk, by in players.items()}),
    ]


def _read_deals(named: Sequence[str], *, now: datetime) -> dict[str, _Dealt]:
    """The deals of these names, once it is this transaction's turn."""
    rows = execute(
        take_turn(),
        Statement(
            "SELECT d.id, d.pair_id, d.player_id, d.expires_at <= %s, v.answer,"
            " r.id, r.holder, r.player_id, r.judged, r.revealed_at IS NOT NULL"
            " FROM evaluation_deal d JOIN evaluation_round r ON r.id = d.round_id"
            " LEFT JOIN evaluation_vote v ON v.deal_id = d.id WHERE d.id = ANY(%s)",
            [moment(now), list(named)],
        ),
    )
    rounds: dict[str, _Round] = {}
    deals = {}
    for pk, pair, player, expired, answer, round_id, holder, owner, judged, revealed in rows:
        round_ = rounds.setdefault(round_id, _Round(round_id, holder, owner, judged, bool(revealed)))
        deals[pk] = _Dealt(pair, player, bool(expired), answer or "", round_)
    return deals


def _read_players(
    keys: Collection[uuid.UUID], *, after: Sequence[Statement | None] = ()
) -> dict[uuid.UUID, _Player]:
    named = [uuid_parameter(key) for key in keys]
    query = Statement("SELECT key, id, judged FROM evaluation_player WHERE key = ANY(%s)", [named])
    return {key: _Player(pk, judged) for raw, pk, judged in execute(*after, query) if (key := as_uuid(raw))}
