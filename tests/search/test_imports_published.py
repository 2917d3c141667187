"""Each published data set, from its own files to a catalogue, as an operator imports it."""

import io
import json
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.core.management import call_command
from scipy.io import savemat

from search.models import Aspect, Catalogue, Label
from tests.catalogues.sources import photo, write

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("one_decoder")]

Files = dict[str, bytes | str]


def deepfashion() -> Files:
    return {
        "Anno_coarse/list_category_cloth.txt": "2\ncategory_name  category_type\nParka  1\nCulottes  2\n",
        "Anno_coarse/list_category_img.txt": "2\nimage_name  label\nimg/A/1.jpg  1\nimg/B/2.jpg  2\n",
        "Anno_coarse/list_bbox.txt": (
            "2\nimage_name  x_1 y_1 x_2 y_2\nimg/A/1.jpg  010 020 150 140\nimg/B/2.jpg  000 000 160 160\n"
        ),
        "Anno_coarse/list_attr_cloth.txt": "2\nattribute_name  attribute_type\ndotted line  1\nwool  2\n",
        "Anno_coarse/list_attr_img.txt": "2\nimage_name  labels\nimg/A/1.jpg  1 -1\nimg/B/2.jpg  0 1\n",
        "Eval/list_eval_partition.txt": "2\nimage_name  status\nimg/A/1.jpg  train\nimg/B/2.jpg  test\n",
        "Img/img/A/1.jpg": photo(1),
        "Img/img/B/2.jpg": photo(2),
    }


def inshop() -> Files:
    first, second = (
        "img/WOMEN/Dresses/id_00000902/02_1_front.jpg",
        "img/WOMEN/Dresses/id_00000902/02_2_side.jpg",
    )
    return {
        "Eval/list_eval_partition.txt": (
            "2\nimage_name item_id evaluation_status\n"
            f"{first} id_00000902 query\n{second} id_00000902 gallery\n"
        ),
        "Anno/list_bbox_inshop.txt": (
            "2\nimage_name  clothes_type pose_type x_1 y_1 x_2 y_2\n"
            f"{first} 3 1 010 010 150 150\n{second} 3 2 010 010 150 150\n"
        ),
        "Anno/list_description_inshop.json": json.dumps([{"item": "id_00000902", "description": ["Soft."]}]),
        first: photo(1),
        second: photo(2),
    }


def zappos() -> Files:
    header = "CID,Category,SubCategory,HeelHeight,Insole,Closure,Gender,Material,ToeStyle\n"
    return {
        "ut-zap50k-data/meta-data.csv": (
            f"{header}900001-72,Shoes,Oxfords,,,Lace up,Men,Leather;Suede,\n900002-3,Boots,Ankle,,,,Women,,\n"
        ),
        "ut-zap50k-images-square/Shoes/Oxfords/Bostwick/900001.72.jpg": photo(1),
        "ut-zap50k-images-square/Boots/Ankle/W.A.G%2E/900002.3.jpg": photo(2),
    }


def osr() -> Files:
    names = np.array([["coast_art9001.jpg"], ["forest_art9002.jpg"]], dtype=object)
    sides, ranks = np.array([[1], [0]], np.uint8), np.arange(12.0).reshape(6, 2)
    data = io.BytesIO()
    arrays = {"im_names": names, "class_labels": np.array([[1.0], [2.0]])}
    savemat(data, {**arrays, "used_for_training": sides, "relative_ordering": ranks})
    return {
        "data.mat": data.getvalue(),
        "images/coast_art9001.jpg": photo(1),
        "images/forest_art9002.jpg": photo(2),
    }


def fashion200k() -> Files:
    first, second = (f"women/dresses/mini/9000{number}/9000{number}_0.jpeg" for number in (1, 2))
    return {
        "labels/dress_train_detect_all.txt": f"{first}\t0.5\tred dress\n",
        "labels/dress_test_detect_all.txt": f"{second}\t0.5\tblue dress & belt\n",
        first: photo(1),
        second: photo(2),
    }


def fashioniq() -> Files:
    told = [{"target": "B0INVENT01", "candidate": "B0INVENT02", "captions": ["is shorter", "has \0 dots"]}]
    return {
        "image_splits/split.dress.train.json": json.dumps(["B0INVENT01", "B0INVENT02"]),
        "captions/cap.dress.train.json": json.dumps(told),
        "images/B0INVENT01.png": photo(1),
        "images/B0INVENT02.png": photo(2),
    }


def imaterialist() -> Files:
    images = [{"imageId": "1", "url": ""}, {"imageId": "2", "url": ""}]
    annotations = [{"imageId": "1", "labelId": ["1", "2"]}, {"imageId": "2", "labelId": ["1"]}]
    return {
        "train.json": json.dumps({"images": images, "annotations": annotations}),
        "label_map.csv": "labelId,taskId,labelName,taskName\n1,5,Kimono,category\n2,6,Tartan,pattern\n",
        "train/1.jpg": photo(1),
        "train/2.jpg": photo(2),
    }


def styles() -> Files:
    header = (
        "id,gender,masterCategory,subCategory,articleType,baseColour,season,year,usage,productDisplayName\n"
    )
    first = "90001,Men,Apparel,Topwear,Shirts,NA,Fall,2011,Casual,Check Shirt, Slim\n"
    second = "90002,Men,Apparel,Topwear,Tops,,,,,Top\n"
    return {"styles.csv": header + first + second, "images/90001.jpg": photo(1), "images/90002.jpg": photo(2)}


DATA_SETS = {
    "deepfashion": (deepfashion, {"texture": "dotted line"}),
    "deepfashion-inshop": (inshop, {"pose": "front"}),
    "zappos": (zappos, {"Closure": "Lace up"}),
    "osr": (osr, {"natural": "0"}),
    "fashion200k": (fashion200k, {"subcategory": "mini"}),
    "fashioniq": (fashioniq, {"published split": "dress train"}),
    "imaterialist": (imaterialist, {"pattern": "Tartan"}),
    "styles": (styles, {"baseColour": "NA"}),
}


def call(*arguments: object) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("import_catalogue", *map(str, arguments), stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


@pytest.mark.parametrize("format", DATA_SETS)
def test_a_published_data_set_becomes_a_catalogue(tmp_path: Path, format: str) -> None:
    files, labels = DATA_SETS[format]
    root = write(tmp_path / "set", files())
    out, err = call(format, root, "--slug", "shop")
    assert "shop: 2 items (2 added" in out, err
    catalogue = Catalogue.objects.get()
    first = catalogue.items.get(position=0)
    said = Label.objects.filter(item=first, source=Label.Source.GIVEN)
    assert labels.items() <= dict(said.values_list("attribute__aspect__name", "attribute__value")).items()
    assert (
        first.category is not None
        and Aspect.objects.filter(catalogue=catalogue, is_category=True).count() == 1
    )
    assert "Nothing to do: 2 items" in call(format, root, "--slug", "shop")[0]


def test_pictures_of_one_product_stand_on_one_side(tmp_path: Path) -> None:
    call("deepfashion-inshop", write(tmp_path / "set", inshop()), "--slug", "shop")
    items = Catalogue.objects.get().items.all()
    assert {item.group for item in items} == {"id_00000902"} and len({item.split for item in items}) == 1


def test_boxes_are_cut_out(tmp_path: Path) -> None:
    call("deepfashion", write(tmp_path / "set", deepfashion()), "--slug", "shop")
    items = Catalogue.objects.get().items.all()
    assert [(item.width, item.height) for item in items] == [(140, 120), (160, 160)]


def test_how_many_pictures_are_there_is_in_the_report(tmp_path: Path) -> None:
    files = fashioniq()
    files["image_splits/split.dress.train.json"] = json.dumps(["B0INVENT01", "B0INVENT02", "B0INVENT03"])
    _, err = call("fashioniq", write(tmp_path / "set", files), "--slug", "shop")
    catalogue = Catalogue.objects.get()
    assert catalogue.report["rejected"] == {"coverage": 1, "missing-file": 3, "unknown-image": 1}
    assert "dress train 2 of 3" in err
    told = json.loads(catalogue.items.get(key="B0INVENT01").texts["relative_captions"])
    assert told[0]["captions"] == ["is shorter", "has \0 dots"]
