"""What hides a part of a lifestyle view, close to the camera: leaves, a post, a curtain, an edge, a hand."""

from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image, ImageDraw

from .palette import lighter, mix
from .props import thing_colour
from .scenes import HALF
from .tiles import cut, smooth_noise
from .traits import Traits

_MIDDLE = HALF / 2


@dataclass(frozen=True)
class _Close:
    """The picture, pens on it and on its coverage, and the side (-1 left, 1 right) things come in from."""

    traits: Traits
    picture: Image.Image
    paint: ImageDraw.ImageDraw
    cover: ImageDraw.ImageDraw
    side: int


def draw_foreground(traits: Traits) -> tuple[Image.Image, Image.Image]:
    """Something that hides a part of the view: (RGB, its coverage L), HALF x HALF pixels."""
    picture = Image.new("RGB", (HALF, HALF), thing_colour(traits, "close"))
    coverage = Image.new("L", (HALF, HALF), 0)
    side = -1 if traits.own("close side", 0, 1) < 0.5 else 1
    close = _Close(traits, picture, ImageDraw.Draw(picture), ImageDraw.Draw(coverage), side)
    _KINDS[int(traits.own("close kind", 0, len(_KINDS)))](close)
    grit = cut(smooth_noise(16, 34, 61), traits, "close light", HALF, HALF)
    return Image.blend(picture, Image.merge("RGB", (grit, grit, grit)), 0.16), coverage


def _leaves(close: _Close) -> None:
    traits, side = close.traits, close.side
    for n in range(6):
        y, long = traits.own(f"close y {n}", 0, HALF), traits.own(f"close long {n}", 24, 58)
        tip = (_MIDDLE + side * (_MIDDLE - long), y + traits.own(f"close tip {n}", -24, 24))
        rim = _MIDDLE + side * 84
        leaf = [(rim, y - 8), (_MIDDLE + side * (_MIDDLE - long * 0.5), y - 11), tip,
                (_MIDDLE + side * (_MIDDLE - long * 0.4), y + 9), (rim, y + 8)]  # fmt: skip
        close.cover.polygon(leaf, 255)
        close.paint.polygon(leaf, mix((64, 98, 60), (130, 150, 88), traits.own(f"close green {n}", 0, 1)))


def _post(close: _Close) -> None:
    lean, wide = close.traits.own("close lean", -26, 26), close.traits.own("close wide", 5, 15)
    x = _MIDDLE + close.side * close.traits.own("close bar", 12, 44)
    post = [(x - wide, 0), (x + wide, 0), (x + wide + lean, HALF), (x - wide + lean, HALF)]
    close.cover.polygon(post, 255)


def _curtain(close: _Close) -> None:
    side, rim = close.side, _MIDDLE + close.side * 84
    edge = _MIDDLE + side * close.traits.own("close edge", 44, 66)
    bulge = side * close.traits.own("close bulge", -16, 16)
    cloth = [(edge, 0), (edge - bulge, 60), (edge + bulge, 120), (edge, HALF), (rim, HALF), (rim, 0)]
    close.cover.polygon(cloth, 255)


def _edge(close: _Close) -> None:
    top, drop = close.traits.own("close top", 112, 136), close.traits.own("close drop", -12, 12)
    close.cover.polygon([(0, top), (HALF, top + drop), (HALF, HALF), (0, HALF)], 255)
    pale = lighter(thing_colour(close.traits, "close"), 0.3)
    close.paint.line((0, top + 3, HALF, top + drop + 3), pale, 3)


def _hand(close: _Close) -> None:
    traits, side = close.traits, close.side
    skin = mix((120, 80, 60), (238, 202, 178), traits.own("skin", 0, 1))
    close.picture.paste(skin, (0, 0, HALF, HALF))
    x, y = _MIDDLE + side * traits.own("hand x", 16, 44), traits.own("hand y", 40, 110)
    close.cover.line((x, y, _MIDDLE + side * 92, y + traits.own("arm", 10, 50)), 255, 17)
    for n in range(4):
        close.cover.line((x, y + n * 5.4 - 8, x - side * 14, y + n * 5.4 - 11), 255, 5)
    close.cover.ellipse((x - 10, y - 11, x + 10, y + 11), 255)


_KINDS: tuple[Callable[[_Close], None], ...] = (_leaves, _post, _curtain, _edge, _hand)
