"""The wardrobe's attributes, as composed search sees them."""

from search.catalogues.wardrobe.attributes import KINDS
from search.catalogues.wardrobe.designs import make_design
from search.catalogues.wardrobe.palette import EVERYDAY
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
