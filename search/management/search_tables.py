"""What `measure_search` found, as a person reads it."""

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


def _figures(row: AnswerRow) -> list[str]:
    shares = (row.top1, row.family, row.absent_accepted, row.other_accepted, row.accept, row.denied)
    return [f"{100 * share:.1f} %" for share in shares]
