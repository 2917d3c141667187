"""Relative captions made up: how a person might say what is different about another item.

A caption is made of the difference between two items' attributes alone, so it cannot name the item that is
meant. Its grammar varies as FashionIQ's captions do: other words, order, negation, comparatives, up to three
changes, and changes left unsaid. Some words are such as no vocabulary lists: whoever reads captions by a list
alone shall not understand them all.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from numpy.random import Generator

from search.engine.composed.phrases import COMPARED, SPOKEN
from search.engine.composed.requests import read_request
from search.engine.composed.vocabulary import KIND, Attribute, Comparative, Vocabulary, phrases_of

T = TypeVar("T")
Item = Collection[Attribute]

# What people also say, and the list of phrases does not have.
UNLISTED: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("colour", "black"): ("jet coloured", "ebony"),
    ("colour", "white"): ("snowy", "off-whitish"),
    ("colour", "grey"): ("ash toned", "greyish"),
    ("colour", "beige"): ("nude", "khaki"),
    ("colour", "brown"): ("coffee toned", "mocha"),
    ("colour", "red"): ("crimson", "burgundy"),
    ("colour", "orange"): ("peachy", "rust toned"),
    ("colour", "yellow"): ("mustard", "golden"),
    ("colour", "green"): ("olive", "mossy"),
    ("colour", "teal"): ("aqua", "cyan"),
    ("colour", "blue"): ("bluish", "azure"),
    ("colour", "navy"): ("midnight toned", "indigo"),
    ("colour", "purple"): ("lavender", "plum"),
    ("colour", "pink"): ("fuchsia", "salmon"),
    ("pattern", "plain"): ("simpler", "unadorned"),
    ("pattern", "floral"): ("botanical", "blossomy"),
    ("pattern", "leopard"): ("wild cat print",),
    ("pattern", "camouflage"): ("army style",),
    ("fit", "slim"): ("body hugging", "figure showing"),
    ("fit", "loose"): ("roomy", "flowy"),
    ("sleeve", "sleeveless"): ("bare armed", "tank style"),
    ("sleeve", "long"): ("arms covered",),
    ("material", "leather"): ("biker like",),
    ("material", "satin"): ("shiny", "glossy"),
    ("closure", "belt"): ("cinched",),
    ("heel", "flat"): ("heel free",),
}

# What a thing has, or is with; everything else it is, or is in.
_THINGS = (
    "sleeve sleeves stripes dots spots flowers print neck neckline collar buttons button zip zipper belt "
    "laces shoelaces straps strap toe heel brim hood lapel peak visor diamonds waist cap chain handle "
    "handles flap clasp buckle drawstring check crown"
)
_NOUNS = frozenset(_THINGS.split())
_MATTERS = frozenset({"colour", "material", "pattern"})  # "in black", "in leather"
_OPENINGS = ("the same but ", "same style, ", "similar but ", "the same, ", "like this but ")
_TRIES = 6


@dataclass(frozen=True)
class Style:
    """How often a caption leaves a change unsaid, and says one by a negation, a comparative, an odd word."""

    most: int = 3
    unsaid: float = 0.4
    negated: float = 0.12
    compared: float = 0.5
    unlisted: float = 0.1
    opened: float = 0.1


DEFAULT_STYLE = Style()


@dataclass(frozen=True)
class Clause:
    """One change said: ``words``, and what may stand before them."""

    words: str
    leads: tuple[str, ...]


def differences(reference: Item, target: Item) -> list[tuple[Attribute | None, Attribute | None]]:
    """Aspects whose values differ, as (the reference's, the target's); None where one does not have it."""
    old = {attribute.aspect: attribute for attribute in reference}
    new = {attribute.aspect: attribute for attribute in target}
    return [
        (old.get(aspect), new.get(aspect)) for aspect in {**old, **new} if old.get(aspect) != new.get(aspect)
    ]


def describe_change(
    reference: Item, target: Item, vocabulary: Vocabulary, draws: Generator, style: Style = DEFAULT_STYLE
) -> str:
    """A caption that leads from one item to the other. Raises ValueError where nothing differs."""
    changes = differences(reference, target)
    if not changes:
        raise ValueError("These items have the same attributes: there is no change to describe.")
    said = [change for change in changes if draws.random() >= style.unsaid]
    said = said or [changes[int(draws.integers(len(changes)))]]
    order = draws.permutation(len(said))[: style.most]
    clauses = [_say(said[place], reference, target, vocabulary, draws, style) for place in order]
    text = _join(clauses, draws)
    return f"{_pick(_OPENINGS, draws)}{text}" if draws.random() < style.opened else text


def _say(
    change: tuple[Attribute | None, Attribute | None],
    reference: Item,
    target: Item,
    vocabulary: Vocabulary,
    draws: Generator,
    style: Style,
) -> Clause:
    """One change in words that the target satisfies, tried until a reader would not take them otherwise."""
    for _ in range(_TRIES):
        clause = _try(change, reference, vocabulary, draws, style)
        if _holds(clause, reference, target, vocabulary):
            return clause
    old, new = change
    plain = new or old
    assert plain is not None
    return _clause(f"{'' if new else 'not '}{phrases_of(plain)[-1]}", plain.aspect)


def _try(
    change: tuple[Attribute | None, Attribute | None],
    reference: Item,
    vocabulary: Vocabulary,
    draws: Generator,
    style: Style,
) -> Clause:
    old, new = change
    compared = _comparative(old, new, reference, vocabulary)
    if compared is not None and draws.random() < style.compared:
        return _clause(_pick(COMPARED[compared.aspect, compared.more], draws), "")
    if old is not None and (new is None or draws.random() < style.negated):
        return _negate(old, draws)
    assert new is not None
    return _affirm(old, new, draws, style)


def _comparative(
    old: Attribute | None, new: Attribute | None, reference: Item, vocabulary: Vocabulary
) -> Comparative | None:
    if old is None or new is None:
        return None
    for more in (True, False):
        move = Comparative(old.aspect, more)
        if (move.aspect, more) in COMPARED and new in vocabulary.moved(reference, move):
            return move
    return None


def _affirm(old: Attribute | None, new: Attribute, draws: Generator, style: Style) -> Clause:
    unlisted = UNLISTED.get((new.aspect, new.value))
    if unlisted and draws.random() < style.unlisted:
        return _clause(_pick(unlisted, draws), "")
    words = _phrase(new, draws)
    if old is not None and draws.random() < style.negated / 2:
        plain = [phrase for phrase in _phrases(old) if not phrase.startswith(("no ", "without "))]
        words = f"{words} instead of {_pick(plain, draws)}"
    return _clause(words, new.aspect)


def _negate(old: Attribute, draws: Generator) -> Clause:
    words = _phrase(old, draws)
    if words.rsplit(" ", 1)[-1] in _NOUNS:
        return _clause(f"{_pick(('no', 'without'), draws)} {words}", old.aspect)
    return Clause(f"{_pick(('not', 'not', 'less'), draws)} {words}", ("", "is "))


def _phrase(attribute: Attribute, draws: Generator) -> str:
    return _pick(_phrases(attribute), draws)


def _phrases(attribute: Attribute) -> tuple[str, ...]:
    return SPOKEN.get((attribute.aspect, attribute.value)) or phrases_of(attribute)


def _clause(words: str, aspect: str) -> Clause:
    first, last = words.split(" ", 1)[0], words.split(" instead of ")[0].rsplit(" ", 1)[-1]
    if first in ("no", "without"):
        return Clause(words, ("", "has " if first == "no" else "is "))
    if last in _NOUNS:
        article = "" if first in ("more", "less") or last.endswith("s") else _article(words)
        return Clause(words, tuple(f"{lead}{article}" for lead in ("has ", "with ", "")))
    if aspect == KIND:
        return Clause(words, (f"is {_article(words)}", _article(words), ""))
    return Clause(words, ("is ", "is ", "", "in ") if aspect in _MATTERS else ("is ", "is ", ""))


def _article(words: str) -> str:
    return "an " if words[0] in "aeio" else "a "


def _holds(clause: Clause, reference: Item, target: Item, vocabulary: Vocabulary) -> bool:
    """Whether a reader who knows the vocabulary takes nothing from the clause that is wrong of the target."""
    reading = read_request(clause.words, vocabulary)
    change = reading.of(reference, vocabulary)
    wanted = {attribute.aspect for attribute in change.wanted}
    met = {attribute.aspect for attribute in change.wanted if attribute in target}
    return wanted == met and not set(change.unwanted) & set(target)


def _join(clauses: Sequence[Clause], draws: Generator) -> str:
    text, before = "", ""
    for clause in clauses:
        links = (", ", " but ") if "without" in before else (" and ", " and ", " and ", ", ", " but ")
        link = _pick(links, draws) if text else ""
        lead = _pick(clause.leads, draws)
        repeated = lead == "is " and before.startswith("is ")  # "is black and longer"
        before = f"{lead}{clause.words}"
        text += f"{link}{clause.words if repeated else before}"
    return text


def _pick(options: Sequence[T], draws: Generator) -> T:
    return options[int(draws.integers(len(options)))]
