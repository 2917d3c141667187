"""What a terminal shows of agreement about slates."""

from collections.abc import Iterator

from rich.table import Table

from evaluation.management.judging import draw_curves, draw_table
from evaluation.services.slate_agreement import MeasuredPart, SlateTable
from evaluation.services.slate_parts import SlatePart
from evaluation.stats.intervals import Interval
from search.engine.bootstrap import Estimate


def draw_slates(table: SlateTable) -> Iterator[Table]:
    """On each part of the slates: simulated users, who said the same again, the best user's curves."""
    for measured in table.parts:
        yield _draw_users(measured)
        yield _draw_persons(measured.part)
        if measured.rows:
            yield draw_curves(measured.rows[0].agreement)


def _draw_users(measured: MeasuredPart) -> Table:
    part = measured.part
    drawn = draw_table(
        "space",
        "user",
        "the majority",
        "a person",
        "over people",
        "AC1",
        "alpha",
        title=(
            f"{len(part.questions):,} slates of {part.options} ({', '.join(part.sources)}), "
            f"{part.decided:,} with a majority, {part.answers:,} picks, {part.unsure:,} cannot tell"
        ),
        caption=(
            f"{_say_people(part)}; by chance {part.chance:.0%}. 95 % intervals over reference items; "
            "“over people”: each pick counts, and the interval is over people and items. Each slate counts "
            "with its options in every place, so that AC1 is agreement on a scale from chance to one"
        ),
    )
    for row in measured.rows:
        found = row.agreement
        drawn.add_row(
            found.space,
            row.user,
            _say(found.majority),
            _say(found.person),
            _say(found.by_people),
            f"{found.ac1:.2f}",
            f"{found.alpha:.2f}",
        )
    return drawn


def _say(found: Estimate | Interval | None) -> str:
    """A share with its interval in whole percent, so that three fit beside each other; blank for none."""
    if found is None:
        return ""
    mean = found.estimate if isinstance(found, Interval) else found.mean
    return f"{mean:.0%} ({100 * found.low:.0f} to {100 * found.high:.0f})"


def _say_people(part: SlatePart) -> str:
    people = part.people
    if people is None:
        return "no slate was picked from by two people, or none has a majority"
    return (
        f"two people agree {_say(people.agreement)}, over people and items "
        f"{_say(part.by_people)}, AC1 {people.ac1:.2f}, alpha {people.alpha:.2f}; a person with most "
        f"of the others {people.majority:.0%}"
    )


def _draw_persons(part: SlatePart) -> Table:
    drawn = draw_table("person", "answers", "asked again", "said the same", title="Asked the same again")
    for one in part.persons:
        drawn.add_row(one.person, f"{one.answers:,}", f"{one.repeats:,}", _say(one.interval))
    drawn.add_section()
    drawn.add_row("all", "", f"{sum(one.repeats for one in part.persons):,}", _say(part.again))
    return drawn
