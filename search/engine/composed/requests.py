"""What a request in words asks for: attributes wanted and unwanted, comparatives, and unknown words.

Nothing is guessed: a word that no phrase of the vocabulary has is told as unknown, and a text in which no
phrase is found, in whatever language, asks for nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from search.engine.composed.tokens import Token, normalise, tokenise
from search.engine.composed.vocabulary import Attribute, Comparative, Meaning, Vocabulary, is_filler
from search.engine.errors import EngineError

MOST_CHARACTERS = 500
MOST_WORDS = 80

_MARKUP = re.compile(r"<[/!?a-zA-Z]|&(?:#\d+|#x[0-9a-fA-F]+|[a-zA-Z]+);")
_PLAIN_SPACE = "\n\r\t"

# A cue turns what follows it in its clause into what is not wanted.
_NEGATIONS = (
    "no not without less never neither non isn't aren't doesn't don't wasn't hasn't won't can't "
    "shouldn't wouldn't lose drop remove replace swap"
)
_CUES = frozenset(normalise(word) for word in _NEGATIONS.split())
_CUES_OF_TWO = frozenset({("instead", "of"), ("rather", "than"), ("other", "than"), ("instead", "being")})
# A clause ends with punctuation or before one of these.
_CONNECTIVES = "and but with in is has have make to by for just only more instead"
_ENDERS = frozenset(normalise(word) for word in _CONNECTIVES.split())
_REPLACERS = frozenset({"replace", "swap"})  # "replace red with blue": "and" goes on, "with" ends
_TAKES_AND = _REPLACERS | {"without", "neither"}


class RequestRejected(EngineError):
    """A text that will not be read; `code` is empty, too-long, markup or control-characters."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Mention:
    """A phrase at text[start:end] and what it may mean; ``wanted`` is False where it is negated."""

    start: int
    end: int
    meanings: tuple[Meaning, ...]
    wanted: bool


@dataclass(frozen=True)
class Change:
    """A request as said of one item, each attribute once.

    ``kept`` are the item's own attributes of aspects that the request does not speak of.
    """

    wanted: tuple[Attribute, ...]
    unwanted: tuple[Attribute, ...]
    kept: tuple[Attribute, ...]


@dataclass(frozen=True)
class Reading:
    """What was found in ``text``; ``unknown`` are the spans of words that no phrase has."""

    text: str
    mentions: tuple[Mention, ...]
    unknown: tuple[tuple[int, int], ...]

    @property
    def says_nothing(self) -> bool:
        """Whether no attribute was found: there is nothing to change."""
        return not self.mentions

    @property
    def unknown_words(self) -> tuple[str, ...]:
        """The words as they were written."""
        return tuple(self.text[start:end] for start, end in self.unknown)

    @property
    def contradictions(self) -> tuple[Attribute, ...]:
        """Attributes that are wanted and unwanted at once: "red but not red"."""
        wanted, unwanted = (
            {meaning for mention in self.mentions if mention.wanted is side for meaning in mention.meanings}
            for side in (True, False)
        )
        return tuple(sorted(meaning for meaning in wanted & unwanted if isinstance(meaning, Attribute)))

    def of(self, item: Collection[Attribute], vocabulary: Vocabulary) -> Change:
        """What it means for an item with these attributes.

        A phrase of several meanings means those whose aspect the item has, or all where it has none of them;
        a comparative means every attribute beyond the item's own. What is contradicted is left out.
        """
        sides: dict[bool, dict[Attribute, None]] = {True: {}, False: {}}
        for mention in self.mentions:
            for meaning in _narrow(mention.meanings, item):
                if isinstance(meaning, Attribute):
                    sides[mention.wanted][meaning] = None
                else:
                    towards = Comparative(meaning.aspect, meaning.more is mention.wanted)
                    sides[True] |= dict.fromkeys(vocabulary.moved(item, towards))
        both = sides[True].keys() & sides[False].keys()
        wanted = tuple(attribute for attribute in sides[True] if attribute not in both)
        unwanted = tuple(attribute for attribute in sides[False] if attribute not in both)
        spoken_of = {attribute.aspect for attribute in wanted}
        kept = tuple(
            attribute for attribute in item if attribute.aspect not in spoken_of and attribute not in unwanted
        )
        return Change(wanted, unwanted, kept)


def read_request(text: str, vocabulary: Vocabulary) -> Reading:
    """Find attributes in a request. Raises RequestRejected for a text that is none."""
    check_text(text)
    tokens = tokenise(text)
    if not tokens:
        raise RequestRejected("empty", "There is no word in the request. Say what should change.")
    if len(tokens) > MOST_WORDS:
        raise RequestRejected(
            "too-long", f"The request has {len(tokens)} words; at most {MOST_WORDS} are read. Say less."
        )
    negated = _negated(tokens)
    mentions, known = [], set[int]()
    for match in vocabulary.match(tokens):
        known.update(range(match.first, match.last))
        span = tokens[match.first].start, tokens[match.last - 1].end
        mentions.append(Mention(*span, match.meanings, wanted=not negated[match.first]))
    unknown = tuple(
        (token.start, token.end)
        for place, token in enumerate(tokens)
        if place not in known and not is_filler(token)
    )
    return Reading(text, tuple(mentions), unknown)


def check_text(text: str) -> None:
    """Raises RequestRejected for a text that is empty, too long or no plain text."""
    if not text.strip():
        raise RequestRejected("empty", "The request is empty. Say what should change.")
    if len(text) > MOST_CHARACTERS:
        raise RequestRejected(
            "too-long",
            f"The request has {len(text):,} characters; at most {MOST_CHARACTERS} are read. Say less.",
        )
    if _MARKUP.search(text):
        raise RequestRejected("markup", "The request has markup in it. Use plain words.")
    if any(unicodedata.category(letter) in ("Cc", "Cs") and letter not in _PLAIN_SPACE for letter in text):
        raise RequestRejected(
            "control-characters", "The request has characters in it that cannot be seen. Use plain words."
        )


def _negated(tokens: Sequence[Token]) -> list[bool]:
    """Which tokens stand after a cue in its clause."""
    negated, cue = [], ""
    for place, token in enumerate(tokens):
        if token.begins or (token.word in _ENDERS and not (token.word == "and" and cue in _TAKES_AND)):
            cue = ""
        negated.append(bool(cue))
        before = tokens[place - 1].word if place else ""
        if token.word in _CUES:
            cue = token.word
        elif (before, token.word) in _CUES_OF_TWO:
            cue = before
    return negated


def _narrow(meanings: tuple[Meaning, ...], item: Collection[Attribute]) -> tuple[Meaning, ...]:
    aspects = {attribute.aspect for attribute in item}
    own = tuple(meaning for meaning in meanings if meaning.aspect in aspects)
    return own or meanings
