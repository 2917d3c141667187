"""Triplet files of Conditional Similarity Networks (Veit, Belongie & Karaletsos, CVPR 2017).

`filenames.json` is no JSON: it names one picture per line. `CONDITION_tripletlist_SPLIT.txt` has a line
`anchor far close` for each triplet, three places in that list counted from 0, and THE CLOSE ONE IS THIRD.
Here triplets are ordered anchor, positive, negative, as everywhere in the engine.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from search.engine.errors import TripletsRejected
from search.engine.files import sha256_of

CONDITIONS = ("class", "closure", "gender", "heel")
SPLITS = ("train", "val", "test")
NAMES = "filenames.json"
MAX_BYTES = 256 * 2**20  # of one file; 200,000 triplets have four million
_ENDING = "_tripletlist_train.txt"
_DIGITS = 18  # that fit into 64 bits
_OUR_ORDER = [0, 2, 1]  # anchor, far, close -> anchor, positive (close), negative (far)


@dataclass(frozen=True)
class ConditionTriplets:
    """The triplets of one condition and split: (n, 3) int64 places in `names`, anchor, positive, negative."""

    condition: str
    split: str
    names: tuple[str, ...]
    triplets: npt.NDArray[np.int64]


@dataclass(frozen=True)
class TripletFiles:
    """Files that are there: the three splits of each condition in a folder, and the list of pictures."""

    folder: Path
    filenames: Path
    conditions: tuple[str, ...]

    def read(self) -> Iterator[ConditionTriplets]:
        """As `read_triplet_files`."""
        return read_triplet_files(self.folder, filenames=self.filenames, conditions=self.conditions)

    def sha256(self) -> str:
        """Of everything in them, in hexadecimal. Raises OSError."""
        lists = [place_of(self.folder, condition, split) for condition in self.conditions for split in SPLITS]
        told = [f"{path.name} {sha256_of(path)}\n" for path in (self.filenames, *lists)]
        return hashlib.sha256("".join(told).encode()).hexdigest()


def find_triplet_files(folder: Path, conditions: Sequence[str] = ()) -> TripletFiles:
    """The files of these conditions; where none is named, of all whose three files are there.

    The list of pictures lies beside them or one folder above. Raises TripletsRejected where one is missing.
    """
    folder = folder.resolve()
    if not folder.is_dir():
        raise TripletsRejected(
            f"{folder} is no folder. Name the one with the files CONDITION_tripletlist_SPLIT.txt."
        )
    there = sorted(path.name.removesuffix(_ENDING) for path in folder.glob(f"?*{_ENDING}"))
    whole = [name for name in there if all(place_of(folder, name, split).is_file() for split in SPLITS)]
    if not conditions and not whole:
        raise TripletsRejected(
            f"No condition has its three files in {folder}, as class_tripletlist_train.txt, "
            "class_tripletlist_val.txt and class_tripletlist_test.txt. Unpack the triplets there."
        )
    for name in conditions:
        if name not in whole:
            raise TripletsRejected(
                f"{_first_missing(folder, name)} is missing, so there are no triplets of “{name}”. "
                f"Put it there, or name other conditions: {', '.join(whole) or 'none is whole'}."
            )
    for place in (folder, folder.parent):
        if (place / NAMES).is_file():
            return TripletFiles(folder, place / NAMES, tuple(dict.fromkeys(conditions or whole)))
    raise TripletsRejected(
        f"{folder / NAMES} is missing, the list in which triplets count pictures. "
        f"Put it there or into {folder.parent}."
    )


def place_of(folder: Path, condition: str, split: str) -> Path:
    """Where the triplets of a condition and split lie."""
    return folder / f"{condition}_tripletlist_{split}.txt"


def _first_missing(folder: Path, condition: str) -> Path:
    places = [place_of(folder, condition, split) for split in SPLITS]
    return next((place for place in places if not place.is_file()), places[0])


def read_triplet_files(
    folder: Path,
    *,
    filenames: Path,
    conditions: Sequence[str] = CONDITIONS,
    splits: Sequence[str] = SPLITS,
) -> Iterator[ConditionTriplets]:
    """Each condition's splits, one file in memory at a time. Raises TripletsRejected, OSError."""
    names = read_names(filenames)
    for condition in conditions:
        for split in splits:
            triplets = read_triplets(place_of(folder, condition, split), len(names))
            yield ConditionTriplets(condition, split, names, triplets)


def read_names(path: Path) -> tuple[str, ...]:
    """The pictures that the places mean. Raises TripletsRejected, OSError."""
    try:
        names = [line.decode() for line in _read_lines(path)]
    except UnicodeDecodeError as error:
        raise TripletsRejected(f"{path} is not UTF-8 ({error}). Fetch it again.") from error
    for number, name in enumerate(names, start=1):
        if not name.strip():
            raise TripletsRejected(
                f"{path}, line {number} is blank, where each line names a picture. Fetch the file again: to "
                "leave the line out would shift all that follow."
            )
    if names and names[0].startswith("["):
        raise TripletsRejected(f"{path}, line 1 is JSON. Write one name on each line, without brackets.")
    return tuple(name.strip() for name in names)


def read_triplets(path: Path, count: int) -> npt.NDArray[np.int64]:
    """(n, 3) int64, anchor, positive, negative, each below `count`. Raises TripletsRejected, OSError."""
    lines = _read_lines(path)
    try:
        fields = [[int(field) for field in line.split()] for line in lines]
        published = np.array(fields, dtype=np.int64).reshape(len(lines), 3)
    except (ValueError, OverflowError):
        raise _find_fault(path, lines, count) from None
    anchor, far, close = published.T
    in_range = bool(((published >= 0) & (published < count)).all())
    if not in_range or ((anchor == far) | (anchor == close) | (far == close)).any():
        raise _find_fault(path, lines, count)
    return np.ascontiguousarray(published[:, _OUR_ORDER])


def _read_lines(path: Path) -> list[bytes]:
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise TripletsRejected(f"{path} has {size >> 20} MiB; at most {MAX_BYTES >> 20} are read. Divide it.")
    return path.read_bytes().splitlines()


def _find_fault(path: Path, lines: list[bytes], count: int) -> TripletsRejected:
    """Which line is wrong, and how; looked for only once it is known that one is."""
    for number, line in enumerate(lines, start=1):
        if fault := _fault_of(line.split(), count):
            return TripletsRejected(
                f"{path}, line {number} {fault}. Correct the line or fetch the file again."
            )
    return TripletsRejected(f"{path} is not a list of triplets. Fetch it again.")


def _fault_of(fields: list[bytes], count: int) -> str:
    if len(fields) != 3 or not all(field.isdigit() and len(field) <= _DIGITS for field in fields):
        return f"is not three whole numbers of at most {_DIGITS} digits"
    places = [int(field) for field in fields]
    if max(places) >= count:
        return f"means picture {max(places)}, but there are {count}, counted from 0"
    return "" if len(set(places)) == 3 else "names a picture twice"
