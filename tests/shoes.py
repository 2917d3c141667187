"""UT-Zappos50K and the triplets of conditional similarity networks in small: files just as published."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

SIDE = 32
CLASSES = {"Shoes": (200, 40, 40), "Boots": (40, 160, 60), "Sandals": (40, 60, 200)}  # drawn so
CLOSURES = {"Lace up": 250, "Zipper": 10}  # the grey of the frame
HEADER = "CID,Category,SubCategory,HeelHeight,Insole,Closure,Gender,Material,ToeStyle\n"
BRANDS = ("Bostwick", "W.A.G%2E", "Levi's&#174; Kids")  # as one edition spells them
EACH = 150  # triplets of a condition and split
CONDITIONS = ("class", "closure")

Lines = list[tuple[int, int, int]]


def name_of(number: int) -> str:
    """The line of `filenames.json` of a shoe."""
    kind = list(CLASSES)[number % len(CLASSES)]
    return f"{kind}/Ankle/{BRANDS[number % 5 % 3]}/{900000 + number}.{number % 7}.jpg"


def values_of(number: int) -> tuple[str, str]:
    """The class and the closure of a shoe."""
    return list(CLASSES)[number % 3], list(CLOSURES)[number // 3 % 2]


def write_shoes(folder: Path, count: int) -> Path:
    """The data set as it is unpacked: meta-data.csv and pictures in the edition with %2E and &#174;."""
    rows = []
    for number in range(count):
        kind, closure = values_of(number)
        rows.append(f"{900000 + number}-{number % 7},{kind},Ankle,,,{closure},Women,,\n")
        path = folder / "ut-zap50k-images" / name_of(number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_draw(number))
    table = folder / "ut-zap50k-data" / "meta-data.csv"
    table.parent.mkdir(parents=True)
    table.write_text(HEADER + "".join(rows))
    return folder


def split_of(number: int) -> str:
    """The authors' side of a picture: 60, 20 and 20 of a hundred."""
    return ("train", "train", "train", "val", "test")[number // 6 % 5]


def write_triplets(folder: Path, count: int, *, swapped: tuple[str, ...] = ()) -> Path:
    """`filenames.json` and, below it, the lists of both conditions; returns the folder of the lists.

    Triplets of a split are drawn among its pictures. In those ``swapped`` far and close change places.
    """
    lists = folder / "tripletlists"
    lists.mkdir(parents=True)
    (folder / "filenames.json").write_text("".join(f"{name_of(number)}\n" for number in range(count)))
    for place, condition in enumerate(CONDITIONS):
        for split in ("train", "val", "test"):
            lines = draw_lines(place, split, count, EACH)
            if split in swapped:
                lines = [(anchor, close, far) for anchor, far, close in lines]
            write_lines(lists, condition, split, lines)
    return lists


def write_lines(lists: Path, condition: str, split: str, lines: Lines) -> Path:
    """One list: a line `anchor far close` for each triplet."""
    path = lists / f"{condition}_tripletlist_{split}.txt"
    path.write_text("".join(f"{anchor} {far} {close}\n" for anchor, far, close in lines))
    return path


def draw_lines(condition: int, split: str, count: int, each: int) -> Lines:
    """Triplets (anchor, far, close) of a split's pictures; the close one shares the condition's value."""
    rng = np.random.default_rng([condition, len(split), each])
    numbers = [number for number in range(count) if split_of(number) == split]
    lines: Lines = []
    while len(lines) < each:
        anchor, far, close = (int(number) for number in rng.choice(numbers, 3, replace=False))
        value, other, same = (values_of(number)[condition] for number in (anchor, far, close))
        if value == same and value != other:
            lines.append((anchor, far, close))
    return lines


def _draw(number: int) -> bytes:
    """A picture with the colour of its class and the frame of its closure; blocks tell it from others."""
    kind, closure = values_of(number)
    rng = np.random.default_rng(number)
    pixels = np.full((SIDE, SIDE, 3), CLOSURES[closure], np.uint8)
    blocks = np.kron(rng.integers(0, 2, (8, 8)), np.ones((3, 3), int))[..., None]
    pixels[4:-4, 4:-4] = np.where(blocks, CLASSES[kind], np.array(CLASSES[kind]) // 2 + 60)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()
