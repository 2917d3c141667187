"""Words of a text, as a vocabulary compares them, and where they stand in it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_ENDS = frozenset(",;.!?:()\n")
_SIBILANTS = ("sses", "shes", "ches", "xes", "zzes")
_NO_PLURALS = ("ss", "us", "is")
_SHORTEST_PLURAL = 4


@dataclass(frozen=True)
class Token:
    """A word in its compared form; ``start`` and ``end`` are places in the text as it was written.

    ``begins`` says that a clause begins here: punctuation stands before it.
    """

    word: str
    start: int
    end: int
    begins: bool


def tokenise(text: str) -> list[Token]:
    """The words of ``text``: hyphens and slashes part them, case and plurals do not matter."""
    tokens, before = [], 0
    for found in _WORD.finditer(text):
        gap = text[before : found.start()]
        tokens.append(Token(normalise(found.group()), found.start(), found.end(), not _ENDS.isdisjoint(gap)))
        before = found.end()
    return tokens


def normalise(word: str) -> str:
    """A word without case, accents of typing (full-width letters, curly apostrophes) and plural ending."""
    return _singular(unicodedata.normalize("NFKC", word).casefold().replace("’", "'"))


def _singular(word: str) -> str:
    """English regular plurals only; the same word always becomes the same form, which is all that matters."""
    if len(word) < _SHORTEST_PLURAL or not word.endswith("s") or word.endswith(_NO_PLURALS):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(_SIBILANTS):
        return word[:-2]
    return word.removesuffix("'s") if word.endswith("'s") else word[:-1]
