"""What players of a race are called: names of their own, and drawn ones for who does not mind."""

import re
import unicodedata
from collections.abc import Collection
from http import HTTPStatus
from typing import Final

import numpy as np

from evaluation.models.races import LONGEST_NAME
from evaluation.services.games import GameRefused

_COLOURS: Final = (
    *("Amber", "Azure", "Coral", "Cream", "Crimson", "Ivory", "Jade", "Lilac", "Lime"),
    *("Mauve", "Ochre", "Olive", "Plum", "Ruby", "Rust", "Sand", "Teal", "Violet"),
)
_THINGS: Final = (
    *("Apron", "Button", "Buckle", "Cuff", "Hem", "Hood", "Lace", "Mitten", "Needle"),
    *("Pocket", "Ribbon", "Scarf", "Sleeve", "Stitch", "Tassel", "Thimble", "Thread", "Zip"),
)
_MARKS: Final = " -_.'’"


def read_nickname(text: str) -> str:
    """A name as it was typed, without needless spaces; empty where none was. Raises GameRefused.

    Letters and digits of every script, and a few marks: nothing that turns the direction of what follows,
    nothing invisible.
    """
    name = re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text)).strip()
    if len(name) > LONGEST_NAME:
        raise _refuse(f"A name has {LONGEST_NAME} characters at most.")
    kinds = {unicodedata.category(one)[0] for one in name if one not in _MARKS}
    if not kinds <= set("LMN"):
        raise _refuse("A name has letters, digits, spaces, and any of - _ . ' only.")
    if name and not kinds & set("LN"):
        raise _refuse("A name needs a letter or a digit.")
    return name


def draw_nickname(taken: Collection[str], rng: np.random.Generator) -> str:
    """A neutral name that nobody in the race has."""
    names = [f"{colour} {thing}" for colour in _COLOURS for thing in _THINGS]
    used = {name.casefold() for name in taken}
    return str(rng.choice([name for name in names if name.casefold() not in used]))


def _refuse(message: str) -> GameRefused:
    return GameRefused(HTTPStatus.UNPROCESSABLE_ENTITY, message)
