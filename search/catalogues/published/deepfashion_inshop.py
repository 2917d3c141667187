"""DeepFashion, in-shop clothes retrieval (Liu, Luo, Qiu, Wang & Tang, CVPR 2016).

Names of pictures say what they show: `img/WOMEN/Dresses/id_00000002/02_1_front.jpg`.
"""

from collections.abc import Iterator, Mapping

from search.catalogues.files import Entry
from search.catalogues.published.deepfashion import BAD_BOX, CLOTHES_TYPES, WHOLE
from search.catalogues.published.importer import SPLIT, Record
from search.catalogues.published.json_files import read_json
from search.catalogues.published.text_files import parse_box, read_column, read_list
from search.catalogues.published.unpacked import Unpacked
from search.catalogues.records import as_text
from search.catalogues.rows import Rejection

POSES = {"1": "front", "2": "side", "3": "back", "4": "zoom-out", "5": "zoom-in", "6": "stand-alone"}
_DEPTH = 5  # parts of a picture's name: img, gender, category, item, file
_BOXES = "list_bbox_inshop.txt"
_DESCRIPTIONS = "list_description_inshop.json"


class DeepFashionInShop:
    """The pictures of list_eval_partition.txt; those of one item are a group.

    Boxes belong to the pictures of img.zip; those of img_highres.zip have other sizes and are not used.
    Raises CatalogueUnreadable, OSError.
    """

    category = "category"
    labels = ("category", "gender", "clothes type", "pose", SPLIT)
    texts = ("description", "described colours")
    remedy = "Unpack img.zip there, so that they lie in img/ or Img/img/."

    def __init__(self, root: Unpacked) -> None:
        partition = root.need("Eval/list_eval_partition.txt", "list_eval_partition.txt")
        rows = read_list(root, partition, 3)
        self._images = [(number, name, item, split) for number, (name, item, split) in rows]
        names = [name for _, name, _, _ in self._images]
        self._boxes = read_column(root, (f"Anno/{_BOXES}", _BOXES), 7, names, WHOLE)
        texts = (f"Anno/{_DESCRIPTIONS}", _DESCRIPTIONS)
        read = root.optional(
            texts, lambda entry: _read_descriptions(root, entry), "Items have no description."
        )
        self._texts = read or {}
        self._pictures = root.pictures_under(("", "Img", "img"), names)

    def records(self) -> Iterator[Record | Rejection]:
        for number, name, item, split in self._images:
            parts = name.split("/")
            if len(parts) != _DEPTH:
                message = "Its name does not say img/GENDER/CATEGORY/ITEM/FILE. Unpack the list again."
                yield Rejection(number, name, "malformed", message)
                continue
            clothes, pose, *corners = self._boxes.get(name, ("", ""))
            try:
                box = parse_box(corners) if corners else None
            except ValueError:
                yield Rejection(number, name, "bad-box", BAD_BOX)
                continue
            labels = {"category": [parts[2]], "gender": [parts[1]], SPLIT: [split]}
            if corners:
                labels |= {
                    "clothes type": [CLOTHES_TYPES.get(clothes, clothes)],
                    "pose": [POSES.get(pose, pose)],
                }
            texts = self._texts.get(item, {})
            yield Record(number, name, self._pictures.find(name), labels, texts, group=item, box=box)


def _read_descriptions(root: Unpacked, entry: Entry) -> dict[str, Mapping[str, str]]:
    """Texts by item, of a list of {"item", "color", "description": [sentences]}."""
    texts: dict[str, dict[str, str]] = {}
    for number, told in enumerate(read_json(root, entry, list), start=1):
        item = as_text(told.get("item")) if isinstance(told, dict) else ""
        if not item:
            message = f"This entry of {entry.name} names no item and was left out. Unpack the file again."
            root.note("malformed", message, number, entry.name)
            continue
        sentences = told.get("description")
        lines = [as_text(one) for one in (sentences if isinstance(sentences, list) else [sentences])]
        known = texts.setdefault(item, {"description": "", "described colours": ""})
        known["description"] = "\n".join(filter(None, (known["description"], *lines)))
        known["described colours"] = ";".join(
            filter(None, (known["described colours"], as_text(told.get("color"))))
        )
    return dict(texts)
