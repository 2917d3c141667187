"""What dealing has to know about several players at once, read with few queries."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from evaluation.models.statements import as_uuid, fetch, moment, uuid_parameter
from evaluation.stats.places import TASTE

Person = tuple[str, int]


@dataclass(frozen=True)
class Hall:
    """A catalogue as far as dealing needs it; ``stamp`` changes with the pairs that may be dealt."""

    catalogue: int
    slug: str
    stamp: uuid.UUID | None


@dataclass(frozen=True)
class Seat:
    """A player as far as dealing needs them."""

    pk: int
    user: int | None

    @property
    def person(self) -> Person:
        return ("user", self.user) if self.user else ("player", self.pk)


@dataclass
class OpenRound:
    """A round that is not at its end; ``judged`` and ``size`` count places."""

    pk: str
    catalogue: int
    player: int | None
    holder: str
    size: int
    judged: int


@dataclass(frozen=True)
class Dealt:
    """A deal of a round, as far as dealing on depends on it; ``claimed``: a player's, not a visitor's."""

    deal: str
    place: int
    pair: int
    question: int
    claimed: bool
    spent: bool
    expired: bool


@dataclass(frozen=True)
class Table:
    """Catalogues by slug, players by key, open rounds newest first, their deals by place, and pairs seen.

    ``tastes``: the private encoder of a person in a catalogue, by its id, where its public one still stands.
    """

    halls: Mapping[str, Hall]
    seats: Mapping[uuid.UUID, Seat]
    rounds: Sequence[OpenRound]
    dealt: Mapping[str, Sequence[Dealt]]
    seen: Mapping[Person, Sequence[int]]
    tastes: Mapping[tuple[Person, int], int]

    def seen_by(self, seat: Seat | None) -> Sequence[int]:
        """Ids of all pairs ever dealt to this player; for a user, on any of their devices.

        Not those on which a private encoder is compared: what is dealt to count must not depend on them.
        """
        return self.seen.get(seat.person, ()) if seat else ()

    def taste_of(self, seat: Seat | None, hall: Hall) -> int | None:
        """The private encoder that this player compares in this catalogue."""
        return self.tastes.get((seat.person, hall.catalogue)) if seat else None


def read_table(
    *,
    slugs: Collection[str],
    keys: Collection[uuid.UUID],
    rounds: Collection[str],
    since: datetime,
    now: datetime,
) -> Table:
    """Everything about these players and rounds; of the rounds only those begun after ``since`` and open."""
    seats = _read_seats(keys)
    open_rounds = _read_rounds(rounds, [seat.pk for seat in seats.values()], since=since)
    return Table(
        halls=_read_halls(slugs),
        seats=seats,
        rounds=open_rounds,
        dealt=_read_dealt([one.pk for one in open_rounds], now=now),
        seen=_read_seen(list(seats.values())),
        tastes=_read_tastes(list(seats.values())),
    )


def _read_halls(slugs: Collection[str]) -> dict[str, Hall]:
    rows = fetch(
        "SELECT c.id, c.slug, s.stamp FROM search_catalogue c"
        " LEFT JOIN evaluation_dealingstamp s ON s.catalogue_id = c.id WHERE c.slug = ANY(%s)",
        list(slugs),
    )
    return {slug: Hall(pk, slug, as_uuid(stamp)) for pk, slug, stamp in rows}


def _read_seats(keys: Collection[uuid.UUID]) -> dict[uuid.UUID, Seat]:
    rows = fetch(
        "SELECT key, id, user_id FROM evaluation_player WHERE key = ANY(%s)",
        [uuid_parameter(key) for key in keys],
    )
    return {key: Seat(pk, user) for raw, pk, user in rows if (key := as_uuid(raw))}


def _read_rounds(named: Collection[str], players: Sequence[int], *, since: datetime) -> list[OpenRound]:
    rows = fetch(
        "SELECT id, catalogue_id, player_id, holder, size, judged FROM evaluation_round"
        " WHERE (id = ANY(%s) OR player_id = ANY(%s))"
        " AND revealed_at IS NULL AND created_at > %s AND judged < size ORDER BY created_at DESC, id",
        list(named),
        list(players),
        moment(since),
    )
    return [OpenRound(*row) for row in rows]


def _read_dealt(rounds: Sequence[str], *, now: datetime) -> dict[str, list[Dealt]]:
    dealt: dict[str, list[Dealt]] = defaultdict(list)
    if not rounds:
        return dealt
    rows = fetch(
        # No joins: whatever the last statistics knew, these stay two look-ups a row.
        "SELECT d.round_id, d.id, d.place, d.pair_id,"
        " (SELECT p.question_id FROM evaluation_pair p WHERE p.id = d.pair_id), d.player_id IS NOT NULL,"
        " (SELECT v.deal_id FROM evaluation_vote v WHERE v.deal_id = d.id) IS NOT NULL, d.expires_at <= %s"
        " FROM evaluation_deal d WHERE d.round_id = ANY(%s) ORDER BY d.place, d.issued_at",
        moment(now),
        list(rounds),
    )
    for round_id, pk, place, pair, question, claimed, spent, expired in rows:
        one = Dealt(pk, place, pair, question, bool(claimed), bool(spent), bool(expired))
        dealt[round_id].append(one)
    return dealt


def _read_seen(seats: Sequence[Seat]) -> dict[Person, list[int]]:
    seen: dict[Person, list[int]] = defaultdict(list)
    alone = {seat.pk: seat.person for seat in seats if not seat.user}
    if alone:
        rows = fetch(
            "SELECT player_id, pair_id FROM evaluation_deal WHERE player_id = ANY(%s) AND policy <> %s",
            list(alone),
            TASTE,
        )
        for player, pair in rows:
            seen[alone[player]].append(pair)
    users = [seat.user for seat in seats if seat.user]
    if users:
        rows = fetch(
            "SELECT p.user_id, d.pair_id FROM evaluation_deal d"
            " JOIN evaluation_player p ON p.id = d.player_id WHERE p.user_id = ANY(%s) AND d.policy <> %s",
            users,
            TASTE,
        )
        for user, pair in rows:
            seen["user", user].append(pair)
    return seen


def _read_tastes(seats: Sequence[Seat]) -> dict[tuple[Person, int], int]:
    """The latest asked for, where its public one still stands."""
    if not seats:
        return {}
    persons = {seat.pk: seat.person for seat in seats}
    users = [seat.user for seat in seats if seat.user]
    rows = fetch(
        "SELECT t.player_id, NULL, t.catalogue_id, t.id, c.id, t.asked_at FROM evaluation_taste t"
        " LEFT JOIN evaluation_contender c ON c.id = t.contender_id AND c.retired_at IS NULL"
        " WHERE t.player_id = ANY(%s)"
        " UNION ALL SELECT t.player_id, p.user_id, t.catalogue_id, t.id, c.id, t.asked_at"
        " FROM evaluation_player p JOIN evaluation_taste t ON t.player_id = p.id"
        " LEFT JOIN evaluation_contender c ON c.id = t.contender_id AND c.retired_at IS NULL"
        " WHERE p.user_id = ANY(%s) ORDER BY 6, 4",
        list(persons),
        users,
    )
    latest = {
        (("user", user) if user else persons[player], catalogue): (taste, contender)
        for player, user, catalogue, taste, contender, _ in rows
    }
    return {of: taste for of, (taste, contender) in latest.items() if contender is not None}
