"""Deals as a page shows them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from evaluation.models.statements import Row, Statement, execute
from evaluation.selectors.pictures import CANDIDATE, QUESTION, Picture, describe_picture


@dataclass(frozen=True)
class ShownDeal:
    """What leaves the server about a deal, and its pair, which does not."""

    pk: str
    place: int
    side: str
    pair: int
    question: Picture
    candidate: Picture


def show_deals(pks: Sequence[str]) -> dict[str, ShownDeal]:
    """These deals by id, with their pictures."""
    return gather_shown(execute(ask_shown(pks)))


def ask_shown(pks: Sequence[str]) -> Statement:
    """What asks for them, for who has more to say to the database in the same message."""
    return Statement(
        "SELECT d.id, d.place, d.side, d.pair_id,"
        " q.image_sha256, q.width, q.height, qa.value, c.image_sha256, c.width, c.height, ca.value"
        " FROM evaluation_deal d JOIN evaluation_pair p ON p.id = d.pair_id"
        " JOIN search_item q ON q.id = p.question_id LEFT JOIN search_attribute qa ON qa.id = q.category_id"
        " JOIN search_item c ON c.id = p.candidate_id LEFT JOIN search_attribute ca ON ca.id = c.category_id"
        " WHERE d.id = ANY(%s)",
        [list(pks)],
    )


def gather_shown(rows: Iterable[Row]) -> dict[str, ShownDeal]:
    """Of the rows that `ask_shown` gives."""
    deals = {}
    for pk, place, side, pair, *both in rows:
        question, candidate = describe_picture(QUESTION, *both[:4]), describe_picture(CANDIDATE, *both[4:])
        deals[pk] = ShownDeal(pk, place, side, pair, question, candidate)
    return deals
