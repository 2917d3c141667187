"""The attributes of a catalogue, and how they are said, found in a text by longest exact match."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from search.engine.composed.phrases import COMPARED, FILLERS, SCALES, SPOKEN, Scale
from search.engine.composed.tokens import Token, normalise, tokenise

KIND = "kind"  # the aspect that says what an item is
_SKIPPED = frozenset({"a", "an", "the", "any"})  # within a phrase: "without any sleeves"


@dataclass(frozen=True, order=True)
class Attribute:
    """One value of one aspect: what a node of the graph stands for."""

    aspect: str
    value: str

    def __str__(self) -> str:
        return f"{self.aspect}: {self.value}"


@dataclass(frozen=True, order=True)
class Comparative:
    """A move along a scale of an aspect: "longer" is ``more`` length."""

    aspect: str
    more: bool


Meaning = Attribute | Comparative


@dataclass
class _Node:
    """A place in the trie of tokens."""

    after: dict[str, _Node] = field(default_factory=dict)
    meanings: tuple[Meaning, ...] = ()


@dataclass(frozen=True)
class Match:
    """The longest phrase at a place: tokens ``first`` to ``last`` (excluded), and what it may mean."""

    first: int
    last: int
    meanings: tuple[Meaning, ...]


class Vocabulary:
    """``attributes`` in order, and the phrases by which they are known.

    An attribute is said by its value, or by its value and its aspect ("long sleeve"); one that ``spoken``
    lists is said as listed there, and by its value and aspect. A phrase that several attributes share means
    each of them, until the item it is said of decides.
    """

    def __init__(
        self,
        attributes: Iterable[Attribute],
        *,
        spoken: Mapping[tuple[str, str], Sequence[str]] = SPOKEN,
        compared: Mapping[tuple[str, bool], Sequence[str]] = COMPARED,
        scales: Mapping[str, Sequence[Scale]] = SCALES,
    ) -> None:
        self.attributes = tuple(dict.fromkeys(attributes))
        self._places = {attribute: place for place, attribute in enumerate(self.attributes)}
        self._scales = scales
        self._root = _Node()
        for attribute in self.attributes:
            for phrase in phrases_of(attribute, spoken):
                self._add(phrase, attribute)
        aspects = {attribute.aspect for attribute in self.attributes}
        for (aspect, more), phrases in compared.items():
            if aspect in aspects:
                for phrase in phrases:
                    self._add(phrase, Comparative(aspect, more))

    def __len__(self) -> int:
        return len(self.attributes)

    def __contains__(self, attribute: object) -> bool:
        return attribute in self._places

    def place(self, attribute: Attribute) -> int:
        """Its place in `attributes`. Raises KeyError."""
        return self._places[attribute]

    def match(self, tokens: Sequence[Token]) -> Iterator[Match]:
        """The phrases of a text from left to right, the longest at each place, none over a clause's end."""
        place = 0
        while place < len(tokens):
            found = self._longest(tokens, place)
            if found is not None:
                yield found
            place = place + 1 if found is None else found.last

    def moved(self, item: Collection[Attribute], comparative: Comparative) -> tuple[Attribute, ...]:
        """The attributes that lie beyond the item's own on a scale of its kind; perhaps none."""
        own = {attribute.value for attribute in item if attribute.aspect == comparative.aspect}
        kinds = {attribute.value for attribute in item if attribute.aspect == KIND}
        beyond: dict[Attribute, None] = {}
        for scale in self._scales_of(comparative.aspect, kinds):
            for value in own.intersection(scale.values):
                at = scale.values.index(value)
                values = scale.values[at + 1 :] if comparative.more else scale.values[:at]
                beyond |= dict.fromkeys(Attribute(comparative.aspect, value) for value in values)
        return tuple(attribute for attribute in beyond if attribute in self)

    def _scales_of(self, aspect: str, kinds: Collection[str]) -> list[Scale]:
        scales = self._scales.get(aspect, ())
        theirs = [scale for scale in scales if not set(kinds).isdisjoint(scale.kinds)]
        return theirs or [scale for scale in scales if not scale.kinds]

    def _longest(self, tokens: Sequence[Token], first: int) -> Match | None:
        node, best = self._root, None
        for place in range(first, len(tokens)):
            if place > first and tokens[place].begins:
                break
            word = tokens[place].word
            if word not in node.after:
                if node is not self._root and word in _SKIPPED:
                    continue
                break
            node = node.after[word]
            if node.meanings:
                best = Match(first, place + 1, node.meanings)
        return best

    def _add(self, phrase: str, meaning: Meaning) -> None:
        node = self._root
        for token in tokenise(phrase):
            node = node.after.setdefault(token.word, _Node())
        if node is not self._root and meaning not in node.meanings:
            node.meanings = (*node.meanings, meaning)


def phrases_of(
    attribute: Attribute, spoken: Mapping[tuple[str, str], Sequence[str]] = SPOKEN
) -> tuple[str, ...]:
    """How an attribute is said; the first is the plainest."""
    listed = spoken.get((attribute.aspect, attribute.value), (attribute.value,))
    named = attribute.value.endswith(attribute.aspect)  # "plain toe" is not said "plain toe toe"
    return tuple(
        dict.fromkeys([*listed, attribute.value if named else f"{attribute.value} {attribute.aspect}"])
    )


def is_filler(token: Token) -> bool:
    """Whether a word says nothing about an attribute, and is not told as unknown."""
    return token.word in _FILLERS


_FILLERS = frozenset(normalise(word) for word in FILLERS)
