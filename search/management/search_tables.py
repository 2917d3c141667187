"""What `measure_search` found, as a person reads it."""

from typing import Any

from rich.table import Table

from search.services.measuring_aspects import STATIC, AspectTable
from search.services.measuring_search import AnswerRow, SearchTable


def draw_answers(table: SearchTable) -> Table:
    index = table.index
    drawn = Table(
        title=f"{index.space.title}, {index.get_metric_display()}: photos of {index.space.items:,} items",
        caption=(
            "first: the first candidate is the item; group: of its group. Told “this is it”: absent, it "
            "being removed; another, of another item; accepted, of right first ones. Denied: “nothing like "
            f"it” of an item that is there. Seed {table.seed}; calibrated on {table.calibrated_on:,} other "
            f"photos, by {table.score}."
        ),
    )
    drawn.add_column("")
    for column in ("photos", "first", "group", "absent", "another", "accepted", "denied"):
        drawn.add_column(column, justify="right")
    for row in table.rows:
        drawn.add_row(row.category or "all", f"{row.queries:,}", *_figures(row))
    return drawn


def draw_aspects(table: AspectTable) -> Table:
    """Rates by who weighs and by what tells a query apart, and what looking at the query gains."""
    gain, names = table.gain, list(table.rates)
    drawn = Table(
        title=f"Weights of aspects: NDCG@10 of {table.queries:,} evaluation-only queries",
        caption=(
            f"Learned weights are {100 * gain.mean:+.1f} % ({100 * gain.low:+.1f} to {100 * gain.high:+.1f}) "
            f"above “{table.beaten}”, the highest of those that are the same for every query: "
            f"{', '.join(STATIC)}."
        ),
    )
    drawn.add_column("told apart by")
    for name in names:
        drawn.add_column(name, justify="right")
    drawn.add_row(
        "all", *(f"{one.mean:.3f} ({one.low:.3f} to {one.high:.3f})" for one in table.rates.values())
    )
    for aspect, rates in table.by_aspect.items():
        drawn.add_row(aspect, *(f"{rates[name]:.3f}" for name in names))
    return drawn


def say_waits(latency: dict[str, Any]) -> str:
    """How long people waited, one alone and many at once."""
    alone, at_once = latency["alone"], latency["at_once"]
    return (
        f"Photo in, page out, among {latency['items']:,} items: p50 {alone['p50']:.0f} ms, p95 "
        f"{alone['p95']:.0f} ms of {alone['searches']} searches by one person alone "
        f"({latency['processor_ms']:.0f} ms of a core); of {at_once['searches']} by {latency['people']} "
        f"people at once p50 {at_once['p50']:.0f} ms, p95 {at_once['p95']:.0f} ms, "
        f"{latency['times_alone']:.1f} times as long (fair share of two processes: "
        f"{latency['fair_share']:.0f} ms), {latency['errors']} without an answer."
    )


def _figures(row: AnswerRow) -> list[str]:
    shares = (row.top1, row.family, row.absent_accepted, row.other_accepted, row.accept, row.denied)
    return [f"{100 * share:.1f} %" for share in shares]
