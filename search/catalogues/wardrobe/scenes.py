"""Backgrounds for lifestyle views: rooms, tables, rails, streets and gardens, with things standing about.

They are drawn at half size and enlarged, which also puts them a little out of focus.
"""

from collections.abc import Callable

from PIL import Image, ImageDraw

from .palette import Colour, darker, lighter, mix, tint
from .props import furnish, litter, thing_colour
from .traits import Traits

HALF = 160

_WALLS = ("white", "beige", "grey", "beige", "blue", "green", "pink", "teal", "white", "yellow")


def draw_scene(traits: Traits) -> Image.Image:
    """A cluttered background, RGB, HALF x HALF pixels."""
    place = int(traits.own("scene", 0, len(_SCENES)))
    picture = Image.new("RGB", (HALF, HALF), (200, 196, 190))
    _SCENES[place](traits, ImageDraw.Draw(picture))
    return picture


def _wall_colour(traits: Traits) -> Colour:
    word = _WALLS[int(traits.own("wall word", 0, len(_WALLS)))]
    shade = tint(traits, f"scene {word}", word)
    return mix(lighter(shade, 0.25), (150, 146, 140), traits.own("wall dull", 0.05, 0.45))


def _draw_floor(traits: Traits, draw: ImageDraw.ImageDraw, top: float) -> None:
    """Boards or tiles that run to the back, or a carpet."""
    colour = mix(thing_colour(traits, "floor", 0.15), (150, 112, 78), traits.own("floor wood", 0.2, 0.9))
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
        rug = thing_colour(traits, "rug", 0.15)
        draw.ellipse((x - wide, top + 12, x + wide, top + 12 + wide * 0.6), rug, darker(rug, 0.3), 3)


def _room(traits: Traits, draw: ImageDraw.ImageDraw) -> None:
    wall = _wall_colour(traits)
    floor = traits.own("floor top", 84, 136)
    draw.rectangle((0, 0, HALF, HALF), wall)
    if traits.own("wallpaper", 0, 1) < 0.35:
        step = traits.own("wallpaper step", 7, 18)
        for n in range(int(HALF / step) + 1):
            draw.line((n * step, 0, n * step, floor), darker(wall, 0.1), 1 + int(step) // 5)
    _draw_floor(traits, draw, floor)
    draw.rectangle((0, floor - 3, HALF, floor), lighter(wall, 0.4))
    furnish(traits, draw, floor, HALF)


def _table(traits: Traits, draw: ImageDraw.ImageDraw) -> None:
    """Things lying around on boards, stone or cloth, seen from above."""
    base = mix(thing_colour(traits, "table", 0.2), (170, 134, 98), traits.own("table wood", 0.0, 0.9))
    draw.rectangle((0, 0, HALF, HALF), base)
    if traits.own("boards", 0, 1) < 0.6:
        step = traits.own("board", 16, 40)
        for n in range(int(HALF / step) + 2):
            x = n * step + traits.own("board shift", -16, 0)
            board = mix(base, darker(base, 0.25), traits.own(f"board {n}", 0, 0.7))
            draw.rectangle((x, 0, x + step, HALF), board)
            draw.line((x, 0, x, HALF), darker(base, 0.4), 1)
    litter(traits, draw, base, HALF)


def _rail(traits: Traits, draw: ImageDraw.ImageDraw) -> None:
    """Other clothes on hangers along a rail."""
    draw.rectangle((0, 0, HALF, HALF), _wall_colour(traits))
    _draw_floor(traits, draw, traits.own("floor top", 128, 150))
    y = traits.own("rail", 8, 30)
    draw.line((0, y, HALF, y + traits.own("rail slope", -4, 4)), (70, 66, 66), 2)
    x = traits.own("first hanger", -8, 8)
    for n in range(16):
        name = f"hanger {n}"
        colour = thing_colour(traits, name)
        wide, long = traits.own(f"{name} wide", 9, 17), traits.own(f"{name} long", 60, 112)
        draw.line((x, y, x, y + 6), (90, 84, 80), 1)
        shape = [(x - wide * 0.2, y + 6), (x + wide * 0.2, y + 6), (x + wide * 0.8, y + 12),
                 (x + wide, y + long), (x - wide, y + long), (x - wide * 0.8, y + 12)]  # fmt: skip
        draw.polygon(shape, colour, darker(colour, 0.3))
        if traits.own(f"{name} stripes", 0, 1) < 0.3:
            for k in range(5):
                level = y + 20 + k * long / 6
                draw.line((x - wide * 0.9, level, x + wide * 0.9, level), lighter(colour, 0.5), 2)
        x += traits.own(f"{name} step", 7, 18)


def _street(traits: Traits, draw: ImageDraw.ImageDraw) -> None:
    """House fronts, sky, trees and pavement."""
    sky = mix((188, 208, 224), (236, 214, 190), traits.own("sky", 0, 1))
    draw.rectangle((0, 0, HALF, HALF), sky)
    ground = traits.own("ground", 96, 138)
    x = -10.0
    for n in range(7):
        wide = traits.own(f"house {n} wide", 18, 46)
        _draw_house(traits, draw, f"{n}", (x, ground, wide), sky)
        x += wide
    pave = mix((150, 146, 142), thing_colour(traits, "pave"), 0.2)
    draw.rectangle((0, ground, HALF, HALF), pave)
    for n in range(-6, 14):
        draw.line((n * 16, ground, 80 + (n * 16 - 80) * 3, HALF), darker(pave, 0.15), 1)
    for n in range(int(traits.own("trees", 0, 4))):
        tx, size = traits.own(f"tree {n}", 0, HALF), traits.own(f"tree {n} size", 16, 34)
        draw.line((tx, ground + 4, tx, ground - size * 1.6), (92, 70, 54), 4)
        green = mix((82, 112, 70), (150, 150, 84), traits.own(f"tree {n} green", 0, 1))
        draw.ellipse((tx - size, ground - size * 2.8, tx + size, ground - size), green)


def _draw_house(
    traits: Traits, draw: ImageDraw.ImageDraw, name: str, place: tuple[float, float, float], sky: Colour
) -> None:
    """A front with rows of windows; `place` is its left edge, its foot and its width."""
    x, ground, wide = place
    high, step = traits.own(f"house {name} high", 40, 120), traits.own(f"house {name} step", 9, 15)
    colour = thing_colour(traits, f"house {name}", 0.25)
    draw.rectangle((x, ground - high, x + wide, ground), colour)
    for row in range(int(high / step)):
        for column in range(int(wide / 10)):
            left, top = x + 3 + column * 10, ground - high + 4 + row * step
            pane = mix(darker(colour, 0.45), sky, traits.own(f"pane {name} {row} {column}", 0, 0.5))
            draw.rectangle((left, top, left + 5, top + step * 0.55), pane)


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
        draw.ellipse((x - 2, y - 2, x + 2, y + 2), thing_colour(traits, f"bloom {n % 4}", 0.3))


_SCENES: tuple[Callable[[Traits, ImageDraw.ImageDraw], None], ...] = (
    _room, _room, _table, _table, _rail, _street, _garden,
)  # fmt: skip
