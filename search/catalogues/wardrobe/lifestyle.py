"""The lifestyle view: the same design in the world, turned, lit, wrinkled, partly hidden, a little noisy."""

from math import cos, radians, sin

from PIL import Image, ImageChops, ImageFilter

from .foregrounds import draw_foreground
from .palette import Colour
from .scenes import HALF, draw_scene
from .sheet import SIZE, Sheet
from .tiles import cut, grain, smooth_noise
from .traits import Traits

_LIGHTS: tuple[Colour, ...] = (
    (255, 250, 244), (255, 238, 214), (232, 240, 255), (255, 244, 230), (244, 232, 236), (236, 246, 238),
    (255, 226, 190),
)  # fmt: skip

_PER_CENT = [[value * share // 100 for value in range(256)] for share in range(101)]


def draw_lifestyle(traits: Traits, sheet: Sheet) -> Image.Image:
    """The item of `sheet` in a scene of its own, RGB, SIZE x SIZE pixels."""
    view = draw_scene(traits).resize((SIZE, SIZE), Image.Resampling.BILINEAR)
    item, coverage = _pose(traits, sheet)
    _cast_shadow(traits, view, coverage)
    view.paste(item, (0, 0), coverage)
    if traits.own("hidden", 0, 1) < 0.55:
        close, hides = draw_foreground(traits)
        hides = hides.filter(ImageFilter.GaussianBlur(0.9))
        size, smooth = (SIZE, SIZE), Image.Resampling.BILINEAR
        view.paste(close.resize(size, smooth), (0, 0), hides.resize(size, smooth))
    view = _light(traits, view)
    if traits.own("focus", 0, 1) < 0.4:
        view = view.filter(ImageFilter.BoxBlur(traits.own("blur", 0.4, 1.3)))
    return _add_noise(traits, view)


def draw_empty(traits: Traits) -> Image.Image:
    """The same scene in the same light, but nobody left the item there."""
    view = draw_scene(traits).resize((SIZE, SIZE), Image.Resampling.BILINEAR)
    return _add_noise(traits, _light(traits, view))


def find_item(traits: Traits, sheet: Sheet) -> tuple[float, float, float, float]:
    """The box around the item in the lifestyle view, in fractions: left, top, right, bottom."""
    _, coverage = _pose(traits, sheet)
    box = coverage.point(lambda value: 255 * (value >= 128)).getbbox()
    left, top, right, bottom = box or (0, 0, SIZE, SIZE)
    return left / SIZE, top / SIZE, right / SIZE, bottom / SIZE


def turn_back(traits: Traits, sheet: Sheet, view: Image.Image) -> Image.Image:
    """What a lifestyle view shows of its item, as the sheet has it, on white: pose and scene undone."""
    a, b, c, d, e, f, g, h = _find_pose(traits)
    # The inverse of the projective matrix that `_pose` samples by, scaled so that its last entry is one.
    rows = (
        (e - f * h, c * h - b, b * f - c * e),
        (f * g - d, a - c * g, c * d - a * f),
        (d * h - e * g, b * g - a * h, a * e - b * d),
    )
    matrix = [value / rows[2][2] for row in rows for value in row][:8]
    upright = view.transform(
        (SIZE, SIZE), Image.Transform.PERSPECTIVE, matrix, Image.Resampling.BILINEAR, fillcolor="white"
    )
    alone = Image.new("RGB", (SIZE, SIZE), "white")
    alone.paste(upright, (0, 0), sheet.coverage)
    return alone


def _pose(traits: Traits, sheet: Sheet) -> tuple[Image.Image, Image.Image]:
    """The item turned, scaled, moved and seen at an angle: its colours and its coverage."""
    matrix = _find_pose(traits)
    whole = Image.merge("RGBA", (*sheet.colour.split(), sheet.coverage))
    posed = whole.transform((SIZE, SIZE), Image.Transform.PERSPECTIVE, matrix, Image.Resampling.BILINEAR)
    coverage = posed.getchannel("A")
    return posed.convert("RGB"), coverage


def _find_pose(traits: Traits) -> tuple[float, ...]:
    """Where each pixel of the view comes from on the sheet: the eight numbers of Pillow's PERSPECTIVE."""
    angle = radians(
        traits.own("life turn", -24, 24)
        if traits.own("upright", 0, 1) < 0.8
        else traits.own("life turn", -95, 95)
    )
    scale = traits.own("life scale", 0.6, 1.08)
    mirror = -1.0 if traits.own("mirror", 0, 1) < 0.25 else 1.0
    squeeze = traits.own("squeeze", 0.8, 1.0)
    x, y = SIZE / 2 + traits.own("life x", -34, 34), SIZE / 2 + traits.own("life y", -26, 30)
    tilt_x, tilt_y = traits.own("tilt x", -0.0009, 0.0009), traits.own("tilt y", -0.0009, 0.0009)
    c, s = cos(angle) / scale, sin(angle) / scale
    a, b, d, e = mirror * c / squeeze, mirror * s / squeeze, -s, c
    middle = SIZE / 2
    # Coordinates are divided by tilt_x x + tilt_y y + 1; the shift keeps the item's middle at (x, y) anyway.
    depth = 1 + tilt_x * x + tilt_y * y
    return (a, b, middle * depth - a * x - b * y, d, e, middle * depth - d * x - e * y, tilt_x, tilt_y)


def soft_shadow(coverage: Image.Image, blur: float, shift: tuple[int, int], strength: int) -> Image.Image:
    """The blurred shadow of `coverage`, mode L; blur and shift in 4-pixel steps, strength in per cent."""
    width, height = coverage.width // 4, coverage.height // 4
    low = coverage.reduce(4).filter(ImageFilter.GaussianBlur(blur)).point(_PER_CENT[strength])
    moved = Image.new("L", (width, height), 0)
    moved.paste(low, shift)
    return moved.resize(coverage.size, Image.Resampling.BILINEAR)


def _cast_shadow(traits: Traits, view: Image.Image, coverage: Image.Image) -> None:
    shift = (round(traits.own("shadow x", -4, 4)), round(traits.own("shadow y", 0, 5)))
    strength = round(traits.own("shadow", 25, 60))
    view.paste(
        (34, 30, 36), (0, 0), soft_shadow(coverage, traits.own("shadow blur", 1.5, 5.0), shift, strength)
    )


def _light(traits: Traits, view: Image.Image) -> Image.Image:
    """Tinted light that falls off to one side, with soft blotches as through leaves or blinds."""
    low = Image.linear_gradient("L").resize((HALF // 2, HALF // 2), Image.Resampling.BILINEAR)
    low = low.rotate(int(traits.own("light side", 0, 4)) * 90)
    depth = round(traits.own("falloff", 10, 46))
    low = low.point([255 - value * depth // 100 for value in range(256)])
    blotch = cut(smooth_noise(32, 32, 71), traits, "blotch", HALF // 2, HALF // 2)
    strength = round(traits.own("blotches", 0, 9))
    low = ImageChops.multiply(
        low, blotch.point([255 - max(0, 140 - value) * strength // 8 for value in range(256)])
    )
    large = low.resize((SIZE, SIZE), Image.Resampling.BILINEAR)
    light = _LIGHTS[int(traits.own("light", 0, len(_LIGHTS)))]
    gain = traits.own("exposure", 0.86, 1.14)
    bands = (
        ImageChops.multiply(band, large).point(
            [min(255, round(value * gain * level / 255)) for value in range(256)]
        )
        for band, level in zip(view.split(), light, strict=True)
    )
    return Image.merge("RGB", tuple(bands))


def _add_noise(traits: Traits, view: Image.Image) -> Image.Image:
    gain = (5, 11, 19, 34)[int(traits.own("noise", 0, 4))]
    bands = [
        ImageChops.add(band, cut(grain(5, gain, 81), traits, f"noise {n}", SIZE, SIZE), 1, -128)
        for n, band in enumerate(view.split())
    ]
    return Image.merge("RGB", bands)
