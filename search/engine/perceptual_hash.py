"""A picture in 64 bits, by which near-duplicates are found."""

import numpy as np
from PIL import Image


def perceptual_hash(picture: Image.Image) -> int:
    """64 bits that change little when a picture is scaled or re-compressed; compare by Hamming distance.

    The usual DCT hash: 32 x 32 grey values, the 8 x 8 lowest frequencies of their DCT-II, one bit per
    coefficient above the median, row by row from the most significant bit. Coefficients are rounded to whole
    grey levels so that noise in an even surface sets no bits. Colour is not seen.
    """
    grey = np.asarray(picture.convert("L").resize((32, 32), Image.Resampling.LANCZOS), dtype=np.float64)
    waves = np.cos(np.pi / 64 * np.outer(np.arange(8), 2 * np.arange(32) + 1))
    coefficients = np.round(waves @ grey @ waves.T / 32)
    bits = np.packbits(coefficients > np.median(coefficients))
    return int.from_bytes(bits.tobytes(), "big")
