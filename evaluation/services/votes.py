"""Votes: each spends one deal of its player, once, and is counted in the same transaction."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus

from evaluation.models import Answer, Deal, Modality, Player, Round, Vote
from evaluation.services.counts import Change, add_to_rows, count_changes
from evaluation.services.deals import is_holder
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
    players share every query, so a busy moment costs little more than a quiet one.
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
    deals: Mapping[str, Deal]
    votes: dict[str, Vote]
    rounds: Mapping[str, Round]
    players: dict[uuid.UUID, Player]
    fresh: list[Vote] = field(default_factory=list)

    @classmethod
    def open(cls, ballots: Sequence[Ballot], *, now: datetime) -> "_Urn":
        named = {vote.deal for ballot in ballots for vote in ballot.votes}
        # Locked in one order: a second process that got the same vote waits here, then finds it stored.
        deals = {
            deal.pk: deal
            for deal in Deal.objects.select_for_update(no_key=True).filter(pk__in=named).order_by("pk")
        }
        votes = Vote.objects.in_bulk(list(deals))
        rounds = Round.objects.in_bulk({deal.round_id for deal in deals.values()})
        keys = {ballot.key for ballot in ballots}
        players = {player.key: player for player in Player.objects.filter(key__in=keys)}
        urn = cls(now=now, deals=deals, votes=votes, rounds=rounds, players=players)
        urn._welcome(ballots)
        return urn

    def take(self, key: uuid.UUID, cast: CastVote) -> VoteResult:
        deal = self.deals.get(cast.deal)
        if deal is None or not is_holder(key, self.rounds[deal.round_id]):
            return VoteResult(cast.deal, HTTPStatus.NOT_FOUND, message=UNKNOWN)
        stored = self.votes.get(cast.deal)
        if stored is not None:
            if stored.answer == cast.answer:
                return VoteResult(cast.deal, HTTPStatus.OK, answer=stored.answer)
            message = ANSWERED.format(stored.answer)
            return VoteResult(cast.deal, HTTPStatus.CONFLICT, answer=stored.answer, message=message)
        # A round given up is revealed when it is a day old; deals made late in it would outlive that.
        if deal.expires_at <= self.now or self.rounds[deal.round_id].revealed_at is not None:
            return VoteResult(cast.deal, HTTPStatus.GONE, message=EXPIRED)
        if deal.player_id is None:
            return VoteResult(cast.deal, HTTPStatus.CONFLICT, message=SEEN)
        vote = Vote(
            deal=deal,
            answer=cast.answer,
            dwell_ms=cast.dwell_ms,
            modality=cast.modality,
            cast_at=self.now,
        )
        self.votes[cast.deal] = vote
        self.fresh.append(vote)
        return VoteResult(cast.deal, HTTPStatus.OK, answer=cast.answer)

    def count(self) -> None:
        if not self.fresh:
            return
        Vote.objects.bulk_create(self.fresh)
        changes = [_change(vote, by=1) for vote in self.fresh]
        count_changes(changes)
        count_judged(self.fresh, by=1)
        for vote in self.fresh:
            self.rounds[vote.deal.round_id].judged += 1
        players = {player.pk: player for player in self.players.values()}
        for change in changes:
            players[change.player].judged += 1
        events.bump("leaderboard")

    def judged_in_round_of(self, ballot: Ballot) -> int:
        """Places spent in the round of the ballot's last deal that is the player's own."""
        for cast in reversed(ballot.votes):
            deal = self.deals.get(cast.deal)
            if deal is not None and is_holder(ballot.key, self.rounds[deal.round_id]):
                return self.rounds[deal.round_id].judged
        return 0

    def streak_of(self, key: uuid.UUID) -> int:
        return self.players[key].judged if key in self.players else 0

    def _welcome(self, ballots: Sequence[Ballot]) -> None:
        """Give first-time voters a row and the deals of the round they vote in."""
        claims: dict[str, uuid.UUID] = {}
        for ballot in ballots:
            for cast in ballot.votes:
                deal = self.deals.get(cast.deal)
                if deal is None or deal.expires_at <= self.now or deal.pk in self.votes:
                    continue
                round_ = self.rounds[deal.round_id]
                if round_.player_id is None and is_holder(ballot.key, round_):
                    claims[round_.pk] = ballot.key
        newcomers = sorted(set(claims.values()) - set(self.players))
        if newcomers:
            Player.objects.bulk_create(
                (Player(key=key, created_at=self.now) for key in newcomers), ignore_conflicts=True
            )
            self.players |= {player.key: player for player in Player.objects.filter(key__in=newcomers)}
        for round_id, key in sorted(claims.items()):
            self._claim(self.rounds[round_id], self.players[key])

    def _claim(self, round_: Round, player: Player) -> None:
        """Make a round the player's. Pairs the player got elsewhere meanwhile stay nobody's."""
        Round.objects.filter(pk=round_.pk).update(player=player)
        round_.player = player
        elsewhere = set(
            Deal.objects.filter(player=player).exclude(round=round_).values_list("pair_id", flat=True)
        )
        Deal.objects.filter(round=round_, player=None).exclude(pair__in=elsewhere).update(player=player)
        for deal in self.deals.values():
            if deal.round_id == round_.pk and deal.pair_id not in elsewhere:
                deal.player = player


def count_judged(votes: Iterable[Vote], *, by: int) -> None:
    """Raise (or, by -1, lower) how many pairs the votes' rounds and players have judged."""
    rounds: dict[str, list[int]] = defaultdict(lambda: [0])
    players: dict[int, list[int]] = defaultdict(lambda: [0])
    for vote in votes:
        rounds[vote.deal.round_id][0] += by
        players[_player_of(vote)][0] += by
    add_to_rows(Round, ("judged",), rounds)
    add_to_rows(Player, ("judged",), players)


def _change(vote: Vote, *, by: int) -> Change:
    return Change(vote.deal.pair_id, _player_of(vote), Answer(vote.answer), by)


def _player_of(vote: Vote) -> int:
    player = vote.deal.player_id
    assert player is not None, "a deal without a player takes no vote"
    return player
