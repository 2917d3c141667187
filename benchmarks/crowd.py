"""Fills an empty PostgreSQL database with a catalogue, its contenders and a crowd that has voted.

    DOPEORNOPE_DATABASE=postgresql://... python -m benchmarks.crowd VOTES [--recount]

Every vote is a row that spends a deal of a round of a player, and every count is what those rows say;
``--recount`` checks that with the product's own recount. Who answers what follows from hashes of row numbers,
so the same number of votes makes the same database. Indexes and constraints are made again after the rows.
"""

import argparse
import contextlib
import os
import time
from collections.abc import Iterator

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dopeornope.settings")
django.setup()

from django.core.management import call_command  # noqa: E402  # needs the apps
from django.db import connection, transaction  # noqa: E402

from evaluation.services.recount import find_differences  # noqa: E402
from evaluation.stats.evenness import UNIT  # noqa: E402
from search import events  # noqa: E402
from tests.factories import make_catalogue, make_contenders  # noqa: E402

ITEMS = 5000  # every third is a question
CONTENDERS = 12  # and the random control
CATEGORIES = [f"category {number:02}" for number in range(20)]
CANDIDATES = 6  # among which the contenders choose, for each question
VOTES_OF_A_PLAYER = 100
ROUND_SIZE = 20

# Dealt to one player are pairs a stride apart, so none comes twice; the stride is a prime that no number of
# pairs here is a multiple of. Uniform numbers come from `hashint8extended`.
PARAMETERS = {
    "size": ROUND_SIZE,
    "of_a_player": VOTES_OF_A_PLAYER,
    "rounds_of_a_player": VOTES_OF_A_PLAYER // ROUND_SIZE,
    "stride": 9787,
}
NUMBER_PAIRS = """
    CREATE TEMPORARY TABLE bench_pair AS
    SELECT pair.id, row_number() OVER (ORDER BY pair.id) - 1 AS number,
        avg(0.2 + 0.6 * (hashint8extended(credit.contender_id, 1) & 65535) / 65535.0)
        + 0.2 * (hashint8extended(pair.id, 2) & 65535) / 65535.0 - 0.1 AS approval
    FROM evaluation_pair pair JOIN evaluation_credit credit ON credit.pair_id = pair.id
    GROUP BY pair.id;
    ANALYZE bench_pair
"""
PLAYERS = """
    INSERT INTO evaluation_player (id, key, judged, created_at)
    OVERRIDING SYSTEM VALUE
    SELECT player, md5('player ' || player)::uuid, %(of_a_player)s, now() - interval '30 days'
    FROM generate_series(1, %(votes)s / %(of_a_player)s) player
"""
ROUNDS = """
    INSERT INTO evaluation_round (id, catalogue_id, player_id, holder, size, judged, created_at, revealed_at)
    SELECT md5('round ' || round), (SELECT id FROM search_catalogue), 1 + round / %(rounds_of_a_player)s,
        md5('holder ' || round), %(size)s, %(size)s, now() - interval '20 days', now() - interval '20 days'
    FROM generate_series(0, %(votes)s / %(size)s - 1) round
"""
DEALS = """
    INSERT INTO evaluation_deal (id, pair_id, round_id, player_id, place, side,
        policy, policy_version, propensity, issued_at, expires_at)
    SELECT md5('deal ' || vote), pair.id, md5('round ' || vote / %(size)s), 1 + vote / %(of_a_player)s,
        1 + vote %% %(size)s, CASE vote %% 2 WHEN 0 THEN 'question-first' ELSE 'candidate-first' END,
        'benchmark', '1', 1.0 / pairs.count, now() - interval '20 days', now() - interval '19 days'
    FROM (SELECT count(*) FROM bench_pair) pairs, generate_series(0, %(votes)s - 1) vote
    JOIN bench_pair pair ON pair.number =
        (vote / %(of_a_player)s * 7919::bigint + vote %% %(of_a_player)s * %(stride)s)
        %% (SELECT count(*) FROM bench_pair)
"""
VOTES = """
    INSERT INTO evaluation_vote (deal_id, answer, dwell_ms, modality, cast_at)
    SELECT deal.id,
        CASE WHEN chance < 0.04 THEN 'skip' WHEN chance < 0.04 + 0.96 * (approval + leniency) THEN 'dope'
        ELSE 'nope' END,
        500 + (hashtextextended(deal.id, 3) & 4095), 'drag', deal.issued_at
    FROM evaluation_deal deal JOIN bench_pair pair ON pair.id = deal.pair_id,
        LATERAL (SELECT (hashtextextended(deal.id, 4) & 65535) / 65535.0 AS chance,
            0.2 * (hashint8extended(deal.player_id, 5) & 65535) / 65535.0 - 0.1 AS leniency) drawn
"""
PAIRS_COUNTED = """
    UPDATE evaluation_pair pair SET dopes = counted.dopes, nopes = counted.nopes, skips = counted.skips
    FROM (
        SELECT deal.pair_id, count(*) FILTER (WHERE answer = 'dope') AS dopes,
            count(*) FILTER (WHERE answer = 'nope') AS nopes, count(*) FILTER (WHERE answer = 'skip') AS skips
        FROM evaluation_vote vote JOIN evaluation_deal deal ON deal.id = vote.deal_id GROUP BY 1
    ) counted WHERE counted.pair_id = pair.id
"""
TALLIES_COUNTED = f"""
    UPDATE evaluation_tally tally SET dopes = counted.dopes, nopes = counted.nopes, skips = counted.skips,
        pairs = counted.pairs, shares = counted.shares, inverses = counted.inverses
    FROM (
        SELECT contender_id, category_id, sum(dopes) AS dopes, sum(nopes) AS nopes, sum(skips) AS skips,
            count(*) FILTER (WHERE dopes + nopes > 0) AS pairs,
            coalesce(sum(dopes * {UNIT}::bigint / nullif(dopes + nopes, 0)), 0) AS shares,
            coalesce(sum({UNIT}::bigint / nullif(dopes + nopes, 0)), 0) AS inverses
        FROM evaluation_pair pair JOIN evaluation_credit credit ON credit.pair_id = pair.id GROUP BY 1, 2
    ) counted
    WHERE counted.contender_id = tally.contender_id AND counted.category_id = tally.category_id
"""
RATERS_COUNTED = """
    INSERT INTO evaluation_ratertally (contender_id, player_id, dopes, nopes)
    SELECT credit.contender_id, deal.player_id, count(*) FILTER (WHERE answer = 'dope'),
        count(*) FILTER (WHERE answer = 'nope')
    FROM evaluation_vote vote JOIN evaluation_deal deal ON deal.id = vote.deal_id
        JOIN evaluation_credit credit ON credit.pair_id = deal.pair_id
    WHERE answer <> 'skip' GROUP BY 1, 2
"""
MOMENTS = """
    SELECT contender_id, count(*) AS clusters, sum(dopes * dopes) AS dd,
        sum(dopes * (dopes + nopes)) AS dn, sum((dopes + nopes) * (dopes + nopes)) AS nn
    FROM ({rows}) one WHERE dopes + nopes > 0 GROUP BY 1
"""
SPREADS_COUNTED = f"""
    UPDATE evaluation_spread spread SET
        players = player.clusters, player_dd = player.dd, player_dn = player.dn, player_nn = player.nn,
        pairs = pair.clusters, pair_dd = pair.dd, pair_dn = pair.dn, pair_nn = pair.nn
    FROM ({MOMENTS.format(rows="SELECT contender_id, dopes, nopes FROM evaluation_ratertally")}) player,
        ({
    MOMENTS.format(
        rows="SELECT contender_id, dopes, nopes FROM evaluation_pair pair "
        "JOIN evaluation_credit credit ON credit.pair_id = pair.id"
    )
}) pair
    WHERE player.contender_id = spread.contender_id AND pair.contender_id = spread.contender_id
"""
STEPS = (
    NUMBER_PAIRS, PLAYERS, ROUNDS, DEALS, VOTES,
    PAIRS_COUNTED, TALLIES_COUNTED, RATERS_COUNTED, SPREADS_COUNTED,
)  # fmt: skip
FILLED = (
    "evaluation_player",
    "evaluation_round",
    "evaluation_deal",
    "evaluation_vote",
    "evaluation_ratertally",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("votes", type=int)
    parser.add_argument("--recount", action="store_true", help="compare all counts with the votes")
    options = parser.parse_args()
    call_command("migrate", verbosity=0)
    catalogue = make_catalogue(items=ITEMS, categories=CATEGORIES, evaluation_every=3, with_images=False)
    make_contenders(catalogue, count=CONTENDERS, choices=CANDIDATES)
    with transaction.atomic():
        fill(options.votes)
        events.bump("leaderboard")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    if options.recount:
        begin = time.monotonic()
        differences = find_differences()
        assert not differences, differences[:5]
        taken = time.monotonic() - begin
        print(f"{options.votes:,} votes counted again in {taken:.0f} s: every count is what they say.")


def fill(votes: int) -> None:
    """Players, rounds, deals, votes and all counts; the catalogue and its contenders are there."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
        cursor.execute("SET LOCAL work_mem = '256MB'")
        cursor.execute("SET LOCAL maintenance_work_mem = '1GB'")
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with _without_indexes():
            for step in STEPS:
                cursor.execute(step, PARAMETERS | {"votes": votes} if "%(" in step else None)


@contextlib.contextmanager
def _without_indexes() -> Iterator[None]:
    """Rows are stored and indexes then made several times faster than both together."""
    tables = list(FILLED)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname, conrelid::regclass::text, contype, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE contype IN ('p', 'u', 'f')"
            " AND (conrelid::regclass::text = ANY(%(tables)s) OR confrelid::regclass::text = ANY(%(tables)s))"
            " ORDER BY contype = 'f' DESC",
            {"tables": tables},
        )
        constraints = cursor.fetchall()
        for name, table, _, _ in constraints:
            cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
        cursor.execute("SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%s)", [tables])
        indexes = cursor.fetchall()
        for name, _ in indexes:
            cursor.execute(f'DROP INDEX "{name}"')
        yield
        for name, table, _, definition in reversed(constraints):
            cursor.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')
        for _, definition in indexes:
            cursor.execute(definition)


if __name__ == "__main__":
    main()
