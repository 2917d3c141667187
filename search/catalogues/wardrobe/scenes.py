"""Backgrounds for lifestyle views: rooms, tables, rails, streets and gardens, with things standing about.

They are drawn at half size and enlarged, which also puts them a little out of focus.
"""

from collections.abc import Callable
from math import cos, sin

from PIL import Image, ImageDraw

from .palette import Colour, darker, lighter, mix, tint
from .tiles import cut, smooth_noise
from .traits import Traits

HALF = 160

_WALLS = ("white", "beige", "grey", "beige", "blue", "green", "pink", "teal", "white", "yellow")
_THINGS = (
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


def draw_scene(traits: Traits) -> Image.Image:
    """A cluttered background, RGB, HALF x HALF pixels."""
    place = traits.own("scene", 0, len(_SCENES))
    picture = Image.new("RGB", (HALF, HALF), (200, 196, 190))
    _SCENES[int(place)](traits, ImageDraw.Draw(picture))
    return picture


def _thing(traits: Traits, name: str, pale: float = 0.0) -> Colour:
    word = _THINGS[int(traits.own(f"{name} word", 0, len(_THINGS)))]
    shade = tint(traits, f"scene {word}", word)
    shade = mix(shade, (128, 124, 120), traits.own(f"{name} dull", 0.05, 0.4))
    return lighter(shade, pale)


def _wall(traits: Traits, name: str = "wall") -> Colour:
    word = _WALLS[int(traits.own(f"{name} word", 0, len(_WALLS)))]
    shade = tint(traits, f"scene {word}", word)
    return mix(lighter(shade, 0.25), (150, 146, 140), traits.own(f"{name} dull", 0.05, 0.45))


def _floor(traits: Traits, draw: ImageDraw.ImageDraw, top: float) -> None:
    """Boards or tiles that run to the back, or a carpet."""
    colour = mix(_thing(traits, "floor", 0.15), (150, 112, 78), traits.own("floor wood", 0.2, 0.9))
    draw.rectangle((0, top, HALF, HALF), colour)
    line = darker(colour, 0.22)
    style = int(traits.own("floor style", 0, 3))
    centre = traits.own("floor centre", 20, 140)
    if style < 2:
        for n in range(-9, 19):
            x = n * traits.own("board", 9, 17)
            draw.line((x, top, centre + (x - centre) * 2.6, HALF), line, 1)
    if style == 1:
        for n in range(1, 7):
            y = top + (HALF - top) * (n / 7) ** 1.7
            draw.line((0, y, HALF, y), line, 1)
    if style == 2 or traits.own("rug", 0, 1) < 0.35:
        x, wide = traits.own("rug x", 20, 140), traits.own("rug wide", 30, 80)
        rug = _thing(traits, "rug", 0.15)
        draw.ellipse((x - wide, top + 12, x + wide, top + 12 + wide * 0.6), rug, darker(rug, 0.3), 3)


def _leafage(traits: Traits, name: str, draw: ImageDraw.ImageDraw, x: float, y: float, size: float) -> None:
    """A plant in a pot that stands at (x, y)."""
    pot = _thing(traits, f"{name} pot")
    draw.polygon(
        [
            (x - size * 0.22, y - size * 0.4),
            (x + size * 0.22, y - size * 0.4),
            (x + size * 0.16, y),
            (x - size * 0.16, y),
        ],
        pot,
    )
    for n in range(9):
        angle = -3.0 + n * 0.36 + traits.own(f"{name} leaf {n}", -0.2, 0.2)
        reach = size * traits.own(f"{name} reach {n}", 0.6, 1.1)
        tip = (x + cos(angle) * reach, y - size * 0.4 + sin(angle) * reach)
        side = (-sin(angle) * size * 0.09, cos(angle) * size * 0.09)
        middle = ((x + tip[0]) / 2, (y - size * 0.4 + tip[1]) / 2)
        green = mix((70, 104, 62), (128, 150, 92), traits.own(f"{name} green {n}", 0, 1))
        draw.polygon(
            [
                (x, y - size * 0.4),
                (middle[0] + side[0], middle[1] + side[1]),
                tip,
                (middle[0] - side[0], middle[1] - side[1]),
            ],
            green,
        )


def _furnish(traits: Traits, draw: ImageDraw.ImageDraw, floor: float) -> None:
    """A few pieces of furniture against the wall."""
    for n in range(2 + int(traits.own("pieces", 0, 4))):
        name = f"piece {n}"
        x, colour = traits.own(f"{name} x", 0, HALF), _thing(traits, name)
        kind = int(traits.own(f"{name} kind", 0, 7))
        wide = traits.own(f"{name} wide", 10, 30)
        if kind == 0:
            high = traits.own(f"{name} high", 18, 50)
            draw.rectangle((x - wide, floor - high, x + wide, floor + 6), colour, darker(colour, 0.3), 1)
            for k in range(1, 4):
                y = floor - high + k * high / 4
                draw.line((x - wide, y, x + wide, y), darker(colour, 0.35), 1)
        elif kind == 1:
            y = traits.own(f"{name} y", 8, 50)
            draw.rectangle(
                (x - wide * 0.7, y, x + wide * 0.7, y + wide), lighter(colour, 0.5), darker(colour, 0.4), 2
            )
            draw.ellipse((x - wide * 0.3, y + wide * 0.2, x + wide * 0.3, y + wide * 0.8), colour)
        elif kind == 2:
            _leafage(traits, name, draw, x, floor + 8, traits.own(f"{name} size", 30, 60))
        elif kind == 3:
            draw.line((x, floor + 5, x, floor - 62), darker(colour, 0.4), 2)
            draw.polygon(
                [(x - 7, floor - 78), (x + 7, floor - 78), (x + 12, floor - 60), (x - 12, floor - 60)],
                lighter(colour, 0.5),
            )
        elif kind == 4:
            draw.rounded_rectangle((x - wide * 1.5, floor - 26, x + wide * 1.5, floor + 12), 6, colour)
            draw.rounded_rectangle(
                (x - wide * 1.7, floor - 12, x + wide * 1.7, floor + 16), 6, darker(colour, 0.15)
            )
        elif kind == 5:
            y = traits.own(f"{name} y", 6, 40)
            draw.rectangle((x - wide, y, x + wide, y + 46), (214, 228, 236), lighter(colour, 0.6), 3)
            draw.line((x, y, x, y + 46), lighter(colour, 0.6), 2)
        else:
            for k in range(6):
                left = x + k * 4.5
                high = traits.own(f"{name} book {k}", 10, 18)
                draw.rectangle(
                    (left, floor - 30 - high, left + 3.6, floor - 30), _thing(traits, f"{name} book {k}")
                )
            draw.rectangle((x - 4, floor - 30, x + 34, floor - 27), darker(colour, 0.2))


def _room(traits: Traits, draw: ImageDraw.ImageDraw) -> None:
    wall = _wall(traits)
    floor = traits.own("floor top", 84, 136)
    draw.rectangle((0, 0, HALF, HALF), wall)
    if traits.own("wallpaper", 0, 1) < 0.35:
        step = traits.own("wallpaper step", 7, 18)
        for n in range(int(HALF / step) + 1):
            draw.line((n * step, 0, n * step, floor), darker(wall, 0.1), 1 + int(step) // 5)
    _floor(traits, draw, floor)
    draw.rectangle((0, floor - 3, HALF, floor), lighter(wall, 0.4))
    _furnish(traits, draw, floor)


def _table(traits: Traits, draw: ImageDraw.ImageDraw) -> None:
    """Things lying around on boards, stone or cloth, seen from above."""
    base = mix(_thing(traits, "table", 0.2), (170, 134, 98), traits.own("table wood", 0.0, 0.9))
    draw.rectangle((0, 0, HALF, HALF), base)
    if traits.own("boards", 0, 1) < 0.6:
        step = traits.own("board", 16, 40)
        for n in range(int(HALF / step) + 2):
            x = n * step + traits.own("board shift", -16, 0)
            draw.rectangle(
                (x, 0, x + step, HALF), mix(base, darker(base, 0.25), traits.own(f"board {n}", 0, 0.7))
            )
            draw.line((x, 0, x, HALF), darker(base, 0.4), 1)
    for n in range(3 + int(traits.own("things", 0, 5))):
        name = f"thing {n}"
        x, y = traits.own(f"{name} x", 0, HALF), traits.own(f"{name} y", 0, HALF)
        colour, size = _thing(traits, name), traits.own(f"{name} size", 8, 22)
        kind = int(traits.own(f"{name} kind", 0, 5))
        draw.ellipse(
            (x - size + 3, y - size + 4, x + size + 3, y + size + 4), darker(base, 0.3)
        ) if kind < 2 else None
        if kind == 0:
            draw.ellipse((x - size, y - size, x + size, y + size), lighter(colour, 0.5))
            draw.ellipse(
                (x - size * 0.7, y - size * 0.7, x + size * 0.7, y + size * 0.7),
                mix(colour, (84, 54, 36), 0.6),
            )
        elif kind == 1:
            draw.ellipse((x - size, y - size, x + size, y + size), None, colour, 3)
        elif kind == 2:
            draw.rounded_rectangle(
                (x - size * 0.6, y - size, x + size * 0.6, y + size),
                3,
                darker(colour, 0.4),
                lighter(colour, 0.3),
                1,
            )
        elif kind == 3:
            _leafage(traits, name, draw, x, y, size * 1.6)
        else:
            lean = traits.own(f"{name} lean", -0.7, 0.7) * size
            draw.polygon(
                [
                    (x - size, y - size + lean),
                    (x + size, y - size - lean),
                    (x + size, y + size - lean),
                    (x - size, y + size + lean),
                ],
                lighter(colour, 0.4),
                darker(colour, 0.2),
            )


def _rail(traits: Traits, draw: ImageDraw.ImageDraw) -> None:
    """Other clothes on hangers along a rail."""
    wall = _wall(traits)
    draw.rectangle((0, 0, HALF, HALF), wall)
    _floor(traits, draw, traits.own("floor top", 128, 150))
    y = traits.own("rail", 8, 30)
    draw.line((0, y, HALF, y + traits.own("rail slope", -4, 4)), (70, 66, 66), 2)
    x = traits.own("first hanger", -8, 8)
    for n in range(16):
        name = f"hanger {n}"
        colour = _thing(traits, name)
        wide, long = traits.own(f"{name} wide", 9, 17), traits.own(f"{name} long", 60, 112)
        draw.line((x, y, x, y + 6), (90, 84, 80), 1)
        outline = [
            (x - wide * 0.2, y + 6),
            (x + wide * 0.2, y + 6),
            (x + wide * 0.8, y + 12),
            (x + wide, y + long),
            (x - wide, y + long),
            (x - wide * 0.8, y + 12),
        ]
        draw.polygon(outline, colour, darker(colour, 0.3))
        if traits.own(f"{name} stripes", 0, 1) < 0.3:
            for k in range(5):
                draw.line(
                    (x - wide * 0.9, y + 20 + k * long / 6, x + wide * 0.9, y + 20 + k * long / 6),
                    lighter(colour, 0.5),
                    2,
                )
        x += traits.own(f"{name} step", 7, 18)


def _street(traits: Traits, draw: ImageDraw.ImageDraw) -> None:
    """House fronts, sky, trees and pavement."""
    sky = mix((188, 208, 224), (236, 214, 190), traits.own("sky", 0, 1))
    draw.rectangle((0, 0, HALF, HALF), sky)
    ground = traits.own("ground", 96, 138)
    x = -10.0
    for n in range(7):
        wide, high = traits.own(f"house {n} wide", 18, 46), traits.own(f"house {n} high", 40, 120)
        colour = _thing(traits, f"house {n}", 0.25)
        draw.rectangle((x, ground - high, x + wide, ground), colour)
        step = traits.own(f"house {n} step", 9, 15)
        for row in range(int(high / step)):
            for column in range(int(wide / 10)):
                left, top = x + 3 + column * 10, ground - high + 4 + row * step
                draw.rectangle(
                    (left, top, left + 5, top + step * 0.55),
                    mix(darker(colour, 0.45), sky, traits.own(f"pane {n} {row} {column}", 0, 0.5)),
                )
        x += wide
    pave = mix((150, 146, 142), _thing(traits, "pave"), 0.2)
    draw.rectangle((0, ground, HALF, HALF), pave)
    for n in range(-6, 14):
        draw.line((n * 16, ground, 80 + (n * 16 - 80) * 3, HALF), darker(pave, 0.15), 1)
    for n in range(int(traits.own("trees", 0, 4))):
        tx, size = traits.own(f"tree {n}", 0, HALF), traits.own(f"tree {n} size", 16, 34)
        draw.line((tx, ground + 4, tx, ground - size * 1.6), (92, 70, 54), 4)
        green = mix((82, 112, 70), (150, 150, 84), traits.own(f"tree {n} green", 0, 1))
        draw.ellipse((tx - size, ground - size * 2.8, tx + size, ground - size), green)


def _garden(traits: Traits, draw: ImageDraw.ImageDraw) -> None:
    """Blotches of green or sand under a pale sky, bushes and flowers."""
    field = mix((118, 142, 84), (206, 184, 142), traits.own("field", 0, 1))
    horizon = traits.own("horizon", 20, 100)
    draw.rectangle((0, 0, HALF, horizon), mix((196, 216, 228), (240, 226, 204), traits.own("sky", 0, 1)))
    draw.rectangle((0, horizon, HALF, HALF), field)
    for n in range(14):
        x, size = traits.own(f"bush {n} x", -5, 165), traits.own(f"bush {n} size", 8, 26)
        y = traits.own(f"bush {n} y", horizon - 6, 150)
        green = mix((64, 96, 58), (158, 168, 96), traits.own(f"bush {n} green", 0, 1))
        draw.ellipse((x - size, y - size * 0.6, x + size, y + size * 0.6), mix(green, field, 0.25))
    for n in range(26):
        x, y = traits.own(f"bloom {n} x", 0, HALF), traits.own(f"bloom {n} y", horizon, HALF)
        draw.ellipse((x - 2, y - 2, x + 2, y + 2), _thing(traits, f"bloom {n % 4}", 0.3))


_SCENES: tuple[Callable[[Traits, ImageDraw.ImageDraw], None], ...] = (
    _room,
    _room,
    _table,
    _table,
    _rail,
    _street,
    _garden,
)


def draw_foreground(traits: Traits) -> tuple[Image.Image, Image.Image]:
    """Something close to the camera that hides a part of the view: (RGB, its coverage L), HALF x HALF pixels."""
    picture = Image.new("RGB", (HALF, HALF), _thing(traits, "close"))
    coverage = Image.new("L", (HALF, HALF), 0)
    colour_draw, draw = ImageDraw.Draw(picture), ImageDraw.Draw(coverage)
    style = int(traits.own("close kind", 0, 5))
    side = -1 if traits.own("close side", 0, 1) < 0.5 else 1
    edge = 80 + side * traits.own("close edge", 44, 66)
    if style == 0:
        for n in range(6):
            y, long = traits.own(f"close y {n}", 0, HALF), traits.own(f"close long {n}", 24, 58)
            tip = (80 + side * (80 - long), y + traits.own(f"close tip {n}", -24, 24))
            leaf = [
                (80 + side * 84, y - 8),
                (80 + side * (80 - long * 0.5), y - 11),
                tip,
                (80 + side * (80 - long * 0.4), y + 9),
                (80 + side * 84, y + 8),
            ]
            draw.polygon(leaf, 255)
            colour_draw.polygon(leaf, mix((64, 98, 60), (130, 150, 88), traits.own(f"close green {n}", 0, 1)))
    elif style == 1:
        lean = traits.own("close lean", -26, 26)
        wide = traits.own("close wide", 5, 15)
        x = 80 + side * traits.own("close bar", 12, 44)
        draw.polygon([(x - wide, 0), (x + wide, 0), (x + wide + lean, HALF), (x - wide + lean, HALF)], 255)
    elif style == 2:
        bulge = traits.own("close bulge", -16, 16)
        draw.polygon(
            [
                (edge, 0),
                (edge - side * bulge, 60),
                (edge + side * bulge, 120),
                (edge, HALF),
                (80 + side * 84, HALF),
                (80 + side * 84, 0),
            ],
            255,
        )
    elif style == 3:
        top = traits.own("close top", 112, 136)
        drop = traits.own("close drop", -12, 12)
        draw.polygon([(0, top), (HALF, top + drop), (HALF, HALF), (0, HALF)], 255)
        colour_draw.line((0, top + 3, HALF, top + drop + 3), lighter(_thing(traits, "close"), 0.3), 3)
    else:
        skin = mix((120, 80, 60), (238, 202, 178), traits.own("skin", 0, 1))
        picture.paste(skin, (0, 0, HALF, HALF))
        x, y = 80 + side * traits.own("hand x", 16, 44), traits.own("hand y", 40, 110)
        draw.line((x, y, 80 + side * 92, y + traits.own("arm", 10, 50)), 255, 17)
        for n in range(4):
            draw.line((x, y + n * 5.4 - 8, x - side * 14, y + n * 5.4 - 11), 255, 5)
        draw.ellipse((x - 10, y - 11, x + 10, y + 11), 255)
    grit = cut(smooth_noise(16, 34, 61), traits, "close light", HALF, HALF)
    shade = Image.merge("RGB", (grit, grit, grit))
    return Image.blend(picture, shade, 0.16), coverage
