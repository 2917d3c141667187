"""The wardrobe's attributes, as composed search sees them."""

import numpy as np

from search.catalogues.wardrobe.attributes import KINDS
from search.catalogues.wardrobe.designs import make_design
from search.catalogues.wardrobe.palette import EVERYDAY
from search.engine.composed.relative_captions import DEFAULT_STYLE, describe_change, differences
from search.engine.composed.vocabulary import Attribute, Vocabulary

ATTRIBUTES = tuple(
    dict.fromkeys(
        [
            *(Attribute("kind", kind) for kind in KINDS),
            *(Attribute("colour", colour) for colour in EVERYDAY),
            *(
                Attribute(aspect, value)
                for aspects in KINDS.values()
                for aspect, values in aspects.items()
                for value in values
            ),
        ]
    )
)
VOCABULARY = Vocabulary(ATTRIBUTES)


def make_items(count, seed=0):
    """The attributes of the first items of a wardrobe."""
    return [
        tuple(Attribute(*label) for label in make_design(seed, number).labels.items())
        for number in range(count)
    ]


def make_captions(items, count, *, most=3, seed=0, style=DEFAULT_STYLE):
    """(places of reference and target (count, 2), captions): pairs of one kind that differ little."""
    draws, pairs, texts = np.random.default_rng(seed), [], []
    kinds = {}
    for place, item in enumerate(items):
        kinds.setdefault(item[0], []).append(place)
    while len(pairs) < count:
        reference = int(draws.integers(len(items)))
        alike = kinds[items[reference][0]]
        target = alike[int(draws.integers(len(alike)))]
        if 1 <= len(differences(items[reference], items[target])) <= most:
            pairs.append((reference, target))
            texts.append(describe_change(items[reference], items[target], VOCABULARY, draws, style))
    return np.array(pairs), texts
