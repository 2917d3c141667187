"""FashionIQ (Wu, Gao, Guo, Al-Halah, Rennie, Grauman & Feris, CVPR 2021): pictures and what tells two apart.

`image_splits/split.dress.train.json` lists pictures by ASIN, `captions/cap.dress.train.json` says how a
target differs from a candidate, `asin2attr.dress.train.json` gives tags in groups. The pictures are not
published with it, and many have gone from where they were, so most copies are incomplete.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

from search.catalogues.files import Entry, Refused
from search.catalogues.published.importer import SPLIT, Record
from search.catalogues.published.json_files import read_json
from search.catalogues.published.unpacked import Unpacked
from search.catalogues.rows import CatalogueUnreadable, Rejection

CATEGORIES = ("dress", "shirt", "toptee")
SPLITS = ("train", "val", "test")
RELATIVE_CAPTIONS = "relative_captions"
OPEN_CAPTIONS = "relative_captions_without_target"
TAGS = "tags"
_SPLIT_FILES = ("image_splits/split.{}.{}.json", "split.{}.{}.json")
_CAPTION_FILES = ("captions/cap.{}.{}.json", "cap.{}.{}.json")
_TAG_FILES = tuple(
    f"{folder}asin2attr.{{}}.{{}}{end}.json" for folder in ("tags/", "attr/", "") for end in ("", ".new")
)
_FOLDERS = ("", "images", "resized_images")  # or one folder per category in these

Told = dict[str, list[dict[str, Any]]]


class FashionIQ:
    """The pictures of all splits, each once, though some are listed for two categories.

    Three texts hold JSON, from which everything can be read back. `relative_captions`, of the target: a list
    of {"category", "split", "candidate", "captions"}. `relative_captions_without_target`, of the candidate,
    since the targets of the test split were kept back: the same without "candidate". `tags`: groups of tags
    as they were published, the first one and empty ones included. Raises CatalogueUnreadable, OSError.
    """

    category = "category"
    labels = ("category", SPLIT)
    texts = (RELATIVE_CAPTIONS, OPEN_CAPTIONS, TAGS)
    remedy = "Put them into images/ there, as ASIN.jpg or ASIN.png."

    def __init__(self, root: Unpacked) -> None:
        self._root = root
        self._parts: dict[str, list[tuple[int, str, str]]] = {}  # by ASIN: (place, category, split)
        self._captions: Told = {}
        self._open_captions: Told = {}
        self._tags: dict[str, Any] = {}
        self._read(_SPLIT_FILES, self._take_split, "Their pictures are left out.")
        if not self._parts:
            raise CatalogueUnreadable(
                f"{root.tree.title} holds no image_splits/split.dress.train.json or another split with a "
                "picture in it. Give the folder that holds captions/ and image_splits/."
            )
        self._read(_CAPTION_FILES, self._take_captions, "Their relative captions are left out.")
        self._read(_TAG_FILES, self._take_tags, "Their tags are left out.")
        inner = (f"{folder}/{category}".lstrip("/") for folder in _FOLDERS for category in CATEGORIES)
        self._pictures = root.pictures_in((*_FOLDERS, *inner))
        self._note_incomplete()

    def records(self) -> Iterator[Record | Rejection]:
        for asin, parts in self._parts.items():
            labels = {
                "category": list(dict.fromkeys(category for _, category, _ in parts)),
                SPLIT: [f"{category} {split}" for _, category, split in parts],
            }
            told = {
                RELATIVE_CAPTIONS: self._captions.get(asin),
                OPEN_CAPTIONS: self._open_captions.get(asin),
                TAGS: self._tags.get(asin),
            }
            # As ASCII, so that no text in it is one that a database refuses.
            texts = {name: json.dumps(value) for name, value in told.items() if value is not None}
            yield Record(parts[0][0], asin, self._find(asin), labels, texts)

    def _find(self, asin: str) -> Entry | Refused | None:
        found = (pictures.find(asin) for pictures in self._pictures)
        return next((picture for picture in found if picture is not None), None)

    def _read(self, files: tuple[str, ...], take: Callable[[str, str, Entry], None], loss: str) -> None:
        """Hand over the file of each category and split; say once for which there is none."""
        missing = []
        for category in CATEGORIES:
            for split in SPLITS:
                entry = self._root.find(*(file.format(category, split) for file in files))
                if entry is None:
                    missing.append(f"{category} {split}")
                    continue
                try:
                    take(category, split, entry)
                except CatalogueUnreadable as error:
                    self._root.note("unreadable", f"{error} {loss}", key=entry.name)
        if missing:
            file = files[0].format("CATEGORY", "SPLIT")
            self._root.note("missing-file", f"{file} is not there for {', '.join(missing)}. {loss}", key=file)

    def _take_split(self, category: str, split: str, entry: Entry) -> None:
        for place, asin in enumerate(read_json(self._root, entry, list), start=1):
            if isinstance(asin, str) and asin:
                self._parts.setdefault(asin, []).append((place, category, split))
            else:
                self._note(entry, place, "malformed", "It is no ASIN")

    def _take_captions(self, category: str, split: str, entry: Entry) -> None:
        for place, told in enumerate(read_json(self._root, entry, list), start=1):
            if not _is_caption(told):
                self._note(entry, place, "malformed", "It has not a candidate and a list of captions")
                continue
            kept = {"category": category, "split": split}
            if "target" not in told:
                kept |= {"captions": told["captions"]}
                self._keep(self._open_captions, told["candidate"], kept, entry, place)
            else:
                kept |= {"candidate": told["candidate"], "captions": told["captions"]}
                self._keep(self._captions, told["target"], kept, entry, place)

    def _keep(self, captions: Told, asin: str, kept: dict[str, Any], entry: Entry, place: int) -> None:
        if asin in self._parts:
            captions.setdefault(asin, []).append(kept)
        else:
            self._note(entry, place, "unknown-item", f"{asin[:40]!r} is in none of the splits")

    def _take_tags(self, category: str, split: str, entry: Entry) -> None:
        for asin, groups in read_json(self._root, entry, dict).items():
            if isinstance(groups, list):
                self._tags.setdefault(asin, groups)
            else:
                self._root.note(
                    "malformed", f"The tags of {asin[:40]!r} are no list of groups.", key=entry.name
                )

    def _note(self, entry: Entry, place: int, code: str, what: str) -> None:
        message = f"{what}, so this element of {entry.name} was left out. Unpack the file again."
        self._root.note(code, message, place, entry.name)

    def _note_incomplete(self) -> None:
        """Say how many relative captions lack one of their two pictures."""
        there = {asin for asin in self._parts if isinstance(self._find(asin), Entry)}
        pairs = [(asin, one["candidate"]) for asin, told in self._captions.items() for one in told]
        whole = sum(target in there and candidate in there for target, candidate in pairs)
        if whole < len(pairs):
            message = (
                f"Of {len(pairs):,} relative captions with a target, {whole:,} have both their pictures."
            )
            self._root.note("incomplete", f"{message} {self.remedy}")


def _is_caption(told: object) -> bool:
    """Whether it is {"target", "candidate", "captions"}, perhaps without the target."""
    return (
        isinstance(told, dict)
        and isinstance(told.get("candidate"), str)
        and isinstance(told.get("target", ""), str)
        and isinstance(told.get("captions"), list)
        and all(isinstance(caption, str) for caption in told["captions"])
    )
