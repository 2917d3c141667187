"""What the game counts for its operators. No label says anything about a pair or a contender (P2)."""

from collections.abc import Iterable
from functools import cache
from http import HTTPStatus

from prometheus_client import Counter, Gauge, Histogram

VOTES = Counter("dopeornope_votes", "Votes that came in, by the status of their answer.", ["status"])
DEALS = Counter("dopeornope_deals", "Deals handed out.")
BOX_WAITING = Gauge(
    "dopeornope_ballot_box_waiting",
    "Requests that wait for the transaction under way, when it began.",
    multiprocess_mode="livesum",
)
BOX_TOGETHER = Histogram(
    "dopeornope_ballot_box_together",
    "Requests that shared a transaction.",
    buckets=(1, 2, 5, 10, 20, 50, 100, 200),
)
BOX_SECONDS = Histogram(
    "dopeornope_ballot_box_seconds",
    "From the begin of a transaction to its commit, the retries of a failed one included.",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)
BOX_REFUSED = Counter("dopeornope_ballot_box_refused", "Requests refused because too many were waiting.")
SLATES = Counter("dopeornope_slates", "Slates that were chosen, by a worker or a web process.", ["ranker"])
SLATES_FALLEN_BACK = Counter(
    "dopeornope_slates_fallen_back", "Slates that no worker chose in time, so that a web process did."
)


def count_votes(statuses: Iterable[HTTPStatus]) -> None:
    """Count votes by what they were answered, after their commit."""
    for status in statuses:
        _votes_answered(status).inc()


@cache  # Finding a labelled counter costs more than raising it.
def _votes_answered(status: HTTPStatus) -> Counter:
    return VOTES.labels(str(int(status)))
