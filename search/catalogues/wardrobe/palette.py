"""Colours: hand-picked anchors per colour word, and which words go together on one piece of cloth."""

from .traits import Traits

Colour = tuple[int, int, int]


def _hex(*codes: str) -> tuple[Colour, ...]:
    return tuple((int(code[:2], 16), int(code[2:4], 16), int(code[4:], 16)) for code in codes)


ANCHORS: dict[str, tuple[Colour, ...]] = {
    "black": _hex("1d1d1f", "27272b", "2a2726", "212427"),
    "grey": _hex("8b8d91", "74787d", "a7a9ac", "64686e", "b3b2b0"),
    "white": _hex("f5f3ee", "faf9f6", "f2f2f3", "f6f2ea"),
    "beige": _hex("d9c7a8", "cdb894", "dfd0b4", "c8b08b", "d6c0a0"),
    "brown": _hex("6b4a33", "7d5639", "573b2a", "8a5a3a", "65493a"),
    "red": _hex("b8322f", "c43d3d", "a32a32", "cb443a", "98262f"),
    "orange": _hex("d9772f", "e08a45", "cf6a28", "e3924a"),
    "yellow": _hex("e5b93c", "edc955", "dcae34", "efd56c"),
    "green": _hex("4f7a4c", "6d8f5a", "3c6650", "7b9465", "55703a", "2f5f44"),
    "teal": _hex("2f8285", "3b9296", "4f9f9e", "277074"),
    "blue": _hex("3f6fae", "5b8cc4", "7ba6d1", "3a62a0", "8cb2d8"),
    "navy": _hex("1f2c4d", "26365c", "1d2947", "2b3a62"),
    "purple": _hex("6d4c8c", "7f5d9e", "5c3f7a", "937ab4"),
    "pink": _hex("e3a3b0", "d98299", "edbcc4", "d0738f", "e8b1bb"),
}

EVERYDAY: dict[str, float] = {
    "black": 15, "white": 12, "grey": 10, "navy": 9, "blue": 11, "beige": 8, "brown": 7,
    "red": 7, "green": 7, "pink": 5, "teal": 3, "yellow": 3, "orange": 3, "purple": 3,
}  # fmt: skip
HIDES: dict[str, float] = {
    "black": 25, "brown": 24, "beige": 10, "white": 8, "grey": 6, "red": 8, "navy": 6, "green": 5,
    "blue": 4, "pink": 4, "orange": 2, "yellow": 2, "purple": 2, "teal": 2,
}  # fmt: skip
DYED_DENIM: dict[str, float] = {"blue": 42, "navy": 24, "black": 14, "grey": 9, "white": 7, "beige": 4}
STRAWS: dict[str, float] = {
    "beige": 45,
    "brown": 18,
    "white": 16,
    "black": 9,
    "navy": 4,
    "pink": 4,
    "green": 4,
}
FORESTS: dict[str, float] = {"green": 50, "brown": 14, "grey": 14, "beige": 12, "navy": 5, "blue": 5}

_DARK_FRIENDS = ("white", "beige", "grey", "red", "yellow", "pink", "blue", "orange", "teal")
_LIGHT_FRIENDS = ("navy", "black", "blue", "red", "green", "brown", "grey", "pink", "teal", "purple")
FRIENDS: dict[str, tuple[str, ...]] = {
    "black": _DARK_FRIENDS,
    "navy": ("white", "beige", "red", "blue", "pink", "yellow", "grey"),
    "brown": ("beige", "white", "orange", "blue", "pink", "black"),
    "grey": ("white", "black", "navy", "yellow", "red", "pink"),
    "white": _LIGHT_FRIENDS,
    "beige": ("brown", "white", "navy", "black", "red", "green", "teal"),
    "red": ("white", "navy", "beige", "black", "pink"),
    "orange": ("white", "brown", "navy", "beige", "teal"),
    "yellow": ("white", "navy", "grey", "black", "green", "brown"),
    "green": ("white", "beige", "navy", "yellow", "black", "pink"),
    "teal": ("white", "navy", "beige", "orange", "black"),
    "blue": ("white", "navy", "beige", "yellow", "red", "black"),
    "purple": ("white", "beige", "pink", "navy", "yellow", "black"),
    "pink": ("white", "red", "navy", "grey", "green", "purple"),
}


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """The colour `share` (0..1) of the way from `one` to `other`."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return (red, green, blue)


def darker(colour: Colour, share: float) -> Colour:
    """`colour` moved towards a warm black."""
    return mix(colour, (22, 18, 20), share)


def lighter(colour: Colour, share: float) -> Colour:
    """`colour` moved towards white."""
    return mix(colour, (255, 254, 250), share)


def brightness(colour: Colour) -> float:
    """Perceived brightness, 0..255 (Rec. 601 weights)."""
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]


def tint(traits: Traits, name: str, word: str) -> Colour:
    """A shade of the colour `word`: between two of its anchors, then moved a little in each channel."""
    anchors = ANCHORS[word]
    start = traits.pick(f"{name} anchor", anchors)
    end = traits.pick(f"{name} other anchor", anchors)
    colour = mix(start, end, traits.between(f"{name} blend", 0, 0.8))
    red, green, blue = (
        max(0, min(255, round(value + traits.between(f"{name} {channel}", -6, 6))))
        for channel, value in zip("rgb", colour, strict=True)
    )
    return (red, green, blue)


def accent(traits: Traits, name: str, word: str) -> Colour:
    """A shade that goes with the colour `word` and stands out from it."""
    return tint(traits, name, traits.pick(f"{name} word", FRIENDS[word]))
