"""What the parts of the search page are made from: an answer and what was asked, in the page's words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from django.urls import reverse

from search.forms.wishes import (
    FILTER,
    WEIGHT,
    Asked,
    Percents,
    find_shortest,
    round_area,
    write_area,
)
from search.models import Catalogue
from search.selectors.searches import PAGE, Answer, Engine, FilterChoice, ShownPhoto

CLOSEST: Final = 3  # shown where nothing is like the query
MOST_PARTS: Final = 3  # more boxes on a photo hide each other
NEARLY_EQUAL: Final = 0.8  # of two parts in common: nobody tells them apart
OVERALL: Final = "overall"
HEADINGS: Final = {
    "match": "This one, and what is near it",
    "similar": "The most similar ones",
    "nothing": "Closest, probably not it",
}
WHO_WEIGHED: Final = {
    "network": "The page chose these by looking at what you search with. Move one to make them your own.",
    "fixed": "The same for everybody, whatever is searched with. Move one to make them your own.",
}


def tell_photo(photo: ShownPhoto, asked: Asked) -> dict[str, Any]:
    """The photo with its proposals, the part that is searched with, and how long it is kept."""
    parts: list[Percents] = []
    across, down = find_shortest(photo.width, photo.height)
    for part in (round_area(area, (across, down)) for area in photo.areas):
        if all(_share(part, other) < NEARLY_EQUAL for other in parts):
            parts.append(part)
    return {
        "photo": photo,
        "areas": [write_area(part) for part in parts[:MOST_PARTS]],
        "area": asked.area,
        "region": write_area(asked.area) if asked.area else "",
        "shortest": {"across": across, "down": down},
        "furthest": {"across": 100 - across, "down": 100 - down},
    }


def _share(one: Percents, other: Percents) -> float:
    """What two parts have in common, of all that either covers: from 0 to 1."""
    (left, top, width, height), (x, y, wide, high) = one, other
    across = max(0, min(left + width, x + wide) - max(left, x))
    down = max(0, min(top + height, y + high) - max(top, y))
    return across * down / (width * height + wide * high - across * down)


def tell_filters(choices: Sequence[FilterChoice], asked: Asked) -> list[dict[str, Any]]:
    """Each aspect with its values, the most frequent ones first."""
    return [
        _tell_filter(choice, asked.filters.get(choice.aspect, ()))
        for choice in choices
        if len(choice.values) > 1 or asked.filters.get(choice.aspect)
    ]


def _tell_filter(choice: FilterChoice, chosen: Sequence[str]) -> dict[str, Any]:
    """A list shows one of the values that are chosen; ``others`` are to be sent along with it."""
    offered = [value for value, _ in choice.values]
    shown = next((value for value in chosen if value in offered), None)
    return {
        "name": FILTER + choice.aspect,
        "label": choice.aspect,
        "options": [
            {"value": value, "count": count, "chosen": value == shown} for value, count in choice.values
        ],
        "others": [value for value in chosen if value != shown],
    }


def tell_engines(engines: Sequence[Engine], asked: Asked) -> list[dict[str, Any]]:
    """All that answer what is asked, the site's own choice first."""
    able = [one for one in engines if asked.photo is None or one.takes_photos != "no"]
    rows = [(("" if one.is_default else f"{one.encoder}:{one.metric}"), one.title) for one in able]
    ordered = sorted(rows, key=lambda row: bool(row[0]))
    return [{"value": value, "title": title, "chosen": value == asked.engine} for value, title in ordered]


def tell_chips(asked: Asked, here: str) -> list[dict[str, str]]:
    """The filters that are set, each with the address of the same page without it."""
    return [
        {"label": f"{aspect}: {value}", "address": f"{here}?{asked.without_filter(aspect, value).query()}"}
        for aspect, values in asked.filters.items()
        for value in values
    ]


def tell_weights(answer: Answer, asked: Asked) -> dict[str, Any]:
    """The sliders; without aspects there is nothing to weigh, only the whole."""
    aspects = [one for one in answer.weights if one.aspect != OVERALL]
    rows = [
        {
            "name": WEIGHT + one.aspect,
            "label": "the overall look" if one.aspect == OVERALL else one.aspect,
            "value": round(100 * one.weight),
        }
        for one in answer.weights
    ]
    who = next((one.by for one in answer.weights if one.by != "person"), "fixed")
    return {
        "weights": rows if aspects else [],
        "is_weighed": any(one.weight > 0 for one in aspects),
        "no_aspects": not aspects,
        "weights_words": WHO_WEIGHED[who],
        "own": asked.weights is not None,
        "chosen_weights": json.dumps({row["name"]: row["value"] for row in rows}),
    }


def tell_answer(answer: Answer, asked: Asked, catalogue: Catalogue) -> dict[str, Any]:
    """What was found, as one page of a list; where nothing is like the query, the nearest few alone."""
    here = reverse("search-catalogue", args=[catalogue.slug])
    kind = answer.verdict.kind if answer.verdict else ""
    dimmed = kind == "nothing" and answer.page == 1 and not asked.everything
    candidates = answer.candidates[:CLOSEST] if dimmed else answer.candidates

    def address(page: int) -> str:
        return f"{here}?{replace(asked, page=page).query()}"

    return {
        "answer": answer,
        "candidates": candidates,
        "dimmed": dimmed,
        "is_match": kind == "match" and answer.page == 1,
        "heading": HEADINGS.get(kind, "The nearest"),
        "first": 1 + (answer.page - 1) * PAGE,
        "previous": address(answer.page - 1) if answer.page > 1 else "",
        "next": address(answer.page + 1) if answer.page < answer.pages and not dimmed else "",
        "all_of_them": f"{here}?{replace(asked, everything=True).query()}" if dimmed else "",
        "chips": tell_chips(asked, here),
        "said": _say(answer, dimmed=dimmed),
    }


def _say(answer: Answer, *, dimmed: bool) -> str:
    """What a screen reader is told when an answer arrives."""
    verdict = f"{answer.verdict.words} " if answer.verdict else ""
    if dimmed:
        return verdict
    return f"{verdict}{answer.total} found, page {answer.page} of {answer.pages}."
