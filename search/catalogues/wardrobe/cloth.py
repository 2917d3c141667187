"""Cloth: a swatch of colour, pattern and texture that the outlines of a garment are cut from."""

from dataclasses import dataclass

from PIL import Image, ImageChops

from .materials import MATERIALS, texture
from .palette import Colour, accent, brightness, darker, lighter, mix, tint
from .patterns import PATTERNS, SWATCH
from .tiles import cut
from .traits import Traits


@dataclass(frozen=True)
class Cloth:
    """What a part is cut from. `swatch` is None for a flat colour; gloss and folds are in 0..1."""

    colour: Colour
    ink: Colour
    swatch: Image.Image | None = None
    gloss: float = 0.0
    folds: float = 0.0


@dataclass(frozen=True)
class Wardrobe:
    """The cloths of one item: the main one, a plain one for parts, trimmings, lining, metal, thread."""

    main: Cloth
    plain: Cloth
    trim: Cloth
    lining: Cloth
    metal: Cloth
    thread: Colour


def flat(colour: Colour, gloss: float = 0.0) -> Cloth:
    """A cloth without texture."""
    return Cloth(colour, ink_for(colour), None, gloss, 0.0)


def ink_for(colour: Colour) -> Colour:
    """The colour of outlines and seams on `colour`: darker, or a little lighter where it is nearly black."""
    return lighter(colour, 0.2) if brightness(colour) < 52 else darker(colour, 0.42)


def weave(
    traits: Traits, name: str, colour: Colour, material: str, pattern: str, accents: list[Colour]
) -> Cloth:
    """Cut a swatch: plain colour, then the pattern, then the texture of the material."""
    swatch = Image.new("RGB", (SWATCH, SWATCH), colour)
    if pattern in PATTERNS:
        PATTERNS[pattern](swatch, traits, accents)
    made_of = MATERIALS[material]
    tile = texture(material, traits.pick("coarseness", (0, 1, 2)))
    grey = cut(tile, traits, f"{name} texture", SWATCH, SWATCH)
    if brightness(colour) < 60:
        grey = grey.point([128 + (value - 128) * 7 // 10 for value in range(256)])
    swatch = ImageChops.add(swatch, Image.merge("RGB", (grey, grey, grey)), 1, -128)
    return Cloth(colour, ink_for(colour), swatch, made_of.gloss, made_of.folds)


def dress_up(traits: Traits, colour_word: str, material: str, pattern: str) -> Wardrobe:
    """The cloths for an item of these labels."""
    colour = tint(traits, "main", colour_word)
    accents = [_apart(accent(traits, f"accent {n}", colour_word), colour) for n in range(2)]
    main = weave(traits, "main", colour, material, pattern, accents)
    plain = main if pattern not in PATTERNS else weave(traits, "plain", colour, material, "plain", accents)
    if pattern != "plain" and traits.chance("trim in accent", 0.45):
        trim_colour = accents[0]
    elif traits.chance("contrast trim", 0.22):
        trim_colour = accents[1]
    else:
        trim_colour = mix(colour, ink_for(colour), traits.between("trim tone", 0.0, 0.3))
    made_of = MATERIALS[material]
    trim = Cloth(trim_colour, ink_for(trim_colour), None, made_of.gloss * 0.6, made_of.folds * 0.5)
    metal = traits.pick("metal", ((201, 169, 98), (188, 190, 194), (92, 88, 84), (178, 132, 88)))
    thread = traits.pick("thread", (ink_for(colour), ink_for(colour), accents[0], lighter(colour, 0.45)))
    inside = darker(mix(colour, (128, 120, 112), 0.2), 0.34)
    return Wardrobe(main, plain, trim, flat(inside), flat(metal, 0.5), thread)


def _apart(colour: Colour, base: Colour) -> Colour:
    """`colour`, pushed away from `base` where the two would not be told apart."""
    difference = sum(abs(a - b) for a, b in zip(colour, base, strict=True))
    if difference >= 110:
        return colour
    return lighter(colour, 0.5) if brightness(base) < 128 else darker(colour, 0.5)
