"""The colour of the thing in a picture, in one of thirteen English words.

Product photos stand on white, phone photos on whatever floor was there. So pixels that look like the border
and are connected with it are left out, the centre counts more than the edge, and each remaining pixel is
named by the nearest of a list of reference colours in CIELAB (sRGB, D65), where distances roughly follow
the eye.
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

Pixels: TypeAlias = npt.NDArray[np.float64]
Mask: TypeAlias = npt.NDArray[np.bool_]

# Mostly CSS named colours, each filed under the word that most people would use for it.
REFERENCES: dict[str, tuple[str, ...]] = {
    "black": ("000000", "1c1c1c", "2b2b2d"),
    "white": ("ffffff", "f4f4f4", "e9e9e7"),
    "grey": ("808080", "a9a9a9", "555555", "8a8681"),
    "red": ("ff0000", "dc143c", "b22222", "8b0000", "6d1a24"),
    "orange": ("ffa500", "ff8c00", "ff7f50", "e2711d"),
    "yellow": ("ffff00", "ffd700", "f0e050", "e1ad01", "fff59d"),
    "green": ("008000", "00ff00", "228b22", "006400", "556b2f", "808000", "90ee90", "8fbc8f", "1f3d2b"),
    "teal": ("008080", "40e0d0", "20b2aa", "5f9ea0", "0f4c4c"),
    "blue": (
        "0000ff",
        "000080",
        "4169e1",
        "1e90ff",
        "87ceeb",
        "4682b4",
        "191970",
        "26364f",
        "708090",
        "8a9bb0",
    ),
    "purple": ("800080", "9370db", "4b0082", "8a2be2", "663399", "c8a2c8", "3b1f47", "7d5a6a"),
    "pink": ("ffc0cb", "ff69b4", "ff1493", "c71585", "e8a0a8", "f08080", "ff00ff"),
    "brown": ("8b4513", "a0522d", "5c4033", "654321", "7b5b45", "3d2b1f"),
    "beige": ("f5f5dc", "d2b48c", "f5deb3", "c3b091", "e6d8c3"),
}
COLOURS = tuple(REFERENCES)

_SIDE = 48
_BACKGROUND_DISTANCE = 10.0  # CIELAB units; neighbouring shades of one sheet of paper stay below
_LEAST_FOREGROUND = 0.04  # with less left, the thing itself has the background's colour
_LEAST_BACKGROUND = 0.5  # share of the border that must agree before it counts as a background


def dominant_colour(picture: Image.Image) -> str:
    """One of COLOURS for an RGB picture of any size."""
    # every n-th pixel rather than means: stripes must not be mixed into a colour that is not there
    small = picture.resize((_SIDE, _SIDE), Image.Resampling.NEAREST)
    lab = to_lab(np.asarray(small, dtype=np.float64))
    thing = ~_background(lab)
    if thing.mean() < _LEAST_FOREGROUND:
        thing[:] = True
    # squared distances to the references, less the part that is the same for all of them
    gaps = (_REFERENCE_LAB**2).sum(axis=-1) - 2 * (lab[thing] @ _REFERENCE_LAB.T)
    words = _REFERENCE_WORD[gaps.argmin(axis=-1)]
    return COLOURS[int(np.bincount(words, _CENTRE_WEIGHTS[thing], len(COLOURS)).argmax())]


def to_lab(rgb: Pixels) -> Pixels:
    """CIELAB (D65, 2 degrees) of sRGB values in 0..255, shape (..., 3); IEC 61966-2-1 and CIE 15."""
    scaled = rgb / 255.0
    linear = np.where(scaled <= 0.04045, scaled / 12.92, ((scaled + 0.055) / 1.055) ** 2.4)
    matrix = np.array(
        [
            [0.4124564, 0.3575761, 0.1804375],
            [0.2126729, 0.7151522, 0.0721750],
            [0.0193339, 0.1191920, 0.9503041],
        ]
    )
    xyz = linear @ matrix.T / np.array([0.95047, 1.0, 1.08883])
    root = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = root[..., 0], root[..., 1], root[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def _background(lab: Pixels) -> Mask:
    """Pixels of the border's colour connected with the border; none where the border does not agree."""
    border = np.zeros(lab.shape[:2], dtype=bool)
    border[[0, -1], :] = border[:, [0, -1]] = True
    typical = np.median(lab[border], axis=0)
    alike: Mask = np.sqrt(((lab - typical) ** 2).sum(axis=-1)) < _BACKGROUND_DISTANCE
    reached = border & alike
    if reached.sum() < _LEAST_BACKGROUND * border.sum():
        return np.zeros_like(alike)
    while True:
        grown = reached.copy()
        grown[1:] |= reached[:-1]
        grown[:-1] |= reached[1:]
        grown[:, 1:] |= reached[:, :-1]
        grown[:, :-1] |= reached[:, 1:]
        grown &= alike
        if (grown == reached).all():
            return reached
        reached = grown


_REFERENCE_LAB = to_lab(
    np.array([list(bytes.fromhex(code)) for codes in REFERENCES.values() for code in codes], dtype=np.float64)
)
_OFFSET = np.linspace(-1.0, 1.0, _SIDE)
_CENTRE_WEIGHTS = np.exp(-(_OFFSET[:, None] ** 2 + _OFFSET[None, :] ** 2))  # 1 in the middle, 0.13 in corners
_REFERENCE_WORD = np.array([place for place, codes in enumerate(REFERENCES.values()) for _ in codes])
