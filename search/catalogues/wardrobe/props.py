"""The things that stand and lie about in a scene: furniture, plants, cups and papers."""

from collections.abc import Callable
from dataclasses import dataclass
from math import cos, sin

from PIL import ImageDraw

from .palette import Colour, darker, lighter, mix, tint
from .traits import Traits

_WORDS = (
    "brown",
    "white",
    "black",
    "red",
    "green",
    "blue",
    "yellow",
    "orange",
    "navy",
    "beige",
    "pink",
    "grey",
    "teal",
)


@dataclass(frozen=True)
class Prop:
    """One thing: where it is drawn, its name among the scene's chances, its foot, half width and colour."""

    traits: Traits
    draw: ImageDraw.ImageDraw
    name: str
    x: float
    y: float
    size: float
    colour: Colour


def thing_colour(traits: Traits, name: str, pale: float = 0.0) -> Colour:
    """A dull shade of any colour, whitened by `pale` (0..1)."""
    word = _WORDS[int(traits.own(f"{name} word", 0, len(_WORDS)))]
    shade = tint(traits, f"scene {word}", word)
    shade = mix(shade, (128, 124, 120), traits.own(f"{name} dull", 0.05, 0.4))
    return lighter(shade, pale)


def draw_plant(traits: Traits, name: str, draw: ImageDraw.ImageDraw, x: float, y: float, size: float) -> None:
    """A plant in a pot that stands at (x, y)."""
    top = y - size * 0.4
    pot = [(x - size * 0.22, top), (x + size * 0.22, top), (x + size * 0.16, y), (x - size * 0.16, y)]
    draw.polygon(pot, thing_colour(traits, f"{name} pot"))
    for n in range(9):
        angle = -3.0 + n * 0.36 + traits.own(f"{name} leaf {n}", -0.2, 0.2)
        reach = size * traits.own(f"{name} reach {n}", 0.6, 1.1)
        tip = (x + cos(angle) * reach, top + sin(angle) * reach)
        side = (-sin(angle) * size * 0.09, cos(angle) * size * 0.09)
        mx, my = (x + tip[0]) / 2, (top + tip[1]) / 2
        green = mix((70, 104, 62), (128, 150, 92), traits.own(f"{name} green {n}", 0, 1))
        draw.polygon([(x, top), (mx + side[0], my + side[1]), tip, (mx - side[0], my - side[1])], green)


def furnish(traits: Traits, draw: ImageDraw.ImageDraw, floor: float, width: float) -> None:
    """A few pieces of furniture against the wall of a room `width` wide."""
    for n in range(2 + int(traits.own("pieces", 0, 4))):
        name = f"piece {n}"
        kind = int(traits.own(f"{name} kind", 0, len(_FURNITURE)))
        x, size = traits.own(f"{name} x", 0, width), traits.own(f"{name} wide", 10, 30)
        _FURNITURE[kind](Prop(traits, draw, name, x, floor, size, thing_colour(traits, name)))


def litter(traits: Traits, draw: ImageDraw.ImageDraw, ground: Colour, width: float) -> None:
    """A few things that lie on a table `width` wide and high."""
    for n in range(3 + int(traits.own("things", 0, 5))):
        name = f"thing {n}"
        kind = int(traits.own(f"{name} kind", 0, len(_LITTER)))
        x, y = traits.own(f"{name} x", 0, width), traits.own(f"{name} y", 0, width)
        prop = Prop(traits, draw, name, x, y, traits.own(f"{name} size", 8, 22), thing_colour(traits, name))
        if kind < 2:
            _circle(draw, x + 3, y + 4, prop.size, darker(ground, 0.3))
        _LITTER[kind](prop)


def _circle(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float, colour: Colour) -> None:
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), colour)


def _chest(prop: Prop) -> None:
    draw, x, wide, colour = prop.draw, prop.x, prop.size, prop.colour
    high = prop.traits.own(f"{prop.name} high", 18, 50)
    draw.rectangle((x - wide, prop.y - high, x + wide, prop.y + 6), colour, darker(colour, 0.3), 1)
    for k in range(1, 4):
        y = prop.y - high + k * high / 4
        draw.line((x - wide, y, x + wide, y), darker(colour, 0.35), 1)


def _picture(prop: Prop) -> None:
    draw, x, wide, colour = prop.draw, prop.x, prop.size, prop.colour
    y = prop.traits.own(f"{prop.name} y", 8, 50)
    frame = (x - wide * 0.7, y, x + wide * 0.7, y + wide)
    draw.rectangle(frame, lighter(colour, 0.5), darker(colour, 0.4), 2)
    draw.ellipse((x - wide * 0.3, y + wide * 0.2, x + wide * 0.3, y + wide * 0.8), colour)


def _houseplant(prop: Prop) -> None:
    size = prop.traits.own(f"{prop.name} size", 30, 60)
    draw_plant(prop.traits, prop.name, prop.draw, prop.x, prop.y + 8, size)


def _lamp(prop: Prop) -> None:
    draw, x, y, colour = prop.draw, prop.x, prop.y, prop.colour
    draw.line((x, y + 5, x, y - 62), darker(colour, 0.4), 2)
    shade = [(x - 7, y - 78), (x + 7, y - 78), (x + 12, y - 60), (x - 12, y - 60)]
    draw.polygon(shade, lighter(colour, 0.5))


def _sofa(prop: Prop) -> None:
    draw, x, y, wide, colour = prop.draw, prop.x, prop.y, prop.size, prop.colour
    draw.rounded_rectangle((x - wide * 1.5, y - 26, x + wide * 1.5, y + 12), 6, colour)
    draw.rounded_rectangle((x - wide * 1.7, y - 12, x + wide * 1.7, y + 16), 6, darker(colour, 0.15))


def _window(prop: Prop) -> None:
    draw, x, wide, frame = prop.draw, prop.x, prop.size, lighter(prop.colour, 0.6)
    y = prop.traits.own(f"{prop.name} y", 6, 40)
    draw.rectangle((x - wide, y, x + wide, y + 46), (214, 228, 236), frame, 3)
    draw.line((x, y, x, y + 46), frame, 2)


def _books(prop: Prop) -> None:
    traits, draw, y = prop.traits, prop.draw, prop.y - 30
    for k in range(6):
        name, left = f"{prop.name} book {k}", prop.x + k * 4.5
        high = traits.own(name, 10, 18)
        draw.rectangle((left, y - high, left + 3.6, y), thing_colour(traits, name))
    draw.rectangle((prop.x - 4, y, prop.x + 34, y + 3), darker(prop.colour, 0.2))


def _cup(prop: Prop) -> None:
    _circle(prop.draw, prop.x, prop.y, prop.size, lighter(prop.colour, 0.5))
    _circle(prop.draw, prop.x, prop.y, prop.size * 0.7, mix(prop.colour, (84, 54, 36), 0.6))


def _ring(prop: Prop) -> None:
    x, y, size = prop.x, prop.y, prop.size
    prop.draw.ellipse((x - size, y - size, x + size, y + size), None, prop.colour, 3)


def _phone(prop: Prop) -> None:
    x, y, size, colour = prop.x, prop.y, prop.size, prop.colour
    box = (x - size * 0.6, y - size, x + size * 0.6, y + size)
    prop.draw.rounded_rectangle(box, 3, darker(colour, 0.4), lighter(colour, 0.3), 1)


def _potted(prop: Prop) -> None:
    draw_plant(prop.traits, prop.name, prop.draw, prop.x, prop.y, prop.size * 1.6)


def _paper(prop: Prop) -> None:
    x, y, size = prop.x, prop.y, prop.size
    lean = prop.traits.own(f"{prop.name} lean", -0.7, 0.7) * size
    sheet = [(x - size, y - size + lean), (x + size, y - size - lean), (x + size, y + size - lean),
             (x - size, y + size + lean)]  # fmt: skip
    prop.draw.polygon(sheet, lighter(prop.colour, 0.4), darker(prop.colour, 0.2))


_FURNITURE: tuple[Callable[[Prop], None], ...] = (
    _chest,
    _picture,
    _houseplant,
    _lamp,
    _sofa,
    _window,
    _books,
)
_LITTER: tuple[Callable[[Prop], None], ...] = (_cup, _ring, _phone, _potted, _paper)
